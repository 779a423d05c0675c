#include "results/comparison/baseline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

// The gate's report as text, Markdown, JSON and JUnit XML.

namespace sar {
namespace {

const std::vector<std::string> kShownEnvironment = {
    "commit", "device", "machine", "threads", "torch", "itk", "determinism"};

std::string joined_values(const Environment& environment, const std::string& field) {
  const auto found = environment.find(field);
  if (found == environment.end() || found->second.empty()) {
    return "unknown";
  }
  std::string text;
  for (const std::string& value : found->second) {
    text += (text.empty() ? "" : " | ") + value;
  }
  return text;
}

std::string comma_list(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

/// One line that says what came out.
std::string gate_headline(const GateReport& report) {
  std::string text = fmt::format("{}: {} of {} cells failed, {} passed, {} undecided",
                                 to_string(report.verdict),
                                 report.count(GateVerdict::failed),
                                 report.cells.size(),
                                 report.count(GateVerdict::passed),
                                 report.count(GateVerdict::undecided));
  if (report.protocol_changed) {
    text =
        fmt::format("{}: the protocol changed, so nothing was compared", to_string(report.verdict));
  }
  return text;
}

/// What to do now; empty if the gate passed.
std::string gate_advice(const GateReport& report) {
  if (report.protocol_changed) {
    return report.changes.empty()
               ? "No stored field differs: what brats.split_file lists does. Save a new baseline "
                 "if that was meant."
               : "Take the change back, or save a new baseline if it was meant: sar-bench baseline "
                 "save.";
  }
  if (report.determinism_lost) {
    return "In the same environment the baseline's program promised equal bits, and this one does "
           "not: what made it lose that has to be found before equal numbers can mean anything.";
  }
  const bool other_bits = std::ranges::any_of(report.cells, [](const GateCell& each) {
    return each.verdict == GateVerdict::failed && each.rule == GateRule::bit_exact;
  });
  if (other_bits) {
    return "Environment and protocol are the same, so code that moves numbers has changed without "
           "a new numerics version. If that was meant, raise kNumericsVersion "
           "(harness/nn/training.h) and save a new baseline; --statistical asks whether the change "
           "loses more than the margin.";
  }
  if (report.verdict == GateVerdict::failed) {
    return "A loss beyond the margin is shown. If it was meant, save a new baseline.";
  }
  const std::string cause = report.cause();
  if (cause == "failed") {
    return "Trials of the baseline's cells ran and failed, which is no pass: sar-bench status says "
           "why; --only-failed tries them again.";
  }
  if (cause == "missing") {
    return "Run what is missing (baseline check --run), or look at why it failed (sar-bench "
           "status).";
  }
  if (cause == "few_trials") {
    return "Check in the baseline's environment, or save a baseline with three trials or more.";
  }
  if (cause == "noise") {
    return "Neither a loss nor its absence is shown with this many trials: more trials, or a wider "
           "margin, can decide (sar-bench power).";
  }
  return {};
}

std::string protocol_line(const ProtocolRow& protocol) {
  return fmt::format(
      "protocol {}, profile {}, {} data", protocol.protocol, protocol.profile, protocol.data_kind);
}

std::string environment_sentence(const GateReport& report) {
  return report.environment_differences.empty() ? "the same"
                                                : "differs in, or is not known to agree in: " +
                                                      comma_list(report.environment_differences);
}

std::string gate_mean(const Summary& summary) {
  return summary.n == 0 ? std::string("-")
         : summary.sd   ? fmt::format("{:.2f} ± {:.2f}", summary.mean, *summary.sd)
                        : fmt::format("{:.2f}", summary.mean);
}

/// Rows of the table of cells.
std::vector<std::vector<std::string>> gate_rows(const GateReport& report) {
  std::vector<std::vector<std::string>> rows;
  for (const GateCell& cell : report.cells) {
    std::vector<std::string> row{cell.name, gate_mean(cell.base), gate_mean(cell.now)};
    if (report.bit_exact) {
      row.push_back(fmt::format("{} of {}", cell.changes.size(), cell.base.n));
    } else {
      row.push_back(
          cell.now.n == 0 ? "-"
          : cell.tested
              ? fmt::format("{:.2f} [{:.2f}, {:.2f}]", cell.loss, cell.loss_low, cell.loss_high)
              : fmt::format("{:.2f}", cell.loss));
      row.push_back(cell.tested ? format_p(cell.p_loss_adjusted) : "-");
      row.push_back(cell.tested ? format_p(cell.p_kept) : "-");
    }
    row.push_back(to_string(cell.verdict) + (cell.rule == GateRule::identical ? " (identical)"
                                             : cell.rule == GateRule::plain   ? " (no spread)"
                                             : cell.rule == GateRule::bit_exact && !report.bit_exact
                                                 ? " (bit by bit)"
                                                 : ""));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<std::string> gate_header(const GateReport& report) {
  if (report.bit_exact) {
    return {"cell", "baseline", "new", "trials that differ", "verdict"};
  }
  return {"cell",
          "baseline",
          "new",
          fmt::format("loss [bounds at {:g} %]", 100 * (1 - report.options.alpha)),
          "p(loss), Holm",
          "p(kept)",
          "verdict"};
}

/// Characters of UTF-8 text.
std::size_t count_characters(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char each) { return (static_cast<unsigned char>(each) & 0xC0U) != 0x80U; }));
}

std::string gate_text(const GateReport& report) {
  std::string text = "baseline check " + gate_headline(report) + "\n\n";
  for (const auto& [label, side] :
       {std::pair("baseline", &report.base), std::pair("new", &report.now)}) {
    text += fmt::format("{:<12}{}: {}\n", label, side->name, protocol_line(side->protocol));
    for (const std::string& field : kShownEnvironment) {
      text +=
          fmt::format("{:<12}  {:<12} {}\n", "", field, joined_values(side->environment, field));
    }
  }
  text += fmt::format("environment {}\n", environment_sentence(report));
  text += "rule        ";
  for (const char each : rule_text(report)) {  // a line for each sentence
    text += each == ' ' && text.ends_with('.') ? "\n            " : std::string(1, each);
  }
  text += "\n";
  for (const std::string& note : report.notes) {
    text += "note        " + note + "\n";
  }
  if (report.protocol_changed) {
    text += "\nfields of the protocol that differ:\n";
    for (const FieldChange& each : report.changes) {
      text += fmt::format("  {}: {} -> {}\n", each.field, each.from, each.to);
    }
    return text + "\n" + gate_advice(report) + "\n";
  }
  std::vector<std::vector<std::string>> lines = gate_rows(report);
  lines.insert(lines.begin(), gate_header(report));
  std::vector<std::size_t> widths(lines.front().size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      widths[i] = std::max(widths[i], count_characters(line[i]));
    }
  }
  text += '\n';
  for (const auto& line : lines) {
    std::string row;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string space(widths[i] - count_characters(line[i]), ' ');
      const bool left = i == 0 || i + 1 == line.size();
      row += (i == 0 ? "" : "  ") + (left ? line[i] + space : space + line[i]);
    }
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  }
  for (const GateCell& cell : report.cells) {
    if (!cell.reason.empty()) {
      text += fmt::format("\n{} {}: {}", to_string(cell.verdict), cell.name, cell.reason);
    }
  }
  const std::string next = gate_advice(report);
  if (!next.empty()) {
    text += "\n\n" + next + "\n";
  }
  return text;
}

