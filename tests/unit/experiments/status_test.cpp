#include "experiments/status.h"

#include "results/text/layout.h"

#include <catch2/catch.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace {

using sar::Json;
using sar::StatusLook;
using std::chrono::seconds;
using std::chrono::system_clock;

// 2024-05-01T10:00:00Z, by `date -u -d 2024-05-01T10:00:00Z +%s`.
const system_clock::time_point kSeen = system_clock::from_time_t(1714557600);

Json running_state() {
  return {{"state", "running"},
          {"pid", 4242},
          {"host", "node1"},
          {"updated", "2024-05-01T10:00:00Z"},
          {"protocol", "080f6ffcdd1768de3380"},
          {"profile", "quick"},
          {"data_kind", "phantom"},
          {"experiments", Json::array({"table2"})},
          {"nodes_done", 24},
          {"nodes_wanted", 40},
          {"fraction", 0.25},
          {"elapsed_s", 100.0},
          {"kinds",
           {{"cubes", {{"done", 5}, {"planned", 5}, {"failed", 0}}},
            {"finetune", {{"done", 12}, {"planned", 90}, {"failed", 2}}}}},
          {"cells", {{"done", 11}, {"planned", 90}, {"failed", 2}}},
          {"workers",
           Json::array({{{"label", "pretrain sar"}, {"fraction", 0.7}, {"seconds", 62.0}},
                        {{"label", "finetune scratch brats 1/2 trial 3"}, {"fraction", 0.05}}})},
          {"failed",
           Json::array({{{"method", "rpl"},
                         {"task", "brats"},
                         {"fraction", "1/2"},
                         {"trial", 3},
                         {"reason", "the loss is not a number"}}})}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

Json judged(bool gone, seconds later, Json state = running_state()) {
  return sar::judged_status(std::move(state), kSeen + later, gone);
}

TEST_CASE("a run is told from one that stopped, on its own host and from another") {
  CHECK(judged(false, seconds{2}).at("state") == "running");
  CHECK(judged(true, seconds{2}).at("state") == "stopped without finishing");
  // Its process cannot be asked from another host: silence tells.
  CHECK(judged(false, sar::kSilence).at("state") == "running");
  CHECK(judged(false, sar::kSilence + seconds{1}).at("state") == "not heard of");
  // A clock that is behind is not silence.
  const Json early = judged(false, seconds{-3600});
  CHECK(early.at("state") == "running");
  CHECK(early.at("silent_s") == 0);
  CHECK(judged(false, seconds{75}).at("silent_s") == 75);
  // What ended is not judged again.
  Json ended = running_state();
  for (const char* state : {"finished", "interrupted"}) {
    ended["state"] = state;
    CHECK(judged(true, seconds{99999}, ended).at("state") == state);
  }
}

TEST_CASE("the state names progress, cells, kinds of work, workers and failures with reasons") {
  const std::string text = sar::status_text(judged(false, seconds{2}), {});
  for (const char* part : {"running: table2, profile quick, phantom data",
                           "25 %, 24 of 40 nodes, 1 min 40 s since the start",
                           "about 5 min 00 s left",  // 100 s for a quarter: 300 s for the rest
                           "11 of 90 done, 2 failed",
                           "cubes 5/5",
                           "finetune 12/90 (2 failed)",
                           "pretrain sar",
                           "70 %  1 min 02 s",
                           "finetune scratch brats 1/2 trial 3",
                           "rpl brats 1/2 trial 3: the loss is not a number",
                           "protocol 080f6ffcdd1768de3380, process 4242 on node1",
                           "last seen 2024-05-01T10:00:00Z, 2 s ago"}) {
    CHECK_THAT(text, Catch::Contains(part));
  }
}

TEST_CASE("the state has no escape codes unless colour is asked for") {
  const Json state = judged(false, seconds{2});
  StatusLook look;
  CHECK(sar::status_text(state, look).find('\x1b') == std::string::npos);
  look.height = 24;
  CHECK(sar::status_text(state, look).find('\x1b') == std::string::npos);
  look.color = true;
  CHECK(sar::status_text(state, look).find("\x1b[1m") != std::string::npos);
}

TEST_CASE("a view keeps within the terminal, and failures give way before workers") {
  Json state = judged(false, seconds{2});
  for (int i = 0; i < 30; ++i) {
    state["failed"].push_back({{"method", "rpl"},
                               {"task", "brats"},
                               {"trial", i},
                               {"reason", "a very long reason ± " + std::string(100, 'x')}});
    state["workers"].push_back({{"label", "finetune " + std::to_string(i)}, {"fraction", 0.5}});
  }
  for (const std::size_t width : {20U, 40U, 79U, 132U}) {
    for (const std::size_t height : {4U, 8U, 12U, 23U, 100U}) {
      INFO(width << " x " << height);
      const auto lines = lines_of(sar::status_text(state, {width, height, false}));
      CHECK(lines.size() <= height);
      for (const auto& line : lines) {
        CHECK(sar::display_width(line) <= width);
      }
      CHECK_THAT(lines.front(), Catch::StartsWith("running"));
    }
  }
  const std::string text = sar::status_text(state, {79, 45, false});
  CHECK_THAT(text, Catch::Contains("finetune 29"));  // every worker
  CHECK_THAT(text, Catch::Contains("more; sar-bench status --once lists them"));
  CHECK_THAT(sar::status_text(state, {79, 16, false}), Catch::Contains("more workers"));
}

TEST_CASE("without a limit every failure is there in full") {
  Json state = judged(false, seconds{2});
  const std::string reason(300, 'x');
  state["failed"][0]["reason"] = reason;
  CHECK_THAT(sar::status_text(state, {}), Catch::Contains(reason));
}

TEST_CASE("a reason cannot move the cursor") {
  Json state = judged(false, seconds{2});
  state["failed"][0]["reason"] = "\x1b[2J\r\nand more";
  const std::string text = sar::status_text(state, {79, 23, false});
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\r') == std::string::npos);
  CHECK(sar::status_text(state, {}).find('\x1b') == std::string::npos);
}

TEST_CASE("a run that stopped shows no workers, no time left and how to go on") {
  const std::string text = sar::status_text(judged(true, seconds{2}), {});
  CHECK_THAT(text, Catch::StartsWith("stopped without finishing"));
  CHECK_THAT(text, !Catch::Contains("left"));
  CHECK_THAT(text, !Catch::Contains("pretrain sar"));
  CHECK_THAT(text, Catch::Contains("run the same command again to resume"));
}

TEST_CASE("a state that an earlier version wrote is shown as far as it goes") {
  const Json old{{"state", "running"},
                 {"pid", 1},
                 {"host", "vm"},
                 {"updated", "2024-05-01T10:00:00Z"},
                 {"protocol", "080f"},
                 {"nodes_done", 1},
                 {"nodes_wanted", 2},
                 {"fraction", 0.5},
                 {"elapsed_s", 3.0},
                 {"running", {{"cubes of luna", 0.5}}}};
  const std::string text = sar::status_text(judged(false, seconds{1}, old), {80, 24, false});
  CHECK_THAT(text, Catch::Contains("cubes of luna"));
  CHECK_THAT(text, !Catch::Contains("cells"));
}

}  // namespace
