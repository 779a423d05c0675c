#include "results/comparison/baseline_document.h"

#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sar {
namespace {

const std::vector<std::string> kShownEnvironment = {
    "commit", "device", "machine", "threads", "torch", "itk", "determinism"};

std::string joined_values(const Environment& environment, const std::string& field) {
  const auto found = environment.find(field);
  if (found == environment.end() || found->second.empty()) {
    return "unknown";
  }
  return fmt::format("{}", fmt::join(found->second, " | "));
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
    return "Trials of the baseline's cells ran and failed, which is not a pass: sar-bench status "
           "says "
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
  return report.environment_differences.empty()
             ? "the same"
             : "differs in, or is not known to agree in: " +
                   fmt::format("{}", fmt::join(report.environment_differences, ", "));
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

Grid grid_of(std::vector<std::string> header, const std::vector<std::vector<std::string>>& rows) {
  Grid grid;
  grid.header = std::move(header);
  grid.rows = plain_cells(rows);
  grid.text_at_end = true;
  return grid;
}

// --- text ---------------------------------------------------------------------------------------

/// What is compared, and how.
std::vector<Content> comparison_lines(const GateReport& report) {
  constexpr std::size_t kLabel = 12;
  std::vector<Content> lines;
  const auto add = [&](const std::string& label, const std::string& text) {
    lines.emplace_back(Line{label, text, kLabel});
  };
  for (const auto& [label, side] :
       {std::pair("baseline", &report.base), std::pair("new", &report.now)}) {
    add(label, side->name + ": " + protocol_line(side->protocol));
    for (const std::string& field : kShownEnvironment) {
      add("", fmt::format("  {:<12} {}", field, joined_values(side->environment, field)));
    }
  }
  add("environment", environment_sentence(report));
  std::string label = "rule";
  std::string rest = rule_text(report);
  while (!rest.empty()) {  // a line for each sentence
    const std::size_t end = std::min(rest.find(". "), rest.size() - 1) + 1;
    add(label, rest.substr(0, end));
    rest = rest.substr(std::min(end + 1, rest.size()));
    label = "";
  }
  for (const std::string& note : report.notes) {
    add("note", note);
  }
  return lines;
}

void add_text(std::vector<Part>& parts, const GateReport& report) {
  const auto add = [&](std::vector<Content> contents) {
    parts.push_back({std::move(contents), {"text"}});
  };
  add({Line{"baseline check ", gate_headline(report)}});
  add(comparison_lines(report));
  const std::string advice = gate_advice(report);
  std::vector<Content> lines;
  if (report.protocol_changed) {
    lines.emplace_back(Line{"", "fields of the protocol that differ:"});
    for (const FieldDifference& each : report.changes) {
      lines.emplace_back(Line{"", fmt::format("  {}: {} -> {}", each.field, each.from, each.to)});
    }
  } else {
    add({grid_of(gate_header(report), gate_rows(report))});
    for (const GateCell& cell : report.cells) {
      if (!cell.reason.empty()) {
        lines.emplace_back(
            Line{"", fmt::format("{} {}: {}", to_string(cell.verdict), cell.name, cell.reason)});
      }
    }
  }
  if (!lines.empty() || !advice.empty()) {
    add(std::move(lines));
  }
  if (!advice.empty()) {
    add({Line{"", advice}});
  }
}

// --- Markdown, for a pull request ---------------------------------------------------------------

void add_markdown(std::vector<Part>& parts, const GateReport& report) {
  const auto add = [&](std::vector<Content> contents) {
    parts.push_back({std::move(contents), {"md"}});
  };
  add({Heading{"Baseline check " + gate_headline(report)}});
  if (const std::string advice = gate_advice(report); !advice.empty()) {
    add({Paragraph{advice}});
  }
  if (report.protocol_changed) {
    std::vector<std::vector<std::string>> rows;
    for (const FieldDifference& each : report.changes) {
      rows.push_back({each.field, each.from, each.to});
    }
    if (!rows.empty()) {
      add({grid_of({"field of the protocol", "baseline", "new"}, rows)});
    }
  } else {
    const auto rows = gate_rows(report);
    std::vector<std::vector<std::string>> open;
    std::vector<Content> reasons;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const GateCell& cell = report.cells[i];
      if (cell.verdict != GateVerdict::passed) {
        open.push_back(rows[i]);
      }
      if (!cell.reason.empty()) {
        reasons.emplace_back(Paragraph{
            fmt::format("{} {}: {}", to_string(cell.verdict), cell.name, cell.reason), 0, "- "});
      }
    }
    if (!open.empty()) {
      add({grid_of(gate_header(report), open)});
      add(std::move(reasons));
    }
    add({Details{fmt::format("All {} cells", rows.size()), grid_of(gate_header(report), rows)}});
  }
  std::vector<std::vector<std::string>> both{
      {"results", report.base.name, report.now.name},
      {"of", protocol_line(report.base.protocol), protocol_line(report.now.protocol)}};
  for (const std::string& field : kShownEnvironment) {
    both.push_back({field,
                    joined_values(report.base.environment, field),
                    joined_values(report.now.environment, field)});
  }
  add({grid_of({"", "baseline", "new"}, both)});
  add({Paragraph{"Environment: " + environment_sentence(report) + "."}});
  add({Paragraph{"Rule: " + rule_text(report)}});
  for (const std::string& note : report.notes) {
    add({Paragraph{"Note: " + note}});
  }
}

// --- JUnit: a case per cell ---------------------------------------------------------------------

TestSuite suite_of(const GateReport& report) {
  TestSuite suite;
  suite.name = "sar-bench baseline check";
  suite.properties = {{"verdict", gate_headline(report)},
                      {"rule", rule_text(report)},
                      {"margin_dice_points", fmt::format("{}", report.options.margin)},
                      {"alpha", fmt::format("{}", report.options.alpha)},
                      {"environment", environment_sentence(report)}};
  for (const std::string& note : report.notes) {
    suite.properties.emplace_back("note", note);
  }
  for (const auto& [label, side] :
       {std::pair<std::string, const GateSide*>("baseline", &report.base),
        std::pair<std::string, const GateSide*>("new", &report.now)}) {
    suite.properties.emplace_back(label + ".results", side->name);
    suite.properties.emplace_back(label + ".protocol", protocol_line(side->protocol));
    for (const std::string& field : kShownEnvironment) {
      suite.properties.emplace_back(label + "." + field, joined_values(side->environment, field));
    }
  }
  for (const GateCell& cell : report.cells) {
    TestSuite::Case& each = suite.cases.emplace_back();
    each.group = cell.path.method + "." + cell.path.task;
    each.name = cell.name;
    if (cell.verdict == GateVerdict::failed) {
      each.outcome = TestSuite::Case::Outcome::failed;
      each.reason = cell.reason;
      each.detail = fmt::format("baseline {}, new {}", gate_mean(cell.base), gate_mean(cell.now));
    } else if (cell.verdict == GateVerdict::undecided) {
      each.outcome = TestSuite::Case::Outcome::skipped;
      each.reason = "undecided: " + cell.reason;
    }
  }
  suite.log = gate_advice(report);
  for (const FieldDifference& each : report.changes) {
    suite.log += fmt::format("\n{}: {} -> {}", each.field, each.from, each.to);
  }
  return suite;
}

// --- JSON ---------------------------------------------------------------------------------------

Json gate_summary_json(const Summary& summary) {
  return {{"mean", summary.n == 0 ? Json() : Json(summary.mean)},
          {"sd", json_or_null(summary.sd)},
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

Json json_of(const GateReport& report) {
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
  for (const FieldDifference& each : report.changes) {
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

}  // namespace

Document document_of(const GateReport& report) {
  Document document;
  document.name = "a gate's report";
  document.formats = {"text", "md", "json", "junit"};
  document.is_comment = true;
  add_text(document.parts, report);
  add_markdown(document.parts, report);
  document.tests = suite_of(report);
  document.json = json_of(report);
  return document;
}

}  // namespace sar