std::string markdown_text(const std::string& text) {
  std::string result;
  for (const char each : text) {
    if (each == '|' || each == '\\' || each == '`' || each == '*' || each == '_' || each == '[' ||
        each == ']') {
      result += '\\';
    }
    result += each == '<' ? "&lt;" : each == '\n' ? " " : std::string(1, each);
  }
  return result;
}

std::string markdown_row(const std::vector<std::string>& cells) {
  std::string row = "|";
  for (const std::string& each : cells) {
    row += " " + markdown_text(each) + " |";
  }
  return row + "\n";
}

std::string markdown_table(const std::vector<std::string>& header,
                           const std::vector<std::vector<std::string>>& rows) {
  std::string text = markdown_row(header) + "|";
  for (std::size_t i = 0; i < header.size(); ++i) {
    text += i == 0 || i + 1 == header.size() ? " :-- |" : " --: |";
  }
  text += "\n";
  for (const auto& row : rows) {
    text += markdown_row(row);
  }
  return text;
}

std::string gate_markdown(const GateReport& report) {
  std::string text = "### Baseline check " + gate_headline(report) + "\n\n";
  const std::string next = gate_advice(report);
  if (!next.empty()) {
    text += markdown_text(next) + "\n\n";
  }
  if (report.protocol_changed) {
    std::vector<std::vector<std::string>> rows;
    for (const FieldChange& each : report.changes) {
      rows.push_back({each.field, each.from, each.to});
    }
    if (!rows.empty()) {
      text += markdown_table({"field of the protocol", "baseline", "new"}, rows) + "\n";
    }
  } else {
    const auto rows = gate_rows(report);
    std::vector<std::vector<std::string>> open;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (report.cells[i].verdict != GateVerdict::passed) {
        open.push_back(rows[i]);
      }
    }
    if (!open.empty()) {
      text += markdown_table(gate_header(report), open) + "\n";
      for (const GateCell& cell : report.cells) {
        if (!cell.reason.empty()) {
          text += fmt::format("- {} {}: {}\n",
                              to_string(cell.verdict),
                              markdown_text(cell.name),
                              markdown_text(cell.reason));
        }
      }
      text += "\n";
    }
    text += fmt::format("<details><summary>All {} cells</summary>\n\n", rows.size()) +
            markdown_table(gate_header(report), rows) + "\n</details>\n\n";
  }
  std::vector<std::vector<std::string>> both{
      {"results", report.base.name, report.now.name},
      {"of", protocol_line(report.base.protocol), protocol_line(report.now.protocol)}};
  for (const std::string& field : kShownEnvironment) {
    both.push_back({field,
                    joined_values(report.base.environment, field),
                    joined_values(report.now.environment, field)});
  }
  text += markdown_table({"", "baseline", "new"}, both) + "\n";
  text += "Environment: " + markdown_text(environment_sentence(report)) + ".\n\n";
  text += "Rule: " + markdown_text(rule_text(report)) + "\n";
  for (const std::string& note : report.notes) {
    text += "\nNote: " + markdown_text(note) + "\n";
  }
  return text;
}

