#include "harness/nn/torch/flop_counter.h"

#include "harness/nn/torch/runtime.h"
#include "tests/nn/torch_catch.h"

namespace sar::flop_counter_test {

TEST_CASE("matrix products count two operations for each multiply-accumulate, in both directions") {
  const torch::Tensor left = torch::rand({2, 3});
  const torch::Tensor right = torch::rand({3, 4}).requires_grad_();
  const FlopCounter counter;
  CHECK(counter.count() == 0);
  const torch::Tensor product = left.mm(right);
  CHECK(counter.count() == 2 * 24);
  product.sum().backward();  // of the right factor alone
  CHECK(counter.count() == 2 * 48);
  torch::addmm(torch::rand({4}), left, right.detach());
  CHECK(counter.count() == 2 * 72);
  torch::bmm(torch::rand({5, 2, 3}), torch::rand({5, 3, 4}));
  CHECK(counter.count() == 2 * (72 + 120));
}

TEST_CASE("what autocast runs in another type counts once") {
  const torch::Tensor left = torch::rand({2, 3});
  const torch::Tensor right = torch::rand({3, 4});
  const FlopCounter counter;
  {
    const AutocastScope autocast(true, torch::kCPU);
    CHECK(torch::mm(left, right).scalar_type() == torch::kBFloat16);
  }
  CHECK(counter.count() == 2 * 24);
}

TEST_CASE("a new counter begins at zero, and operations without one are free") {
  const torch::Tensor square = torch::rand({4, 4});
  {
    const FlopCounter counter;
    square.mm(square);
    CHECK(counter.count() == 2 * 64);
  }
  square.mm(square);
  const FlopCounter counter;
  CHECK(counter.count() == 0);
}

TEST_CASE("a strided convolution costs by what it makes, a transposed one by what it reads") {
  const torch::Tensor image = torch::rand({1, 2, 8, 8, 8});
  const FlopCounter counter;
  const torch::Tensor small = torch::conv3d(image, torch::rand({3, 2, 3, 3, 3}), {}, 2, 1);
  CHECK(small.sizes() == at::IntArrayRef{1, 3, 4, 4, 4});
  CHECK(counter.count() == 2.0 * 3 * 64 * 2 * 27);
  torch::conv_transpose3d(small, torch::rand({3, 5, 2, 2, 2}), {}, 2);
  CHECK(counter.count() == 2.0 * (3 * 64 * 2 * 27 + 3 * 64 * 5 * 8));
}

}  // namespace sar::flop_counter_test
