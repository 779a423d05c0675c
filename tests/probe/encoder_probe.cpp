// What an encoder's features tell, by a linear probe: are they better than those of random weights?
//
//   sar_encoder_probe BASE_CHANNELS WEIGHTS...
//   sar_encoder_probe moved FROM TO
//
// WEIGHTS are files that a pre-training wrote, or "random:SEED". Each cube of phantom patients goes
// through the encoder; the means over space of its four levels are the features. A linear
// classifier (ridge regression on one-hot labels) is fitted on two patients of three and judged on
// the third. BatchNorm takes the statistics of the batch, since random weights have no others.
// Three questions: the scale that a cube was cut at, CT or MRI, and whether a patch of a brain
// holds tumour.
//
// "moved" says how far a training took each level's kernels from where they started: the norm of
// the difference as a share of the norm at the start.

#include "datasets/phantom.h"
#include "harness/core/error.h"
#include "harness/core/rng.h"
#include "harness/nn/torch/runtime.h"
#include "harness/nn/torch/unet.h"
#include "harness/volume/cube_generator.h"
#include "harness/volume/pieces.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace sar {
namespace {

constexpr Size3 kShape{32, 32, 16};
constexpr int kPatients = 24;  // of each data set, and more brains
constexpr int kBrains = 96;
constexpr int kCubesOfPatient = 4;  // of each scale, and of patches with tumour and without
constexpr double kRidge = 0.01;     // relative to the number of cubes

struct Example {
  Block block;
  int label = 0;
  bool held_out = false;
};

struct Question {
  std::string name;
  int labels = 2;
  std::vector<Example> examples;
};

/// Least and largest value become 0 and 1.
void normalise(Volume& volume) {
  const auto [low, high] = std::minmax_element(volume.voxels.begin(), volume.voxels.end());
  const float least = *low;
  const float range = std::max(*high - least, 1e-6F);
  for (float& value : volume.voxels) {
    value = (value - least) / range;
  }
}

bool holds_tumour(const LabelMap& label, const Box& box) {
  const Size3& n = label.geometry.size;
  for (int z = box.origin[2]; z < box.origin[2] + box.size[2]; ++z) {
    for (int y = box.origin[1]; y < box.origin[1] + box.size[1]; ++y) {
      for (int x = box.origin[0]; x < box.origin[0] + box.size[0]; ++x) {
        if (label.voxels[static_cast<std::size_t>((z * n[1] + y) * n[0] + x)] != 0) {
          return true;
        }
      }
    }
  }
  return false;
}

/// As many patches with tumour as without, each at a place of its own.
void add_patches(
    const PhantomCase& patient, const Volume& image, bool held_out, Rng rng, Question& to) {
  constexpr int kMostDraws = 2000;
  std::array<int, 2> missing{kCubesOfPatient, kCubesOfPatient};
  for (int draw = 0; draw < kMostDraws && missing[0] + missing[1] > 0; ++draw) {
    Box box{{}, {16, 16, 8}};
    bool room = true;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      room = room && image.geometry.size[axis] >= box.size[axis];
      if (room) {
        box.origin[axis] = rng.between(0, image.geometry.size[axis] - box.size[axis]);
      }
    }
    const auto label = static_cast<std::size_t>(room && holds_tumour(patient.label, box));
    if (room && missing[label] > 0) {
      --missing[label];
      to.examples.push_back(
          {resized(crop(image, box, 0), kShape), static_cast<int>(label), held_out});
    }
  }
}

std::vector<Question> questions() {
  std::vector<Question> all{{"scale", 3, {}}, {"CT or MRI", 2, {}}, {"tumour or not", 2, {}}};
  PhantomOptions options;
  CubeOptions cubes;
  cubes.shape = kShape;
  std::uint64_t set = 0;
  for (const std::string dataset : {"luna", "lits", "heart", "brats"}) {
    ++set;
    for (int index = 0; index < (dataset == "brats" ? kBrains : kPatients); ++index) {
      PhantomCase patient = make_phantom_case(dataset, 1000 + index, options);
      Volume& image =
          dataset == "brats" ? patient.images.at("flair") : patient.images.begin()->second;
      normalise(image);
      const bool held_out = index % 3 == 0;
      const auto number = static_cast<std::uint64_t>(index);
      const bool ct = dataset == "luna" || dataset == "lits";
      for (const Scale scale : kScales) {
        if (index >= kPatients) {
          break;  // the further brains are for the third question
        }
        const auto at = static_cast<std::uint64_t>(scale);
        for (int i = 0; i < kCubesOfPatient; ++i) {
          const Rng rng =
              Rng(2).at(purpose::cube, {set, number, at, static_cast<std::uint64_t>(i)});
          const Cube cube = draw_cube(image, scale, cubes, rng);
          all[0].examples.push_back({cube.block, static_cast<int>(at), held_out});
          all[1].examples.push_back({cube.block, int{ct}, held_out});
        }
      }
      if (dataset == "brats") {
        add_patches(patient, image, held_out, Rng(1).at(purpose::patch, {number}), all[2]);
      }
    }
  }
  return all;
}