Json gate_summary_json(const Summary& summary) {
  return {{"mean", summary.n == 0 ? Json() : Json(summary.mean)},
          {"sd", summary.sd ? Json(*summary.sd) : Json()},
          {"n", summary.n}};
}

Json gate_side_json(const GateSide& side) {
  Json environment = Json::object();
  for (const auto& [field, list] : side.environment) {
    environment[field] = list;
  }
  return {{"name", side.name},
          {"protocol", side.protocol.protocol},
          {"profile", side.protocol.profile},
          {"data_kind", side.protocol.data_kind},
          {"environment", environment}};
}

Json gate_json(const GateReport& report) {
  Json json{{"schema_version", 1},
            {"verdict", to_string(report.verdict)},
            {"exit_code", static_cast<int>(report.exit_code())},
            {"cause", report.cause()},
            {"base", gate_side_json(report.base)},
            {"new", gate_side_json(report.now)},
            {"same_environment", report.environment_differences.empty()},
            {"environment_differences", report.environment_differences},
            {"bit_exact", report.bit_exact},
            {"bit_exact_cells", report.bit_exact_cells()},
            {"determinism_lost", report.determinism_lost},
            {"notes", report.notes},
            {"margin_dice_points", report.options.margin},
            {"alpha", report.options.alpha},
            {"test", report.bit_exact ? "bit-exact" : "welch, one-sided"},
            {"correction", report.bit_exact ? "none" : "holm"},
            {"tests", report.tests},
            {"rule", rule_text(report)},
            {"protocol_changed", report.protocol_changed},
            {"protocol_changes", Json::array()},
            {"cells", Json::array()}};
  for (const FieldChange& each : report.changes) {
    json["protocol_changes"].push_back(
        {{"field", each.field}, {"from", each.from}, {"to", each.to}});
  }
  for (const GateCell& cell : report.cells) {
    const auto tested = [&](double value) { return cell.tested ? Json(value) : Json(); };
    Json trials = Json::array();
    for (const TrialChange& each : cell.changes) {
      trials.push_back(
          {{"trial", each.trial}, {"base", each.from}, {"new", each.to}, {"differs", each.what}});
    }
    json["cells"].push_back({{"cell", cell.name},
                             {"verdict", to_string(cell.verdict)},
                             {"decided_by", to_string(cell.rule)},
                             {"reason", cell.reason},
                             {"missing_trials", cell.missing},
                             {"failed_trials", cell.failed_trials},
                             {"base", gate_summary_json(cell.base)},
                             {"new", gate_summary_json(cell.now)},
                             {"loss", cell.now.n == 0 ? Json() : Json(cell.loss)},
                             {"loss_bounds", {tested(cell.loss_low), tested(cell.loss_high)}},
                             {"t", tested(cell.t)},
                             {"df", tested(cell.df)},
                             {"p_loss", tested(cell.p_loss)},
                             {"p_loss_adjusted", tested(cell.p_loss_adjusted)},
                             {"p_kept", tested(cell.p_kept)},
                             {"different_trials", trials}});
  }
  return json;
}

