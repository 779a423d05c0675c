#include "experiments/status.h"

#include "experiments/progress.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <vector>

namespace sar {
namespace {

using Lines = std::vector<std::string>;

/// "2024-05-01T10:00:00Z"
std::optional<std::chrono::system_clock::time_point> utc_time(const std::string& text) {
  std::tm parts{};
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) == nullptr) {
    return std::nullopt;
  }
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

/// Control characters (of a reason, say) would move the cursor: blanks instead.
std::string harmless(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return text;
}

std::string bar(double fraction, int width) {
  const int filled = std::clamp(static_cast<int>(fraction * width), 0, width);
  std::string text;
  for (int i = 0; i < width; ++i) {
    text += i < filled ? "█" : "░";
  }
  return text;
}

std::string painted(const std::string& text, const char* code, bool color) {
  return color ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

/// "table2, profile quick, phantom data"
std::string what_runs(const Json& state) {
  std::string text =
      fmt::format("{}", fmt::join(state.value("experiments", std::vector<std::string>{}), ", "));
  for (const auto& [key, before, after] :
       {std::tuple{"profile", "profile ", ""}, std::tuple{"data_kind", "", " data"}}) {
    if (const std::string value = state.value(key, ""); !value.empty()) {
      text += (text.empty() ? "" : ", ") + (before + value) + after;
    }
  }
  return text;
}

/// "58 %, 24 of 40 nodes, 3 min 20 s since the start, about 2 min 05 s left"
std::string how_far(const Json& state) {
  const double fraction = state.value("fraction", 0.0);
  const double elapsed = state.value("elapsed_s", 0.0);
  std::string text = fmt::format("{:.0f} %, {} of {} nodes, {} since the start",
                                 100 * fraction,
                                 state.value("nodes_done", 0),
                                 state.value("nodes_wanted", 0),
                                 format_duration(elapsed));
  if (state.value("state", "") == "running" && fraction > 0.01) {
    text += ", about " + format_duration(elapsed * (1 - fraction) / fraction) + " left";
  }
  return text;
}

Lines kinds_of(const Json& state, std::size_t width) {
  std::string line = "nodes    ";
  Lines lines;
  const Json kinds = state.value("kinds", Json::object());
  for (const auto& [kind, count] : kinds.items()) {
    const int failed = count.value("failed", 0);
    const std::string item = fmt::format("{} {}/{}{}",
                                         kind,
                                         count.value("done", 0),
                                         count.value("planned", 0),
                                         failed > 0 ? fmt::format(" ({} failed)", failed) : "");
    if (!line.ends_with(' ') && display_width(line) + 2 + item.size() > width) {
      lines.push_back(std::exchange(line, "         "));
    }
    line += (line.ends_with(' ') ? "" : "  ") + item;
  }
  if (!line.ends_with(' ')) {
    lines.push_back(line);
  }
  return lines;
}

Lines workers_of(const Json& state, std::size_t width) {
  Lines lines;
  Json workers = state.value("workers", Json::array());
  if (workers.empty()) {  // as runs of an earlier version wrote it
    const Json running = state.value("running", Json::object());
    for (const auto& [label, fraction] : running.items()) {
      workers.push_back({{"label", label}, {"fraction", fraction}});
    }
  }
  std::size_t longest = 0;
  for (const Json& worker : workers) {
    longest = std::max(longest, display_width(worker.value("label", "")));
  }
  const std::size_t room = std::min(longest, width > 50 ? width - 42 : std::size_t{8});
  for (const Json& worker : workers) {
    const std::string label = cut_to(worker.value("label", ""), room);
    const double fraction = worker.value("fraction", 0.0);
    lines.push_back(fmt::format("{}{}{} {} {:3.0f} %{}",
                                lines.empty() ? "now      " : "         ",
                                label,
                                std::string(room - display_width(label), ' '),
                                bar(fraction, 10),
                                100 * fraction,
                                worker.contains("seconds")
                                    ? "  " + format_duration(worker.at("seconds").get<double>())
                                    : ""));
  }
  return lines;
}

/// One line per failure; cells that are stored as failed, else what the run itself says.
Lines failures_of(const Json& state) {
  Lines lines;
  for (const Json& cell : state.value("failed", Json::array())) {
    const std::string fraction = cell.value("fraction", "1");
    lines.push_back(fmt::format("failed   {} {}{} trial {}: {}",
                                cell.value("method", ""),
                                cell.value("task", ""),
                                fraction == "1" ? "" : " " + fraction,
                                cell.value("trial", 0),
                                cell.value("reason", "")));
  }
  if (lines.empty()) {
    for (const Json& node : state.value("failures", Json::array())) {
      lines.push_back(
          fmt::format("failed   {}: {}", node.value("label", ""), node.value("reason", "")));
    }
  }
  return lines;
}

}  // namespace

Json judged_status(Json state, std::chrono::system_clock::time_point now, bool process_is_gone) {
  const auto seen = utc_time(state.value("updated", ""));
  const auto silent = seen ? std::max(std::chrono::seconds{0},
                                      std::chrono::duration_cast<std::chrono::seconds>(now - *seen))
                           : std::chrono::seconds{0};
  if (state.value("state", "") == "running") {
    if (process_is_gone) {
      state["state"] = "stopped without finishing";
    } else if (silent > kSilence) {
      state["state"] = "not heard of";
    }
  }
  state["silent_s"] = silent.count();
  return state;
}

std::string status_text(const Json& state, const StatusLook& look) {
  const std::string how = state.value("state", "unknown");
  const std::string doing = what_runs(state);
  const bool running = how == "running";
  Lines head{how + (doing.empty() ? "" : ": " + doing)};
  head.push_back(how_far(state));
  Lines cells;
  if (const Json count = state.value("cells", Json()); count.is_object()) {
    cells.push_back(fmt::format("cells    {} of {} done, {} failed",
                                count.value("done", 0),
                                count.value("planned", 0),
                                count.value("failed", 0)));
  }
  Lines kinds = kinds_of(state, look.width);
  Lines workers = running ? workers_of(state, look.width) : Lines{};
  Lines failures = failures_of(state);
  Lines foot{fmt::format("protocol {}, process {} on {}",
                         state.value("protocol", ""),
                         state.value("pid", 0),
                         state.value("host", ""))};
  foot.push_back(fmt::format("last seen {}, {} ago",
                             state.value("updated", ""),
                             format_duration(state.value("silent_s", 0.0))));
  if (how == "not heard of") {
    foot.push_back("its host is down, cut off, or the process is stopped; run again to resume");
  } else if (how == "stopped without finishing" || how == "interrupted") {
    foot.push_back("run the same command again to resume");
  }

  const std::size_t bar_width = std::min<std::size_t>(look.width > 20 ? look.width - 20 : 8, 60);
  if (look.height > 0) {
    // The bar takes a line of its own; failures give way first, then workers, then kinds.
    head.insert(head.begin() + 1, bar(state.value("fraction", 0.0), static_cast<int>(bar_width)));
    for (auto [lines, least] : {std::pair{&failures, std::size_t{1}},
                                std::pair{&workers, std::size_t{1}},
                                std::pair{&kinds, std::size_t{0}},
                                std::pair{&workers, std::size_t{0}},
                                std::pair{&failures, std::size_t{0}},
                                std::pair{&cells, std::size_t{0}}}) {
      const std::size_t total = head.size() + cells.size() + kinds.size() + workers.size() +
                                failures.size() + foot.size();
      const std::size_t excess = total > look.height ? total - look.height : 0;
      if (excess == 0 || lines->size() <= least) {
        continue;
      }
      const std::size_t all = lines->size();
      const std::size_t left = std::max(least, all - std::min(all, excess));
      lines->resize(left);
      if (left > 0 && left < all && lines != &kinds) {  // the last line counts what is not shown
        lines->back() =
            fmt::format("{} {} more{}",
                        lines == &failures ? "failed  " : "        ",
                        all - left + 1,
                        lines == &failures ? "; sar-bench status --once lists them" : " workers");
      }
    }
  }
  Lines all;
  for (const Lines* part : {&head, &cells, &kinds, &workers, &failures, &foot}) {
    all.insert(all.end(), part->begin(), part->end());
  }
  if (look.height > 0 && all.size() > look.height) {
    all.resize(look.height);
  }
  std::string text;
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::string line = harmless(all[i]);
    if (look.height > 0) {
      line = cut_to(line, look.width);
    }
    const bool is_bar = look.height > 0 && i == 1;
    const bool failure = line.starts_with("failed ");
    text += (i == 0    ? painted(line, running || how == "finished" ? "1" : "1;33", look.color)
             : is_bar  ? painted(line, "36", look.color)
             : failure ? painted(line, "31", look.color)
                       : line) +
            "\n";
  }
  return text;
}

}  // namespace sar
