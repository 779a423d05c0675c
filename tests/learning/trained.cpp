#include "tests/learning/trained.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <iostream>

namespace sar::learning_test {

Sides sides_of(const CubeStore& cubes, const std::set<std::string>& datasets) {
  Sides sides;
  std::map<std::string, std::size_t> patients;
  std::map<std::string, std::size_t> of_dataset;
  for (std::size_t i = 0; i < cubes.size(); ++i) {
    const CubeInfo& info = cubes.info(i);
    if (!datasets.empty() && !datasets.contains(info.dataset)) {
      continue;
    }
    const auto [patient, is_new] = patients.emplace(info.patient, of_dataset[info.dataset]);
    if (is_new) {
      ++of_dataset[info.dataset];
    }
    (patient->second % 3 == 0 ? sides.held_out : sides.train).push_back(i);
  }
  return sides;
}

std::vector<std::size_t> half_ct(const CubeStore& cubes,
                                 const std::vector<std::size_t>& from,
                                 std::size_t count) {
  std::vector<std::size_t> chosen;
  for (const bool ct : {false, true}) {
    std::vector<std::size_t> all;
    std::ranges::copy_if(from, std::back_inserter(all), [&](std::size_t index) {
      return cubes.info(index).is_ct == ct;
    });
    for (std::size_t i = 0; i < count / 2; ++i) {
      chosen.push_back(all.at(i * all.size() / (count / 2)));
    }
  }
  return chosen;
}

Trained trained(const std::string& method,
                const CubeStore& cubes,
                const Sides& sides,
                const nn_test::Changes& changes) {
  nn_test::Changes all{{"pretrain.patience", 1000}, {"schedule.pretrain_patience", 1000}};
  all.insert(all.end(), changes.begin(), changes.end());
  const Settings settings = nn_test::small_settings(all);
  const TemporaryFolder folder("sar-learning-test");
  PretrainJob job;
  job.method = &nn_test::registry().at(method);
  job.settings = &settings;
  job.seed = 7;
  job.cubes = &cubes;
  job.train = sides.train;
  job.validation = sides.held_out;
  job.checkpoint = folder.path() / "state.checkpoint";
  job.weights = folder.path() / "weights.pt";
  Trained result;
  StageEvents events;
  events.rows = [&](const std::vector<LossRow>&, const std::vector<MetricRow>& rows) {
    for (const MetricRow& row : rows) {
      if (row.split == "val") {
        result.metrics[row.name] = row.value;
        if (row.name.ends_with("accuracy")) {
          result.chance = row.chance;
        }
      }
    }
  };
  const std::clock_t start = std::clock();
  result.steps = pretrain(job, events).steps;
  result.seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  return result;
}

void report(const std::string& line) {
  std::cout << line << std::endl;
}

double binomial_bound(int n, double p, double beyond) {
  double at_most = 0;  // P(hits <= k)
  for (int k = 0; k <= n; ++k) {
    at_most += std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) +
                        k * std::log(p) + (n - k) * std::log1p(-p));
    if (1 - at_most < beyond) {
      return static_cast<double>(k) / n;
    }
  }
  return 1;
}

double bounded_mean_bound(int n, double mean, double beyond) {
  double low = mean;
  double high = 1;
  for (int i = 0; i < 60; ++i) {
    const double q = 0.5 * (low + high);
    const double divergence =
        q * std::log(q / mean) + (q < 1 ? (1 - q) * std::log((1 - q) / (1 - mean)) : 0);
    (std::exp(-n * divergence) < beyond ? high : low) = q;
  }
  return high;
}

}  // namespace sar::learning_test
