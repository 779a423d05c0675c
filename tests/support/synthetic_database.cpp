#include "tests/support/synthetic_database.h"

#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/core/rng.h"
#include "results/database/store.h"
#include "results/paper/paper.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sar::test {
namespace {

namespace fs = std::filesystem;

const std::string kProtocol = "5e57ab1e0ddba11cafe5";

class Maker {
 public:
  Maker(const fs::path& file, const SyntheticRuns& runs)
      : file_(file), runs_(runs), store_(file, Store::Mode::read_write) {}

  void make() {
    store_.put_protocol(
        {kProtocol,
         runs_.data_kind,
         "quick",
         {{"shared", {{"network.base_channels", 8}, {"brats.list", text(0, "")}}},
          {"methods", Json::object()},
          {"numerics",
           {{"device", "cpu"}, {"numerics_version", 1}, {"precision", "fp32"}, {"threads", 1}}}},
         {{"data_kind", runs_.data_kind},
          {"datasets",
           {{"brats",
             {{"cases", 2 * cases_of("brats")},
              {"digest", "b7"},
              {"left_out", {text(1, "Brats18_PHA_099_1")}}}},
            {"pancreas",
             {{"cases", 2 * cases_of("brats")}, {"digest", "a5"}, {"left_out", Json::array()}}}}}},
         false});
    count_data();
    for (std::size_t m = 0; m < runs_.methods.size(); ++m) {
      pretrain(m);
      for (const std::string& task : runs_.tasks) {
        run_trials(m, task, "1");
        if (std::ranges::find(runs_.fraction_methods, runs_.methods[m]) !=
            runs_.fraction_methods.end()) {
          for (const std::string& fraction : runs_.fractions) {
            run_trials(m, task, fraction);
          }
        }
      }
    }
    std::vector<TableSpec> families;
    const Paper paper = read_paper(fs::path(SARBENCH_SOURCE_DIR) / "experiments/papers/sar2021");
    for (const PrintedTable& table : paper.tables) {
      families.push_back(table.spec);
    }
    store_.renew_statistics(kProtocol, families);
  }

 private:
  /// The i-th hostile text, or a plain one.
  [[nodiscard]] std::string text(std::size_t i, const std::string& plain) const {
    const auto& hostile = hostile_texts();
    return runs_.hostile ? hostile[i % hostile.size()] : plain;
  }

  [[nodiscard]] int cases_of(const std::string& task) const {
    return task == "pancreas" ? runs_.rows_per_trial / 2 : runs_.rows_per_trial;
  }

  [[nodiscard]] std::string case_id(const std::string& task, int i) const {
    const std::string plain = fmt::format("{}_{:03}", task, i);
    const auto place = static_cast<std::size_t>(i);
    return runs_.hostile && place < hostile_texts().size() ? hostile_texts()[place] : plain;
  }

  NodeRow node(const std::string& kind, const std::string& name, std::size_t variety) const {
    NodeRow row;
    row.kind = kind;
    row.key = kind.substr(0, 2) + "-" + name;
    std::ranges::replace(row.key, '/', '-');
    row.inputs = {{"kind", kind}, {"protocol", kProtocol}};
    row.state = NodeState::done;
    row.started = "2024-05-01T10:00:00Z";
    row.ended = fmt::format("2024-05-01T11:{:02}:00Z", variety % 60);
    row.seconds = 60 + static_cast<double>(variety % 7);
    row.path = "/data/" + text(variety, "runs") + "/" + row.key;
    row.sha256 = std::string(64, "0123456789abcdef"[variety % 16]);
    row.host = text(variety, "node1");
    row.device = variety % 5 == 0 ? text(3, "cpu") : "cpu";
    row.commit = "0123456789abcdef0123456789abcdef01234567";
    row.torch = "1.13.1";
    row.itk = "5.2.1";
    row.determinism = "bit-exact";
    row.peak_rss_mb = 500;
    row.samples_per_s = 12.5;
    row.command = "sar-bench run all --db '" + text(variety + 2, "runs.sqlite") + "'";
    row.machine = text(variety + 1, "AMD EPYC, glibc 2.36");
    return row;
  }