/// Length of the character at `place`, if it is well-formed UTF-8 and XML 1.0 can carry it; else 0.
std::size_t xml_character(const std::string& text, std::size_t place) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return place + i < text.size() ? static_cast<unsigned char>(text[place + i]) : 0;
  };
  const std::uint32_t first = byte(0);
  if (first < 0x80) {
    return first >= 0x20 || first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 0;
  if (length == 0 || first > 0xF4) {
    return 0;
  }
  std::uint32_t code = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return 0;
    }
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  const std::uint32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  const bool forbidden = code == 0xFFFE || code == 0xFFFF || code > 0x10FFFF;
  return code < least || surrogate || forbidden ? 0 : length;
}

/// Text of XML 1.0: markup escaped, U+FFFD for each byte that XML cannot carry.
std::string xml_text(const std::string& text) {
  std::string result;
  for (std::size_t place = 0; place < text.size();) {
    const std::size_t length = xml_character(text, place);
    const char each = text[place];
    if (length == 0) {
      result += "\xEF\xBF\xBD";
    } else if (each == '&') {
      result += "&amp;";
    } else if (each == '<') {
      result += "&lt;";
    } else if (each == '>') {
      result += "&gt;";
    } else if (each == '"') {
      result += "&quot;";
    } else if (each == '\n' || each == '\r') {
      result += each == '\n' ? "&#10;" : "&#13;";
    } else {
      result.append(text, place, length);
    }
    place += std::max<std::size_t>(length, 1);
  }
  return result;
}

