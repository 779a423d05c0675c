#include "results/tables/proxy_sheet.h"

#include "results/text/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <numeric>

namespace sar {
namespace {

std::optional<double> mean_of(const std::vector<double>& values) {
  if (values.empty()) {
    return std::nullopt;
  }
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<ProxyMetric> metrics_of(const std::vector<KeptMetric>& kept) {
  struct Values {
    std::vector<double> value, chance;
  };
  struct Metric {
    std::vector<int> epochs;
    std::string last;  ///< node that was seen last
    std::map<std::string, Values> splits;
  };
  std::map<std::string, Metric> metrics;
  for (const KeptMetric& row : kept) {
    Metric& metric = metrics[row.name];
    if (metric.last != row.node) {
      metric.last = row.node;
      metric.epochs.push_back(row.epoch);
    }
    if (row.value) {
      metric.splits[row.split].value.push_back(*row.value);
    }
    if (row.chance) {
      metric.splits[row.split].chance.push_back(*row.chance);
    }
  }
  std::vector<ProxyMetric> result;
  for (auto& [name, metric] : metrics) {
    const auto means = [&splits = metric.splits](const char* split) {
      return ProxyMetric::Value{mean_of(splits[split].value), mean_of(splits[split].chance)};
    };
    result.push_back({name, metric.epochs, means("train"), means("val")});
  }
  return result;
}

Json json_of(const ProxyMetric::Value& mean) {
  return {{"value", json_or_null(mean.value)}, {"chance", json_or_null(mean.chance)}};
}

std::string number_text(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "–";
}

/// +MIAL's game: the encoder is to confuse the other side, so that neither value is better.
bool is_game(const std::string& metric) {
  return metric.starts_with("modality_");
}

std::string short_number(double value) {
  return fmt::format("{:.3g}", value);
}

}  // namespace

std::string sentence(const std::vector<ProxyResult>& results) {
  std::vector<std::string> reached;
  std::vector<std::string> not_better;
  for (const ProxyResult& result : results) {
    for (const ProxyMetric& metric : result.metrics) {
      const auto& [value, chance] = metric.held_out;
      const bool second_view = metric.name.ends_with("_cross_entropy");  // of an accuracy
      if (second_view || !value || !chance) {
        continue;
      }
      reached.push_back(fmt::format(
          "{} {} {} ({})", result.label, metric.name, short_number(*value), short_number(*chance)));
      const bool larger_is_better = metric.name.ends_with("_accuracy");
      if (!is_game(metric.name) && (larger_is_better ? *value <= *chance : *value >= *chance)) {
        not_better.push_back(fmt::format("{} {}", result.label, metric.name));
      }
    }
  }
  if (reached.empty()) {
    return "";
  }
  std::string text = fmt::format("Proxy tasks on patients held out, with what guessing gives: {}.",
                                 fmt::join(reached, ", "));
  if (!not_better.empty()) {
    text += fmt::format(" No better than guessing: {}.", fmt::join(not_better, ", "));
  }
  return text;
}

Json json_of(const ProxyMetric& metric) {
  return {{"metric", metric.name},
          {"epochs", metric.epochs},
          {"n", metric.epochs.size()},
          {"train", json_of(metric.training)},
          {"val", json_of(metric.held_out)}};
}

std::vector<ProxyResult> proxy_results(const std::vector<TableRow>& methods,
                                       const Store& store,
                                       const ProtocolRow& protocol) {
  std::vector<ProxyResult> results;
  for (const TableRow& method : methods) {
    ProxyResult& result = results.emplace_back();
    result.method = method.method;
    result.label = method.label;
    result.metrics = metrics_of(store.kept_metrics(protocol.protocol, method.method));
    for (const NodeRow& failure : store.failed_pretrainings(protocol.protocol, method.method)) {
      result.failures.push_back(failure.reason.empty() ? "no reason stored" : failure.reason);
    }
  }
  return results;
}

Sheet proxy_sheet(const std::string& id,
                  const std::string& title,
                  const std::vector<ProxyResult>& results,
                  const ProtocolRow& protocol) {
  Sheet sheet;
  sheet.id = id;
  sheet.title = title + phantom_mark(protocol.data_kind);
  sheet.header = {"Method", "Metric", "Epoch", "Training", "Held out", "Guessing"};
  sheet.text_columns = 2;
  Json rows = Json::array();
  bool repeated = false;
  for (const ProxyResult& result : results) {
    bool first = true;
    const auto add = [&](std::vector<std::string> row) {
      row.insert(row.begin(), first ? result.label : "");
      row.resize(sheet.header.size(), "–");
      sheet.rows.push_back(std::move(row));
      first = false;
    };
    for (const ProxyMetric& metric : result.metrics) {
      add({metric.name,
           fmt::format("{}", fmt::join(metric.epochs, ", ")),
           number_text(metric.training.value),
           number_text(metric.held_out.value),
           number_text(metric.held_out.value ? metric.held_out.chance : metric.training.chance)});
      Json row = json_of(metric);
      row["method"] = result.method;
      rows.push_back(std::move(row));
      repeated = repeated || metric.epochs.size() > 1;
    }
    for (const std::string& reason : result.failures) {
      add({"failed"});
      sheet.notes.push_back(fmt::format("{} failed: {}.", result.label, reason));
      rows.push_back({{"method", result.method}, {"state", "failed"}, {"reason", reason}});
    }
    if (result.empty()) {
      add({"not pre-trained yet"});
    }
  }
  sheet.notes.emplace_back(
      "Epoch: the one whose weights are kept, that with the least validation loss. Training: mean "
      "over it, while the weights change. Held out: patients that pre-training does not see. "
      "Guessing, on those held out: the best constant answer; for the restoration the best answer "
      "that looks at one transformed voxel alone.");
  if (repeated) {
    sheet.notes.emplace_back("Several epochs: means over as many pre-trainings of the method.");
  }
  sheet.notes.push_back(protocol_note(protocol.protocol, protocol.profile));
  sheet.origin = {protocol.data_kind, protocol.protocol};
  sheet.json = {{"schema_version", 1}, {"experiment", id}, {"rows", std::move(rows)}};
  return sheet;
}

}  // namespace sar
