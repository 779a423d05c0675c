#include "harness/core/base64.h"
#include "harness/core/error.h"
#include "harness/core/machine.h"
#include "results/figures/example_picture.h"
#include "results/report/page_texts.h"
#include "results/report/section.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <future>
#include <utility>

namespace sar::sections::examples {
namespace {

std::string titled(std::string word) {
  word[0] = word[0] >= 'a' && word[0] <= 'z' ? static_cast<char>(word[0] - 'a' + 'A') : word[0];
  return word;
}

Json plane_view(const ExampleSlice& slice, const Example& example) {
  const double width = slice.width * slice.pixel_mm[0];
  const double height = slice.height * slice.pixel_mm[1];
  return {{"plane_name",
           fmt::format("{} slice {} of case {}: image with the outlines of ground truth "
                       "and prediction",
                       titled(slice.plane),
                       slice.index,
                       example.case_id)},
          {"width_mm", unrounded(width)},
          {"height_mm", unrounded(height)},
          {"png", base64(slice.png)},
          {"truth_path", outline_path(slice.truth, slice.pixel_mm[0], slice.pixel_mm[1])},
          {"prediction_path", outline_path(slice.prediction, slice.pixel_mm[0], slice.pixel_mm[1])},
          {"plane_label", fmt::format("{} {}", slice.plane, slice.index)}};
}

/// `id`: of the case among the examples, as its files and its place in the page have it.
Json case_view(const Example& example, const ReportExamples& group, const std::string& id) {
  Json planes = Json::array();
  for (const ExampleSlice& slice : example.slices) {
    planes.push_back(plane_view(slice, example));
  }
  std::string notes;
  if (const auto volume = group.volume_mm3.find(example.case_id);
      volume != group.volume_mm3.end()) {
    notes = fmt::format("Tumour volume {:.2f} ml. ", volume->second / 1000);
  }
  notes += example.centre == "truth"        ? ""
           : example.centre == "prediction" ? "No tumour in the ground truth: cut through the "
                                              "predicted one. "
                                            : "No tumour in ground truth and prediction: cut "
                                              "through the middle. ";
  notes += example.oriented ? "" : "The file does not state which side is which. ";
  return {{"case_anchor", id},
          {"case_file", "figures/" + id + ".svg"},
          {"places", titled(fmt::format("{}", fmt::join(example.places, " and ")))},
          {"case_bucket", example.bucket == "all" ? "of all cases" : "of bucket " + example.bucket},
          {"case_dice", fmt::format("{:.2f}", example.dice)},
          {"case_id", example.case_id},
          {"case_note", notes.empty() ? Json(false) : texts({notes})},
          {"planes", std::move(planes)}};
}

/// Name of the case among the examples, as its files and its place in the page have it.
std::string name_of(const ReportExamples& group, std::size_t number) {
  return fmt::format("example-{}-{}", safe_name(group.task + "-" + group.method), number);
}

/// Pictures of the example cases. Each is a process of its own, so several are made side by side.
void add_pictures(SectionContent& section, const std::vector<ReportExamples>& groups) {
  std::vector<std::pair<std::string, const Example*>> examples;
  for (const ReportExamples& group : groups) {
    for (std::size_t i = 0; i < group.cases.size(); ++i) {
      examples.emplace_back("figures/" + name_of(group, i), &group.cases[i]);
    }
  }
  const auto workers = static_cast<std::size_t>(usable_cores());
  for (std::size_t first = 0; first < examples.size(); first += workers) {
    const std::size_t last = std::min(examples.size(), first + workers);
    std::vector<std::future<std::string>> pictures;
    for (std::size_t i = first; i < last; ++i) {
      pictures.push_back(
          std::async(std::launch::async, [&, i] { return example_png(*examples[i].second); }));
    }
    for (std::size_t i = first; i < last; ++i) {
      section.file(examples[i].first + ".svg", example_svg(*examples[i].second));
      try {
        section.file(examples[i].first + ".png", pictures[i - first].get());
      } catch (const Error&) {
        continue;  // without gnuplot, which figures of the page report
      }
    }
  }
}

SectionContent content(const ReportContents& contents) {
  SectionContent section;
  section.title = "Example cases";
  section.paragraphs = {
      "Axial, coronal and sagittal slice through the tumour's centre for the best, the median and "
      "the worst case of each size bucket, as kept at evaluation. The patient's right is on the "
      "left."};
  Json groups = Json::array();
  for (const ReportExamples& group : contents.examples) {
    Json cases = Json::array();
    for (std::size_t i = 0; i < group.cases.size(); ++i) {
      cases.push_back(case_view(group.cases[i], group, name_of(group, i)));
    }
    groups.push_back(
        {{"group_id", "examples-" + safe_name(group.task + "-" + group.method)},
         {"group_heading",
          fmt::format("{} on {}, trial {}{}",
                      group.label,
                      group.task,
                      group.trial,
                      contents.phantom_mark())},
         {"group_message", group.missing.empty() ? Json(false) : texts({group.missing})},
         {"cases", std::move(cases)}});
  }
  if (!groups.empty()) {
    section.block("examples", {{"example_groups", std::move(groups)}});
    add_pictures(section, contents.examples);
  }
  return section;
}

}  // namespace

void register_in(SectionRegistry& registry) {
  registry.add({70,
                "examples",
                "Examples",
                "There is no evaluation to take examples from, or none was asked for.",
                content});
}

}  // namespace sar::sections::examples