  void count_data() {
    NodeRow survey = node("survey", "all", 0);
    const fs::path product = file_.string() + ".work/survey.json";
    Json sets = Json::array();
    for (const char* set : {"luna", "lits", "brats", "heart"}) {
      sets.push_back({{"dataset", set},
                      {"paper_name", set},
                      {"modality", text(0, "CT")},
                      {"organ", text(1, "Lung")},
                      {"patients", 7},
                      {"volumes", 7},
                      {"median_shape_voxels", {34, 56, 56.5}},
                      {"median_prepared_shape_voxels", {61, 67, 67}},
                      {"cubes", {{"small", 112}, {"medium", 56}, {"large", 56}}}});
    }
    const std::string counted = Json{{"datasets", sets}}.dump();
    write_file_atomically(product, counted);
    survey.path = product.string();
    survey.sha256 = sha256(counted);
    store_.put_node(survey);
  }

  [[nodiscard]] std::vector<StoredLoss> losses(const Rng& rng, double scale) const {
    std::vector<StoredLoss> rows;
    Rng noise = rng.at("losses");
    for (int epoch = 1; epoch <= runs_.epochs; ++epoch) {
      for (int i = 1; i <= runs_.steps_per_epoch; ++i) {
        const std::int64_t step = (epoch - 1) * runs_.steps_per_epoch + i;
        const double loss =
            scale * std::exp(-0.1 * static_cast<double>(step)) + 0.05 * noise.uniform() + 0.1;
        rows.push_back({step, epoch, "train", loss, 0.01, static_cast<double>(step)});
        if (i == runs_.steps_per_epoch) {
          rows.push_back({step, epoch, "val", loss * 1.1, 0.01, static_cast<double>(step)});
        }
      }
    }
    return rows;
  }

  void pretrain(std::size_t m) {
    const std::string& method = runs_.methods[m];
    if (method == "scratch") {
      return;
    }
    const NodeRow row = node("pretrain", method, m);
    store_.put_node(row);
    store_.put_pretraining(kProtocol, method, row.key);
    std::vector<StoredMetric> metrics;
    for (int epoch = 1; epoch <= runs_.epochs; ++epoch) {
      for (const char* split : {"train", "val"}) {
        const double value = 0.5 + 0.1 * epoch - 0.01 * static_cast<double>(m);
        metrics.push_back({epoch, split, "scale_accuracy", value, 0.5});
        metrics.push_back({epoch, split, "restoration_mse", 0.1 / epoch, std::nullopt});
      }
    }
    store_.put_rows(row.key, losses(Rng(m), 2), metrics);
  }

  /// Percent, before chance: later methods are better, fewer labels are worse.
  [[nodiscard]] double level(std::size_t m, const std::string& fraction) const {
    const double divisor = fraction == "1" ? 1 : std::stod(fraction.substr(2));
    return 58 + 1.5 * static_cast<double>(m) - 6 * std::log2(divisor) / 2;
  }

  [[nodiscard]] std::vector<StoredCaseDice> dice(const Rng& rng,
                                                 const std::string& task,
                                                 double mean) const {
    std::vector<StoredCaseDice> rows;
    Rng noise = rng.at("dice");
    const double trial = 2 * noise.normal();
    for (int i = 0; i < cases_of(task); ++i) {
      const std::string id = case_id(task, i);
      const auto add = [&](const std::string& target, const std::string& bucket, double shift) {
        const std::int64_t voxels = 500 + 400 * i;
        const double wanted =
            std::clamp(mean + shift + trial + 3 * noise.normal(), 1.0, 99.0) / 100;
        const auto both = static_cast<std::int64_t>(std::llround(wanted * double(voxels)));
        rows.push_back({id,
                        target,
                        bucket,
                        static_cast<double>(voxels),
                        100.0 * static_cast<double>(both) / static_cast<double>(voxels),
                        both,
                        voxels,
                        voxels});
      };
      if (task == "pancreas") {
        add("organ", "all", 10);
        add("tumor", "all", -20);
      } else {
        const int quarter = 4 * i / cases_of(task);
        add("tumor", quarter == 0 ? "S" : quarter == 3 ? "L" : "M", 4.0 * quarter - 6);
      }
    }
    return rows;
  }

