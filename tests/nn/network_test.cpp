#include "harness/nn/torch/heads.h"
#include "tests/nn/support.h"

namespace sar::network_test {
using nn_test::part;
using nn_test::same_tensors;

UNetOptions shape(int base, int classes = 1) {
  UNetOptions options;
  options.base_channels = base;
  options.classes = classes;
  return options;
}

/// Multiply-accumulates summed over the network's layers: a kernel of k weights that is applied at
/// v places costs k v. Layer names carry their level; a transposed convolution is applied on the
/// level below.
std::int64_t summed_macs(const Network& network, std::int64_t voxels) {
  std::int64_t sum = 0;
  for (const auto& item : network.named_parameters()) {
    if (item.value().dim() != 5) {
      continue;  // biases and BatchNorm
    }
    const std::string& name = item.key();
    const std::size_t at = name.find("level");
    std::int64_t places = voxels;
    if (at != std::string::npos) {
      const bool transposed = name.find("up.") != std::string::npos;
      for (int level = name[at + 5] - '0' + (transposed ? 1 : 0); level > 0; --level) {
        places /= 8;
      }
    }
    sum += places * item.value().numel();
  }
  return sum;
}

TEST_CASE("the U-Net has P(b) parameters, split as published") {  // exact
  struct Row {
    int base;
    std::int64_t total, encoder;
  };
  for (const Row row : {Row{4, 298993, 110376},
                        Row{8, 1193761, 440208},
                        Row{16, 4770625, 1758240},
                        Row{32, 19073665, 7027776}}) {
    Network network(shape(row.base), Rng(0));
    const std::int64_t b = row.base;
    CHECK(count_parameters(network) == row.total);
    CHECK(count_parameters(network) == 18618 * b * b + 276 * b + 1);
    CHECK(count_parameters(*network.encoder) == row.encoder);
    CHECK(count_parameters(*network.decoder) + count_parameters(*network.head) ==
          row.total - row.encoder);
  }
  CHECK(count_parameters(Network(shape(32, 3), Rng(0))) == 19073795);
}

TEST_CASE("the MAC formula equals the sum over the layers") {  // exact
  const bool nearest = GENERATE(false, true);
  const int classes = GENERATE(1, 3);
  const int base = GENERATE(2, 4, 32);
  UNetOptions options = shape(base, classes);
  options.nearest = nearest;
  const Network network(options, Rng(0));
  CHECK(summed_macs(network, 32 * 24 * 16) == forward_macs(options, {32, 24, 16}));
}

TEST_CASE("both kinds of upsampling restore the input's size") {
  UNetOptions options = shape(2, 3);
  options.nearest = GENERATE(false, true);
  Network network(options, Rng(0));
  const torch::NoGradGuard no_grad;
  CHECK(network.forward(torch::zeros({2, 1, 16, 24, 32})).sizes() ==
        at::IntArrayRef{2, 3, 16, 24, 32});
}

TEST_CASE("a forward pass at full size costs 122.1 GMAC at base 32 and 7.655 at base 8") {  // exact
  CHECK(forward_macs(shape(32), {64, 64, 32}) == 122108772352);
  const Settings settings = nn_test::small_settings({{"network.base_channels", 32}});
  CHECK(network_macs(settings, {64, 64, 32}, 1) == 122108772352);
  const std::int64_t voxels = 64 * 64 * 32;
  CHECK(forward_macs(shape(8), {64, 64, 32}) ==
        voxels * (8 * 7271 + 29 * 8));  // 908.875 b^2 + 29 b with b = 8
}

TEST_CASE("the encoder returns four levels and accepts sides that are no multiple of 8") {
  Network network(shape(4), Rng(0));
  network.eval();
  const Features features = network.encoder(torch::rand({2, 1, 18, 16, 8}));
  CHECK(features[0].sizes() == at::IntArrayRef{2, 8, 18, 16, 8});
  CHECK(features[1].sizes() == at::IntArrayRef{2, 16, 9, 8, 4});
  CHECK(features[2].sizes() == at::IntArrayRef{2, 32, 4, 4, 2});
  CHECK(features[3].sizes() == at::IntArrayRef{2, 64, 2, 2, 1});
}

TEST_CASE("initial weights depend on the seed alone, part by part") {  // exact
  const Network network(shape(4), Rng(5));
  torch::rand({3});  // moves LibTorch's own generator
  const Network again(shape(4), Rng(5));
  const Network other(shape(4), Rng(6));
  const Network three(shape(4, 3), Rng(5));
  CHECK(same_tensors(named_tensors(network), named_tensors(again)));
  CHECK_FALSE(same_tensors(named_tensors(network), named_tensors(other)));
  for (const char* name : {"encoder.", "decoder."}) {  // another head changes nothing else
    CHECK(same_tensors(part(named_tensors(network), name), part(named_tensors(three), name)));
  }
}

TEST_CASE("a seed scope leaves LibTorch's generator as it was") {  // exact
  torch::manual_seed(3);
  const torch::Tensor expected = torch::rand({4});
  torch::manual_seed(3);
  torch::Tensor inside;
  {
    const TorchSeedScope scope(Rng(1).at(purpose::dropout, {2}));
    inside = torch::rand({4});
  }
  CHECK(torch::rand({4}).equal(expected));
  const TorchSeedScope scope(Rng(1).at(purpose::dropout, {2}));
  CHECK(torch::rand({4}).equal(inside));
}

TEST_CASE("a transfer copies exactly the tensors that it names, buffers too, and leaves the head") {
  const Transfer transfer =
      GENERATE(Transfer::none, Transfer::encoder, Transfer::encoder_and_decoder);
  Network source(shape(4), Rng(1));
  source.train();
  source.forward(torch::rand({2, 1, 16, 16, 16}));  // moves the BatchNorm buffers
  Network target(shape(4, 3), Rng(2));
  const TensorMap from = cloned(named_tensors(source));
  const TensorMap before = cloned(named_tensors(target));
  transfer_weights(from, transfer, target);
  const TensorMap after = named_tensors(target);

  const bool encoder = transfer != Transfer::none;
  const bool decoder = transfer == Transfer::encoder_and_decoder;
  CHECK(same_tensors(part(after, "encoder."), part(encoder ? from : before, "encoder.")));
  CHECK(same_tensors(part(after, "decoder."), part(decoder ? from : before, "decoder.")));
  CHECK(same_tensors(part(after, "head."), part(before, "head.")));
  CHECK(part(after, "encoder.").count("encoder.level0a.norm.running_mean") == 1);
}

TEST_CASE("weights of another width are refused by name") {
  const TensorMap weights = cloned(named_tensors(Network(shape(2), Rng(1))));
  Network network(shape(4), Rng(1));
  const Error error =
      nn_test::error_of([&] { transfer_weights(weights, Transfer::encoder, network); });
  CHECK(error.code() == ExitCode::data_invalid);
  CHECK_THAT(error.what(), Catch::Contains("encoder.level0a"));
}

TEST_CASE(
    "batch statistics at evaluation make a prediction depend on its batch, running ones do not") {
  const bool batch = GENERATE(true, false);
  UNetOptions options = shape(2);
  options.batch_statistics = batch;
  Network network(options, Rng(0));
  network.eval();
  const torch::NoGradGuard no_grad;
  const torch::Tensor first = torch::rand({1, 1, 16, 16, 16});
  const torch::Tensor both = torch::cat({first, 3 * torch::rand({1, 1, 16, 16, 16})});
  const TensorMap before = cloned(named_tensors(network));
  const torch::Tensor alone = network.forward(first)[0];
  const torch::Tensor together = network.forward(both)[0];
  // Tolerance: convolution kernels for one and for two samples sum in different orders.
  CHECK(torch::allclose(alone, together, 1e-4, 1e-5) == !batch);
  CHECK(same_tensors(before, named_tensors(network)));
}

TEST_CASE("tensors survive a file, and a damaged one is named") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "weights.pt";
  const TensorMap tensors = cloned(named_tensors(Network(shape(2), Rng(4))));
  write_tensors(path, tensors);
  CHECK(same_tensors(read_tensors(path), tensors));
  const std::string bytes = read_file(path);
  write_tensors(path, tensors);
  CHECK(read_file(path) == bytes);  // exact: equal weights make equal files