/// (examples, 30 b): means over space of the four levels.
torch::Tensor features(Network& network, const std::vector<Example>& examples) {
  constexpr std::size_t kBatch = 48;
  const torch::NoGradGuard no_grad;
  network.eval();
  // Batches that mix what the list has in order.
  std::vector<std::size_t> order;
  for (const std::uint32_t at : Rng(3).permutation(static_cast<std::uint32_t>(examples.size()))) {
    order.push_back(at);
  }
  std::vector<torch::Tensor> rows(examples.size());
  for (std::size_t begin = 0; begin < order.size(); begin += kBatch) {
    const std::size_t end = std::min(order.size(), begin + kBatch);
    std::vector<Block> blocks;
    for (std::size_t i = begin; i < end; ++i) {
      blocks.push_back(examples[order[i]].block);
    }
    std::vector<torch::Tensor> levels;
    for (const torch::Tensor& level : network.encoder(tensor_of(blocks))) {
      levels.push_back(level.mean({2, 3, 4}));
    }
    const torch::Tensor means = torch::cat(levels, 1);
    for (std::size_t i = begin; i < end; ++i) {
      rows[order[i]] = means[static_cast<std::int64_t>(i - begin)];
    }
  }
  return torch::stack(rows).to(torch::kFloat64);
}

/// Share of held-out examples whose label the classifier tells. Features are standardised by the
/// others.
double accuracy(const torch::Tensor& all, const Question& question) {
  std::vector<std::int64_t> fitted;
  std::vector<std::int64_t> judged;
  torch::Tensor wanted = torch::zeros({all.size(0), question.labels}, torch::kFloat64);
  for (std::size_t i = 0; i < question.examples.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    (question.examples[i].held_out ? judged : fitted).push_back(at);
    wanted[at][question.examples[i].label] = 1;
  }
  const torch::Tensor train = torch::tensor(fitted);
  const torch::Tensor test = torch::tensor(judged);
  const torch::Tensor known = all.index_select(0, train);
  const torch::Tensor mean = known.mean(0);
  const torch::Tensor deviation = known.std(0).clamp_min(1e-8);
  const auto with_bias = [&](const torch::Tensor& rows) {
    const torch::Tensor scaled = (rows - mean) / deviation;
    return torch::cat({scaled, torch::ones({rows.size(0), 1}, torch::kFloat64)}, 1);
  };
  const torch::Tensor x = with_bias(known);
  const torch::Tensor gram = x.t().mm(x) + torch::eye(x.size(1), torch::kFloat64) *
                                               (kRidge * static_cast<double>(x.size(0)));
  const torch::Tensor weights = torch::linalg_solve(gram, x.t().mm(wanted.index_select(0, train)));
  const torch::Tensor told = with_bias(all.index_select(0, test)).mm(weights).argmax(1);
  const torch::Tensor truth = wanted.index_select(0, test).argmax(1);
  return told.eq(truth).to(torch::kFloat64).mean().item<double>();
}

int run(int base_channels, const std::vector<std::string>& weights) {
  const std::vector<Question> all = questions();
  std::cout << fmt::format("{:<44}", "share told right on held-out patients");
  for (const Question& question : all) {
    std::cout << fmt::format("{:>16}", question.name);
  }
  std::cout << '\n' << fmt::format("{:<44}", "guessing");
  for (const Question& question : all) {
    std::cout << fmt::format("{:>16.3f}", 1.0 / question.labels);
  }
  std::cout << std::endl;
  for (const std::string& name : weights) {
    constexpr std::string_view kRandom = "random:";
    const bool random = name.starts_with(kRandom);
    UNetOptions options;
    options.base_channels = base_channels;
    options.classes = 1;
    options.batch_statistics = true;
    Network network(options, Rng(random ? std::stoull(name.substr(kRandom.size())) : 0));
    if (!random) {
      transfer_weights(read_tensors(name), Transfer::encoder, network);
    }
    std::cout << fmt::format("{:<44}",
                             name.size() > 42 ? "…" + name.substr(name.size() - 41) : name);
    for (const Question& question : all) {
      std::cout << fmt::format("{:>16.3f}",
                               accuracy(features(network, question.examples), question));
    }
    std::cout << std::endl;
  }
  return 0;
}

int moved(const std::string& from, const std::string& to) {
  const TensorMap start = read_tensors(from);
  const TensorMap end = read_tensors(to);
  struct Sums {
    double start = 0, end = 0, difference = 0;
  };
  std::map<std::string, Sums> levels;
  for (const auto& [name, before] : start) {
    const auto after = end.find(name);
    if (before.dim() != 5 || after == end.end() || after->second.sizes() != before.sizes()) {
      continue;  // kernels alone
    }
    // "encoder.level2a.conv.weight" is of "encoder.level2", "head.weight" of "head".
    const std::size_t digit = name.find_first_of("0123456789");
    Sums& sums = levels[name.substr(0, digit < name.size() ? digit + 1 : name.find('.'))];
    sums.start += before.to(torch::kFloat64).pow(2).sum().item<double>();
    sums.end += after->second.to(torch::kFloat64).pow(2).sum().item<double>();
    sums.difference += (after->second - before).to(torch::kFloat64).pow(2).sum().item<double>();
  }
  std::cout << fmt::format("{:<20}{:>10}{:>10}{:>10}\n", "kernels", "start", "end", "moved");
  for (const auto& [name, sums] : levels) {
    std::cout << fmt::format("{:<20}{:>10.2f}{:>10.2f}{:>9.0f}%\n",
                             name,
                             std::sqrt(sums.start),
                             std::sqrt(sums.end),
                             100 * std::sqrt(sums.difference / sums.start));
  }
  return 0;
}

}  // namespace
}  // namespace sar

int main(int count, char** arguments) {
  try {
    if (count < 3) {
      std::cerr << "usage: sar_encoder_probe BASE_CHANNELS WEIGHTS|random:SEED...\n"
                   "       sar_encoder_probe moved FROM TO\n";
      return 2;
    }
    if (count == 4 && arguments[1] == std::string("moved")) {
      return sar::moved(arguments[2], arguments[3]);
    }
    return sar::run(std::stoi(arguments[1]), {arguments + 2, arguments + count});
  } catch (const std::exception& error) {
    std::cerr << "sar_encoder_probe: " << error.what() << '\n';
    return 1;
  }
}