  void run_trials(std::size_t m, const std::string& task, const std::string& fraction) {
    const std::string& method = runs_.methods[m];
    for (int trial = 0; trial < runs_.trials; ++trial) {
      const bool failed =
          runs_.gaps && method == "mial" && task == "brats" && trial == runs_.trials - 1;
      const bool never = runs_.gaps && ((method == "cpc" && task == "brats") ||
                                        (method == "rot" && task == "pancreas" && trial > 0));
      const std::size_t variety = 31 * m + 7 * fraction.size() + static_cast<std::size_t>(trial);
      const std::string name = fmt::format("{}/{}/{}/{}", method, task, fraction, trial);
      const Rng rng = Rng(m).at(task, {static_cast<std::uint64_t>(trial), fraction.size()});
      NodeRow finetune = node("finetune", name, variety);
      finetune.inputs["train"] = {case_id(task, 0), case_id(task, 1), "train_1", "train_2"};
      finetune.inputs["validation"] = {case_id(task, 2)};
      NodeRow evaluate = node("evaluate", name, variety + 1);
      evaluate.inputs["test"] = Json::array();
      if (failed) {
        finetune.state = NodeState::failed;
        finetune.reason = text(0, "the loss was not a number") + "\n" + text(1, "at step 12");
      }
      if (never) {
        finetune.state = NodeState::pending;
        finetune.started = finetune.ended = "";
      }
      if (failed || never) {
        evaluate.state = NodeState::pending;
        evaluate.started = evaluate.ended = "";
      }
      CellRow cell;
      cell.cell_key = "ce-" + finetune.key.substr(3);
      cell.protocol = kProtocol;
      cell.method = method;
      cell.task = task;
      cell.fraction = fraction;
      cell.trial = trial;
      cell.seed = ~std::uint64_t{0xF} + static_cast<std::uint64_t>(trial);
      cell.pretrain_node = method == "scratch" ? "" : "pr-" + method;
      cell.finetune_node = finetune.key;
      cell.evaluate_node = evaluate.key;
      store_.put_node(finetune);
      store_.put_node(evaluate);
      store_.put_cell(cell);
      if (!never) {
        store_.put_rows(finetune.key, losses(rng, 1 + 0.1 * static_cast<double>(m)), {});
      }
      if (!failed && !never) {
        store_.finish_node(evaluate, dice(rng, task, level(m, fraction)));
      }
    }
  }

  fs::path file_;
  const SyntheticRuns& runs_;
  Store store_;
};

}  // namespace

const std::vector<std::string>& hostile_texts() {
  static const std::vector<std::string> texts{
      "<script>document.title=\"owned\"</script>",
      "\"><img class=\"owned\" src=owned onerror=\"document.title='owned'\">",
      "' onmouseover='document.title=`owned`' x='",
      "</script><b class=owned>&amp;&lt;b class=owned&gt;&#60;",
      "{{{page}}} {{#sections}} ]]> --> <!-- </style></title>",
      "back\\slash\\n $HOME `id` %s 100 % _under_ ~tilde^ #1 {brace}",
      "a tab\there, a line\nthere",
      "\u200f\u202e\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 \u202c "
      "\U0001F9E0\U0001F469\u200D\U0001F52C \u4e2d\u6587",
      "=1+1;|pipe,comma;\"quote\"",
      "very_long_" + std::string(300, 'x') + "_id"};
  return texts;
}

void write_synthetic_database(const fs::path& file, const SyntheticRuns& runs) {
  Maker(file, runs).make();
}

}  // namespace sar::test