  write_file_atomically(path, std::string_view(bytes).substr(0, bytes.size() / 2));
  const Error error = nn_test::error_of([&] { read_tensors(path); });
  CHECK(error.code() == ExitCode::data_invalid);
  CHECK_THAT(error.what(), Catch::Contains("weights.pt"));
}

TEST_CASE("unknown and absent devices are usage errors") {
  Compute compute;
  for (const char* name : {"gpu", "cuda:x", "cuda:63"}) {
    compute.device = name;
    CHECK(nn_test::error_of([&] { configure_compute(compute); }).code() == ExitCode::usage);
  }
}

TEST_CASE("the environment names the library, its devices and its determinism") {
  const Compute compute;
  configure_compute(compute);
  const ComputeEnvironment environment = compute_environment(compute);
  CHECK(environment.torch == TORCH_VERSION);
  CHECK(environment.devices.at(0) == "cpu");
  CHECK(environment.threads == 1);
  CHECK(environment.deterministic);
}

TEST_CASE("what LibTorch throws becomes an error of ours that says what was being done") {
  const Error error = nn_test::error_of([] {
    with_torch_errors("adding shapes that do not fit",
                      [] { return torch::ones({2}) + torch::ones({3}); });
  });
  CHECK(error.code() == ExitCode::internal);
  CHECK_THAT(error.what(), Catch::StartsWith("adding shapes that do not fit failed: "));
}

}  // namespace sar::network_test
