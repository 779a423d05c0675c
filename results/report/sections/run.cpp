#include "results/report/page_texts.h"
#include "results/report/section.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sar::sections::run {
namespace {

/// Hours as people read them: "12 h", "1.5 h", "51 min".
std::string hours_text(double hours) {
  return hours >= 10   ? fmt::format("{:.0f} h", hours)
         : hours >= 1  ? fmt::format("{:.1f} h", hours)
         : hours > 0.1 ? fmt::format("{:.0f} min", 60 * hours)
                       : fmt::format("{:.1f} min", 60 * hours);
}

Json property(const std::string& name, const std::vector<std::string>& values) {
  return {{"name", name},
          {"values", texts(values.empty() ? std::vector<std::string>{"–"} : values)}};
}

std::vector<std::string> data_sets(const ProtocolRow& protocol) {
  std::vector<std::string> lines;
  if (!protocol.manifest.is_object() || !protocol.manifest.contains("datasets")) {
    return lines;
  }
  for (const auto& [name, set] : protocol.manifest.at("datasets").items()) {
    const std::size_t left_out =
        set.contains("left_out") && set.at("left_out").is_array() ? set.at("left_out").size() : 0;
    lines.push_back(fmt::format("{}: {} cases{}, digest {}",
                                name,
                                set.value("cases", 0),
                                left_out > 0 ? fmt::format(" ({} left out)", left_out) : "",
                                set.value("digest", "").substr(0, 12)));
  }
  return lines;
}

Sheet work_sheet(const RunSummary& summary) {
  Sheet sheet;
  sheet.id = "work";
  sheet.title = "Work";
  sheet.header = {"Kind", "Done", "Failed", "Open", "Time", "Largest memory", "Largest GPU memory"};
  for (const WorkDone& work : summary.work) {
    sheet.rows.push_back({work.kind,
                          std::to_string(work.done),
                          std::to_string(work.failed),
                          std::to_string(work.open),
                          hours_text(work.hours),
                          work.peak_rss_mb > 0 ? fmt::format("{:.0f} MB", work.peak_rss_mb) : "–",
                          work.peak_gpu_mb > 0 ? fmt::format("{:.0f} MB", work.peak_gpu_mb) : "–"});
  }
  sheet.notes = {
      "Time: of the finished work, each node once, over all resumes; workers run side by "
      "side, so that a run takes less."};
  return sheet;
}

SectionContent content(const ReportContents& contents) {
  SectionContent section;
  section.title = "What was run";
  const ProtocolRow& protocol = contents.protocol;
  const RunSummary& summary = contents.summary;
  std::vector<std::string> seeds;
  for (const auto& [trial, values] : summary.seeds) {
    seeds.push_back(fmt::format("trial {}: {}", trial, fmt::join(values, ", ")));
  }
  std::vector<std::string> threads;
  for (const int count : summary.threads) {
    threads.push_back(std::to_string(count));
  }
  double hours = 0;
  for (const WorkDone& work : summary.work) {
    hours += work.hours;
  }
  std::vector<std::string> commits = summary.commits;
  if (summary.dirty) {
    commits.emplace_back("some work was done by a program with uncommitted changes");
  }
  section.block(
      "properties",
      {{"property",
        {property("Protocol", {protocol.protocol}),
         property("Profile", {protocol.profile}),
         property("Data", {protocol.data_kind == "phantom" ? "phantom images" : "real scans"}),
         property("Trials of table cells",
                  {fmt::format("{} done, {} failed, {} open of {}",
                               summary.done,
                               summary.failed,
                               summary.open,
                               summary.cells)}),
         property("From, to (UTC)", {summary.first, summary.last}),
         property("Worker time", {hours_text(hours)}),
         property("Host", summary.hosts),
         property("Machine", summary.machines),
         property("Device", summary.devices),
         property("Threads of a worker", threads),
         property("Reproducibility", summary.determinism),
         property("Commit of sar-bench", commits),
         property("LibTorch", summary.torch),
         property("ITK", summary.itk),
         property("sar-bench, of this report", {contents.version}),
         property("Database", {contents.database}),
         property("Seeds", seeds),
         property("Data sets", data_sets(protocol)),
         property("Commands", summary.commands)}}});
  section.sheet(work_sheet(summary));
  if (!contents.settings.rows.empty()) {
    section.folded_sheet("Settings that differ from the built-in ones", contents.settings);
  }
  return section;
}

}  // namespace

void register_in(SectionRegistry& registry) {
  registry.add({130, "run", "Run", {}, content});
}

}  // namespace sar::sections::run
