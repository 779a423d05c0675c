#include "results/tables/sheets.h"

#include "harness/core/error.h"
#include "results/database/stored_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace sar {
namespace sheets_detail {

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

/// One metric of a method's pre-trainings, at the epochs whose weights are kept.
struct ProxyMetric {
  std::vector<int> epochs;  ///< one per pre-training
  std::map<std::string, std::vector<double>> value{{"train", {}}, {"val", {}}};
  std::map<std::string, std::vector<double>> chance{{"train", {}}, {"val", {}}};
};

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) {
    sum += value;
  }
  return sum / static_cast<double>(values.size());
}

/// Protocol keys and method ids are made of letters and digits, so they can stand in SQL.
std::map<std::string, ProxyMetric> metrics_of(const Store& store,
                                              const ProtocolRow& protocol,
                                              const std::string& method) {
  const Json stored = store.query(fmt::format(
      "SELECT v.name, v.split, v.epoch, v.value, v.chance, v.node FROM v_proxy_metric v "
      "JOIN node n ON n.key = v.node AND n.state = 'done' WHERE v.protocol = '{}' AND "
      "v.method = '{}' AND v.kept ORDER BY v.name, v.node, v.split",
      protocol.protocol,
      method));
  std::map<std::string, ProxyMetric> metrics;
  std::map<std::string, std::string> last;  // metric to the node that was seen last
  for (const Json& row : stored.at("rows")) {
    const std::string name = row.at(0);
    const std::string split = row.at(1);
    ProxyMetric& metric = metrics[name];
    if (last[name] != row.at(5)) {
      last[name] = row.at(5);
      metric.epochs.push_back(row.at(2));
    }
    if (!row.at(3).is_null()) {
      metric.value[split].push_back(row.at(3));
    }
    if (!row.at(4).is_null()) {
      metric.chance[split].push_back(row.at(4));
    }
  }
  return metrics;
}

Json failures_of(const Store& store, const ProtocolRow& protocol, const std::string& method) {
  return store
      .query(fmt::format("SELECT n.reason FROM pretraining p JOIN node n ON n.key = p.node WHERE "
                         "p.protocol = '{}' AND p.method = '{}' AND n.state = 'failed'",
                         protocol.protocol,
                         method))
      .at("rows");
}

}  // namespace sheets_detail

Json read_survey(const NodeRow& node, const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    throw Error(ExitCode::results_missing,
                "the count of the data is not in the work folder any more")
        .with("file", file.string())
        .hint("sar-bench run table1 counts again");
  }
  Json survey = Json::parse(
      read_stored_file(file, node.sha256, "the file of the count of the data"), nullptr, false);
  if (!survey.is_object()) {
    throw data_error("the count of the data is no JSON object").with("file", file.string());
  }
  return survey;
}

Sheet data_sheet(const std::string& id,
                 const std::string& title,
                 const std::vector<std::string>& datasets,
                 const Json& survey,
                 const ProtocolRow* protocol,
                 const Paper* paper) {
  using namespace sheets_detail;
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

Sheet proxy_sheet(const std::string& id,
                  const std::string& title,
                  const std::vector<TableRow>& methods,
                  const Store& store,
                  const ProtocolRow& protocol) {
  using namespace sheets_detail;
  Sheet sheet;
  sheet.id = id;
  sheet.title = title + (protocol.data_kind == "phantom" ? " [phantom data]" : "");
  sheet.header = {"Method", "Metric", "Epoch", "Training", "Held out", "Guessing"};
  sheet.text_columns = 2;
  Json rows = Json::array();
  bool repeated = false;
  for (const TableRow& method : methods) {
    const std::map<std::string, ProxyMetric> metrics = metrics_of(store, protocol, method.method);
    bool first = true;
    for (const auto& [name, metric] : metrics) {
      const auto number = [](const std::vector<double>& values) {
        return values.empty() ? std::string("–") : fmt::format("{:.4f}", mean_of(values));
      };
      const bool held_out = !metric.value.at("val").empty();
      sheet.rows.push_back({first ? method.label : "",
                            name,
                            fmt::format("{}", fmt::join(metric.epochs, ", ")),
                            number(metric.value.at("train")),
                            number(metric.value.at("val")),
                            number(metric.chance.at(held_out ? "val" : "train"))});
      first = false;
      Json row{{"method", method.method},
               {"metric", name},
               {"epochs", metric.epochs},
               {"n", metric.epochs.size()}};
      for (const char* split : {"train", "val"}) {
        const auto optional = [](const std::vector<double>& values) {
          return values.empty() ? Json() : Json(mean_of(values));
        };
        row[split] = {{"value", optional(metric.value.at(split))},
                      {"chance", optional(metric.chance.at(split))}};
      }
      rows.push_back(std::move(row));
      repeated = repeated || metric.epochs.size() > 1;
    }
    const Json failures = failures_of(store, protocol, method.method);
    for (const Json& failure : failures) {
      sheet.rows.push_back({first ? method.label : "", "failed", "–", "–", "–", "–"});
      first = false;
      const std::string reason =
          failure.at(0).is_string() ? failure.at(0).get<std::string>() : "no reason stored";
      sheet.notes.push_back(fmt::format("{} failed: {}.", method.label, reason));
      rows.push_back({{"method", method.method}, {"state", "failed"}, {"reason", reason}});
    }
    if (first) {
      sheet.rows.push_back({method.label, "not pre-trained yet", "–", "–", "–", "–"});
    }
  }
  sheet.notes.emplace_back(
      "Epoch: the one whose weights are kept, that with the least validation loss. Training: mean "
      "over it, while the weights change. Held out: patients that pre-training does not see. "
      "Guessing, on those held out: the best constant answer; for the restoration each cube's own "
      "mean.");
  if (repeated) {
    sheet.notes.emplace_back("Several epochs: means over as many pre-trainings of the method.");
  }
  sheet.notes.push_back(
      fmt::format("Protocol {}, profile {}.", protocol.protocol.substr(0, 12), protocol.profile));
  sheet.json = {{"schema_version", 1},
                {"experiment", id},
                {"protocol", protocol.protocol},
                {"data_kind", protocol.data_kind},
                {"rows", std::move(rows)}};
  return sheet;
}

}  // namespace sar
