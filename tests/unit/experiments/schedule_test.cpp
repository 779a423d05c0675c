#include "experiments/schedule.h"

#include <catch2/catch.hpp>

#include <algorithm>

namespace {

using sar::ExpectedSeconds;
using sar::Json;
using sar::NodeRow;
using sar::NodeState;
using sar::WorkItem;
using sar::WorkQueue;
using sar::WorkState;
using Positions = std::vector<std::size_t>;

/// Runs a queue on made-up workers that take each item's expected seconds.
struct Simulation {
  WorkQueue queue;
  int workers = 2;
  Positions order;           ///< as started
  std::vector<double> ends;  ///< of each worker's last item

  void run() {
    struct Busy {
      double until = 0;
      std::optional<std::size_t> item;
    };
    std::vector<Busy> all(static_cast<std::size_t>(workers));
    double now = 0;
    while (true) {
      for (Busy& worker : all) {
        if (worker.item) {
          continue;
        }
        if (const auto item = queue.next()) {
          queue.start(*item);
          order.push_back(*item);
          worker = {now + queue.seconds(*item), item};
        }
      }
      const auto first = std::ranges::min_element(
          all, {}, [](const Busy& each) { return each.item ? each.until : 1e300; });
      if (!first->item) {
        break;
      }
      now = first->until;
      queue.finish(*first->item);
      first->item.reset();
    }
    for (const Busy& worker : all) {
      ends.push_back(worker.until);
    }
  }
};

TEST_CASE("the item with the longest chain behind it starts first, so that workers end together",
          "[schedule]") {
  // Four short independent items, and a chain 4 → 5 → 6 that the plan lists after them.
  Simulation simulation{WorkQueue({{{}, 3, WorkState::waiting},
                                   {{}, 3, WorkState::waiting},
                                   {{}, 3, WorkState::waiting},
                                   {{}, 3, WorkState::waiting},
                                   {{}, 2, WorkState::waiting},
                                   {{4}, 4, WorkState::waiting},
                                   {{5}, 6, WorkState::waiting}}),
                        2,
                        {},
                        {}};
  simulation.run();
  CHECK(simulation.order == Positions{4, 0, 5, 1, 6, 2, 3});
  // In the order of the plan the chain would begin at 6 and end at 18.
  CHECK(simulation.ends == std::vector<double>{12, 12});
}

TEST_CASE("items that are equal start in the order of the plan", "[schedule]") {
  Simulation simulation{WorkQueue({{{}, 1, WorkState::waiting},
                                   {{}, 1, WorkState::waiting},
                                   {{0}, 1, WorkState::waiting},
                                   {{1}, 1, WorkState::waiting}}),
                        1,
                        {},
                        {}};
  simulation.run();
  CHECK(simulation.order == Positions{0, 1, 2, 3});
}

TEST_CASE("an item starts once all that it needs is done", "[schedule]") {
  WorkQueue queue({{{}, 1, WorkState::done},
                   {{}, 1, WorkState::waiting},
                   {{}, 1, WorkState::waiting},
                   {{0, 1, 2}, 1, WorkState::waiting},
                   {{0}, 9, WorkState::idle}});
  CHECK(queue.next() == 1);
  CHECK(queue.next({1}) == 2);
  CHECK_FALSE(queue.next({1, 2}));
  queue.start(1);
  queue.start(2);
  CHECK_FALSE(queue.next());
  queue.finish(1);
  CHECK_FALSE(queue.next());
  queue.put_back(2);
  CHECK(queue.next() == 2);
  queue.finish(2);  // by another process: it was never started here
  CHECK(queue.next() == 3);
  queue.start(3);
  queue.finish(3);
  CHECK_FALSE(queue.next());  // nobody asked for the last one
  CHECK(queue.state(4) == WorkState::idle);
}

TEST_CASE("work that is done or not asked for lengthens no chain", "[schedule]") {
  const WorkQueue queue({{{}, 1, WorkState::waiting},
                         {{}, 2, WorkState::waiting},
                         {{0}, 50, WorkState::idle},
                         {{0}, 50, WorkState::done}});
  CHECK(queue.next() == 1);
}

TEST_CASE("a failure reaches all that depends on it, and nothing else", "[schedule]") {
  using Lost = std::vector<std::pair<std::size_t, std::size_t>>;
  WorkQueue queue({{{}, 1, WorkState::waiting},
                   {{}, 1, WorkState::waiting},
                   {{0}, 1, WorkState::waiting},
                   {{1, 2}, 1, WorkState::waiting},
                   {{1}, 1, WorkState::waiting}});
  queue.start(0);
  queue.fail(0);
  CHECK(queue.take_lost() == Lost{{2, 0}, {3, 2}});
  CHECK(queue.take_lost().empty());
  CHECK(queue.state(3) == WorkState::failed);
  CHECK(queue.next() == 1);
  queue.start(1);
  queue.finish(1);
  CHECK(queue.next() == 4);
}

TEST_CASE("work that waits for a stored failure is lost from the start", "[schedule]") {
  using Lost = std::vector<std::pair<std::size_t, std::size_t>>;
  WorkQueue queue({{{}, 1, WorkState::failed}, {{0}, 1, WorkState::waiting}});
  CHECK(queue.take_lost() == Lost{{1, 0}});
  CHECK_FALSE(queue.next());
}

NodeRow measured(const std::string& kind, Json inputs, double seconds) {
  NodeRow row;
  row.kind = kind;
  row.inputs = std::move(inputs);
  row.state = NodeState::done;
  row.seconds = seconds;
  return row;
}

TEST_CASE("a node is expected to take as long as those like it did", "[schedule]") {
  NodeRow failed = measured("finetune", {{"task", "brats"}}, 1000);
  failed.state = NodeState::failed;
  const ExpectedSeconds expected({measured("finetune", {{"task", "brats"}, {"seed", 1}}, 40),
                                  measured("finetune", {{"task", "brats"}, {"seed", 2}}, 60),
                                  measured("finetune", {{"task", "pancreas"}}, 110),
                                  failed});
  CHECK(expected.of("finetune", {{"task", "brats"}, {"seed", 3}}) == 50);
  CHECK(expected.of("finetune", {{"task", "pancreas"}}) == 110);
  CHECK(expected.of("finetune", {{"task", "another"}}) == 70);  // mean of the kind
  // Weights of today in the unit of what was measured: 210 s were three times the weight 8.
  CHECK(expected.of("pretrain", {{"method", "sar"}}) == Approx(20 * 210.0 / 24));
}

TEST_CASE("without measurements the kinds keep their weights", "[schedule]") {
  const ExpectedSeconds expected({});
  CHECK(expected.of("pretrain", Json::object()) > expected.of("finetune", Json::object()));
  CHECK(expected.of("finetune", Json::object()) > expected.of("evaluate", Json::object()));
}

}  // namespace
