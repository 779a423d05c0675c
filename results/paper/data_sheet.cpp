#include "results/paper/data_sheet.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sar {
namespace {

const std::vector<std::string> kScaleNames{"small", "medium", "large"};

/// "238×512×512"; halves (medians of an even number) keep their digit.
std::string shape_text(const Json& shape) {
  if (!shape.is_array()) {
    return "–";
  }
  std::vector<std::string> sides;
  for (const Json& side : shape) {
    sides.push_back(fmt::format("{:g}", side.get<double>()));
  }
  return fmt::format("{}", fmt::join(sides, "×"));
}

const Json* find_dataset(const Json& survey, const std::string& id) {
  if (survey.is_object()) {
    for (const Json& set : survey.at("datasets")) {
      if (set.at("dataset") == id) {
        return &set;
      }
    }
  }
  return nullptr;
}

std::string cases_text(const Json& set) {
  const int volumes = set.at("volumes");
  const int patients = set.at("patients");
  return patients == volumes || patients == 0 ? std::to_string(volumes)
                                              : fmt::format("{}x{}", patients, volumes / patients);
}

Json printed_json(const PrintedDataset& set) {
  return {{"cases", set.cases},
          {"volumes", set.volumes()},
          {"modality", set.modality},
          {"organ", set.organ},
          {"median_shape", set.median_shape},
          {"cubes", set.cube_counts()}};
}

Json measured_json(const Json& set) {
  Json cubes = Json::array();
  for (const auto& scale : kScaleNames) {
    cubes.push_back(set.at("cubes").at(scale));
  }
  return {{"cases", cases_text(set)},
          {"volumes", set.at("volumes")},
          {"modality", set.at("modality")},
          {"organ", set.at("organ")},
          {"median_shape", shape_text(set.at("median_shape_voxels"))},
          {"median_prepared_shape", shape_text(set.at("median_prepared_shape_voxels"))},
          {"cubes", cubes}};
}

std::vector<std::string> differences(const Json& measured, const Json& printed) {
  std::vector<std::string> result;
  for (const auto& [key, name] : {std::pair{"cases", "cases"},
                                  std::pair{"modality", "modality"},
                                  std::pair{"organ", "organ"},
                                  std::pair{"median_shape", "median shape"}}) {
    if (measured.at(key) != printed.at(key) && printed.at(key) != "") {
      std::string here = measured.at(key);
      if (key == std::string_view("median_shape")) {  // the paper does not say which one it prints
        here += " as scanned, " + measured.at("median_prepared_shape").get<std::string>() +
                " as prepared (cropped, resampled),";
      }
      result.push_back(
          fmt::format("{} {} instead of {}", name, here, printed.at(key).get<std::string>()));
    }
  }
  for (std::size_t i = 0; i < kScaleNames.size(); ++i) {
    const long here = measured.at("cubes").at(i);
    const long there = i < printed.at("cubes").size() ? printed.at("cubes").at(i).get<long>() : 0L;
    if (here != there) {
      result.push_back(fmt::format("{} {} cubes instead of {}", here, kScaleNames[i], there));
    }
  }
  return result;
}

std::vector<std::string> row_of(const std::string& label,
                                const std::string& source,
                                const Json& values) {
  std::vector<std::string> row{label, source};
  for (const char* key : {"modality", "organ", "cases", "median_shape"}) {
    row.push_back(values.at(key));
  }
  for (const Json& count : values.at("cubes")) {
    row.push_back(std::to_string(count.get<long>()));
  }
  row.resize(6 + kScaleNames.size(), "–");
  return row;
}

}  // namespace

Sheet data_sheet(const std::string& id,
                 const std::string& title,
                 const std::vector<std::string>& datasets,
                 const Json& survey,
                 const ProtocolRow* protocol,
                 const Paper* paper) {
  const bool phantom = protocol != nullptr && protocol->data_kind == "phantom";
  Sheet sheet;
  sheet.id = id;
  sheet.title = title + (phantom ? " [phantom data]" : "");
  sheet.header = {"Dataset", "Source", "Modality", "Organ", "Cases", "Median shape"};
  sheet.source_column = 1;
  sheet.header.insert(sheet.header.end(), kScaleNames.begin(), kScaleNames.end());
  sheet.text_columns = 4;
  sheet.notes.emplace_back(
      "Cases are volumes that pre-training uses (x4: MR channels); shapes are z×y×x in voxels as "
      "scanned; small, medium, large: cubes of 1/8, 1/4, 1/2 of the side. That printed counts "
      "stand "
      "in this order is a reading (docs/protocol.md, 1).");
  Json rows = Json::array();
  bool named = false;
  for (const auto& dataset : datasets) {
    const PrintedDataset* printed = nullptr;
    if (paper != nullptr) {
      const auto found = std::ranges::find(paper->datasets, dataset, &PrintedDataset::dataset);
      printed = found == paper->datasets.end() ? nullptr : &*found;
    }
    const Json* set = find_dataset(survey, dataset);
    const std::string label = printed != nullptr ? printed->label
                              : set != nullptr   ? set->at("paper_name").get<std::string>()
                                                 : dataset;
    Json entry{{"dataset", dataset}, {"printed", nullptr}, {"measured", nullptr}};
    if (printed != nullptr) {
      entry["printed"] = printed_json(*printed);
      sheet.rows.push_back(row_of(label, "printed", entry.at("printed")));
    }
    if (set != nullptr) {
      entry["measured"] = measured_json(*set);
      sheet.rows.push_back(
          row_of(printed != nullptr ? "" : label, "measured", entry.at("measured")));
    }
    if (printed != nullptr && set != nullptr) {
      const auto list = differences(entry.at("measured"), entry.at("printed"));
      entry["differences"] = list;
      sheet.notes.push_back(list.empty() ? label + ": as printed."
                                         : fmt::format("{}: {}.", label, fmt::join(list, "; ")));
      named = named || !list.empty();
    }
    rows.push_back(std::move(entry));
  }
  if (phantom && named) {
    sheet.notes.emplace_back(
        "The data at hand are the phantom suite of the profile, which is smaller by design.");
  }
  if (protocol != nullptr) {
    sheet.notes.push_back(fmt::format(
        "Protocol {}, profile {}.", protocol->protocol.substr(0, 12), protocol->profile));
  }
  sheet.json = {{"schema_version", 1},
                {"table", id},
                {"title", title},
                {"source",
                 survey.is_null()   ? "published"
                 : paper == nullptr ? "measured"
                                    : "both"},
                {"protocol", protocol != nullptr ? Json(protocol->protocol) : Json()},
                {"data_kind", protocol != nullptr ? Json(protocol->data_kind) : Json()},
                {"rows", std::move(rows)}};
  return sheet;
}

}  // namespace sar