/// The form that Jenkins and GitLab read: suites, properties, a case per cell.
std::string gate_junit(const GateReport& report) {
  const std::string counts = fmt::format("tests=\"{}\" failures=\"{}\" errors=\"0\"",
                                         report.cells.size(),
                                         report.count(GateVerdict::failed));
  std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"sar-bench baseline check\" " +
      counts + " time=\"0\">\n";
  text +=
      fmt::format("  <testsuite name=\"sar-bench baseline check\" {} skipped=\"{}\" time=\"0\">\n",
                  counts,
                  report.count(GateVerdict::undecided));
  text += "    <properties>\n";
  const auto property = [&](const std::string& name, const std::string& value) {
    text += fmt::format(
        "      <property name=\"{}\" value=\"{}\"/>\n", xml_text(name), xml_text(value));
  };
  property("verdict", gate_headline(report));
  property("rule", rule_text(report));
  property("margin_dice_points", fmt::format("{}", report.options.margin));
  property("alpha", fmt::format("{}", report.options.alpha));
  property("environment", environment_sentence(report));
  for (const std::string& note : report.notes) {
    property("note", note);
  }
  for (const auto& [label, side] :
       {std::pair("baseline", &report.base), std::pair("new", &report.now)}) {
    property(std::string(label) + ".results", side->name);
    property(std::string(label) + ".protocol", protocol_line(side->protocol));
    for (const std::string& field : kShownEnvironment) {
      property(std::string(label) + "." + field, joined_values(side->environment, field));
    }
  }
  text += "    </properties>\n";
  for (const GateCell& cell : report.cells) {
    text += fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"0\"",
                        xml_text(cell.path.method + "." + cell.path.task),
                        xml_text(cell.name));
    if (cell.verdict == GateVerdict::passed) {
      text += "/>\n";
    } else if (cell.verdict == GateVerdict::failed) {
      text += fmt::format(
          ">\n      <failure type=\"regression\" message=\"{}\">{}</failure>\n    </testcase>\n",
          xml_text(cell.reason),
          xml_text(fmt::format("baseline {}, new {}", gate_mean(cell.base), gate_mean(cell.now))));
    } else {
      text += fmt::format(">\n      <skipped message=\"{}\"/>\n    </testcase>\n",
                          xml_text("undecided: " + cell.reason));
    }
  }
  std::string log = gate_advice(report);
  for (const FieldChange& each : report.changes) {
    log += fmt::format("\n{}: {} -> {}", each.field, each.from, each.to);
  }
  text += "    <system-out>" + xml_text(log) + "</system-out>\n";
  return text + "  </testsuite>\n</testsuites>\n";
}

}  // namespace

std::string to_string(GateVerdict verdict) {
  switch (verdict) {
    case GateVerdict::passed:
      return "passed";
    case GateVerdict::failed:
      return "failed";
    case GateVerdict::undecided:
      return "undecided";
  }
  throw internal_error("unknown verdict of a gate");
}

std::string to_string(GateRule rule) {
  switch (rule) {
    case GateRule::bit_exact:
      return "bit-exact";
    case GateRule::identical:
      return "identical";
    case GateRule::statistical:
      return "welch";
    case GateRule::plain:
      return "no spread";
    case GateRule::none:
      return "none";
  }
  throw internal_error("unknown rule of a gate");
}

std::string rule_text(const GateReport& report) {
  if (report.protocol_changed) {
    return "results of different protocols are not compared (exit 4)";
  }
  if (report.bit_exact) {
    return "same protocol, same environment, and programs that promise the same bits: every trial "
           "must be equal in every bit, also case by case; any difference fails (exit 1)";
  }
  const std::string others =
      report.bit_exact_cells() == 0
          ? ""
          : fmt::format(
                "{} of {} cells were made in the same environment, by programs that promise "
                "the same bits: any other bit fails (exit 1). The others: ",
                report.bit_exact_cells(),
                report.cells.size());
  return others + fmt::format(
                      "unpaired one-sided Welch tests over trials, margin {} Dice points, alpha "
                      "{}. A cell fails "
                      "(exit 1) if a loss beyond the margin is shown: p < alpha after Holm over {} "
                      "cells. It "
                      "passes "
                      "if a loss of the margin or more is rejected: p < alpha, uncorrected, "
                      "because the gate "
                      "passes "
                      "only if every cell does. All else is undecided (exit 4), and so are fewer "
                      "than {} trials "
                      "that are not equal bit by bit. Without any spread the loss itself is "
                      "compared with the "
                      "margin",
                      report.options.margin,
                      report.options.alpha,
                      report.tests,
                      kLeastGateTrials);
}

std::string render(const GateReport& report, const std::string& format) {
  if (format == "text") {
    return gate_text(report);
  }
  if (format == "md") {
    return gate_markdown(report);
  }
  if (format == "json") {
    return to_text(gate_json(report));
  }
  if (format == "junit") {
    return gate_junit(report);
  }
  throw usage_error("unknown format of a gate's report")
      .with("format", format)
      .hint("text, md, json and junit are known");
}

}  // namespace sar
