#include "results/tables/proxy_sheet.h"

#include "harness/core/error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace sar {
namespace {

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

std::map<std::string, ProxyMetric> metrics_of(const std::vector<KeptMetric>& kept) {
  std::map<std::string, ProxyMetric> metrics;
  std::map<std::string, std::string> last;  // metric to the node that was seen last
  for (const KeptMetric& row : kept) {
    ProxyMetric& metric = metrics[row.name];
    if (last[row.name] != row.node) {
      last[row.name] = row.node;
      metric.epochs.push_back(row.epoch);
    }
    if (row.value) {
      metric.value[row.split].push_back(*row.value);
    }
    if (row.chance) {
      metric.chance[row.split].push_back(*row.chance);
    }
  }
  return metrics;
}

}  // namespace

Sheet proxy_sheet(const std::string& id,
                  const std::string& title,
                  const std::vector<TableRow>& methods,
                  const Store& store,
                  const ProtocolRow& protocol) {
  Sheet sheet;
  sheet.id = id;
  sheet.title = title + (protocol.data_kind == "phantom" ? " [phantom data]" : "");
  sheet.header = {"Method", "Metric", "Epoch", "Training", "Held out", "Guessing"};
  sheet.text_columns = 2;
  Json rows = Json::array();
  bool repeated = false;
  for (const TableRow& method : methods) {
    const std::map<std::string, ProxyMetric> metrics =
        metrics_of(store.kept_metrics(protocol.protocol, method.method));
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
    for (const NodeRow& failure : store.failed_pretrainings(protocol.protocol, method.method)) {
      sheet.rows.push_back({first ? method.label : "", "failed", "–", "–", "–", "–"});
      first = false;
      const std::string reason = failure.reason.empty() ? "no reason stored" : failure.reason;
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
