#include "results/paper/data_sheet.h"

#include "results/text/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

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

/// What is known of one data set, printed or counted.
struct Counts {
  std::string cases;  ///< "623", "190x4"
  long volumes = 0;
  std::string modality, organ, median_shape;
  std::string median_prepared_shape = {};  ///< of counted data
  std::vector<long> cubes = {};            ///< small, medium, large
};

Counts counts_of(const PrintedDataset& set) {
  return {
      set.cases, set.volumes(), set.modality, set.organ, set.median_shape, "", set.cube_counts()};
}

/// Of an entry of a survey.
Counts counts_of(const Json& set) {
  const long volumes = set.at("volumes");
  const long patients = set.at("patients");
  Counts counts{patients == volumes || patients == 0
                    ? std::to_string(volumes)
                    : fmt::format("{}x{}", patients, volumes / patients),
                volumes,
                set.at("modality"),
                set.at("organ"),
                shape_text(set.at("median_shape_voxels")),
                shape_text(set.at("median_prepared_shape_voxels"))};
  for (const auto& scale : kScaleNames) {
    counts.cubes.push_back(set.at("cubes").at(scale));
  }
  return counts;
}

Json json_of(const Counts& counts) {
  Json json{{"cases", counts.cases},
            {"volumes", counts.volumes},
            {"modality", counts.modality},
            {"organ", counts.organ},
            {"median_shape", counts.median_shape},
            {"cubes", counts.cubes}};
  if (!counts.median_prepared_shape.empty()) {
    json["median_prepared_shape"] = counts.median_prepared_shape;
  }
  return json;
}

std::vector<std::string> differences(const Counts& measured, const Counts& printed) {
  std::vector<std::string> result;
  const auto compare =
      [&](const char* name, const std::string& here, const std::string& there, const auto& shown) {
        if (here != there && !there.empty()) {
          result.push_back(fmt::format("{} {} instead of {}", name, shown, there));
        }
      };
  compare("cases", measured.cases, printed.cases, measured.cases);
  compare("modality", measured.modality, printed.modality, measured.modality);
  compare("organ", measured.organ, printed.organ, measured.organ);
  compare("median shape",
          measured.median_shape,
          printed.median_shape,
          // The paper does not say which one it prints.
          fmt::format("{} as scanned, {} as prepared (cropped, resampled),",
                      measured.median_shape,
                      measured.median_prepared_shape));
  for (std::size_t i = 0; i < kScaleNames.size(); ++i) {
    const long here = measured.cubes[i];
    const long there = i < printed.cubes.size() ? printed.cubes[i] : 0;
    if (here != there) {
      result.push_back(fmt::format("{} {} cubes instead of {}", here, kScaleNames[i], there));
    }
  }
  return result;
}

std::vector<std::string> row_of(const std::string& label,
                                const std::string& source,
                                const Counts& counts) {
  std::vector<std::string> row{
      label, source, counts.modality, counts.organ, counts.cases, counts.median_shape};
  for (const long count : counts.cubes) {
    row.push_back(std::to_string(count));
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
  const std::string mark = protocol != nullptr ? phantom_mark(protocol->data_kind) : "";
  Sheet sheet;
  sheet.id = id;
  sheet.title = title + mark;
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
    std::optional<Counts> there;
    std::optional<Counts> here;
    if (printed != nullptr) {
      there = counts_of(*printed);
      entry["printed"] = json_of(*there);
      sheet.rows.push_back(row_of(label, "printed", *there));
    }
    if (set != nullptr) {
      here = counts_of(*set);
      entry["measured"] = json_of(*here);
      sheet.rows.push_back(row_of(there ? "" : label, "measured", *here));
    }
    if (there && here) {
      const std::vector<std::string> list = differences(*here, *there);
      entry["differences"] = list;
      sheet.notes.push_back(list.empty() ? label + ": as printed."
                                         : fmt::format("{}: {}.", label, fmt::join(list, "; ")));
      named = named || !list.empty();
    }
    rows.push_back(std::move(entry));
  }
  if (!mark.empty() && named) {
    sheet.notes.emplace_back(
        "The data at hand are the phantom suite of the profile, which is smaller by design.");
  }
  if (protocol != nullptr) {
    sheet.notes.push_back(protocol_note(protocol->protocol, protocol->profile));
    sheet.origin = {protocol->data_kind, protocol->protocol};
  }
  sheet.json = {{"schema_version", 1},
                {"table", id},
                {"title", title},
                {"source",
                 survey.is_null()   ? "published"
                 : paper == nullptr ? "measured"
                                    : "both"},
                {"protocol", nullptr},
                {"data_kind", nullptr},
                {"rows", std::move(rows)}};
  return sheet;
}

}  // namespace sar
