#include "experiments/runner.h"

#include "experiments/worker_process.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/machine.h"
#include "harness/core/signals.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>

namespace sar {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

/// Rough cost of a node relative to the others, for the ETA only.
double weight_of(const PlannedNode& node) {
  if (node.kind == "pretrain") {
    return 20;
  }
  if (node.kind == "finetune") {
    return 8;
  }
  return node.kind == "evaluate" ? 2 : 3;
}

StoredLoss stored(const events::Loss& row) {
  return {row.step, row.epoch, row.split, row.loss, row.learning_rate, row.seconds};
}

StoredMetric stored(const events::Metric& row) {
  return {row.epoch, row.split, row.name, row.value, row.chance};
}

StoredCaseDice stored(const jobs::CaseDice& row) {
  return {row.case_id,
          row.target,
          row.bucket,
          row.volume_mm3,
          row.dice,
          row.voxels_both,
          row.voxels_predicted,
          row.voxels_true};
}

template <class Row>
auto stored(const std::vector<Row>& rows) {
  std::vector<decltype(stored(rows.front()))> all;
  all.reserve(rows.size());
  for (const Row& row : rows) {
    all.push_back(stored(row));
  }
  return all;
}

// What a result says about its node; returns its rows.

std::vector<StoredCaseDice> apply(const jobs::ProductResult& result, NodeRow& row) {
  row.sha256 = result.sha256;
  return {};
}

std::vector<StoredCaseDice> apply(const jobs::TrainingResult& result, NodeRow& row) {
  row.sha256 = result.sha256;
  row.seconds = result.seconds;
  row.determinism = result.determinism;
  row.peak_rss_mb = result.peak_rss_mb;
  row.peak_gpu_mb = result.peak_gpu_mb;
  row.samples_per_s = result.samples_per_s;
  return {};
}

std::vector<StoredCaseDice> apply(const jobs::Evaluate::Result& result, NodeRow& row) {
  row.sha256 = result.sha256;
  row.seconds = result.seconds;
  row.determinism = result.determinism;
  row.peak_rss_mb = result.peak_rss_mb;
  row.samples_per_s = result.samples_per_s;
  return stored(result.dice);
}

/// A worker and the node that it is busy with.
struct Slot {
  std::unique_ptr<WorkerProcess> worker;
  const PlannedNode* node = nullptr;
  std::optional<FileLock> lock;
  NodeRow row;
  Clock::time_point started;
  double fraction = 0;
  bool replaces_result = false;  ///< --force on a stored result
};

class Execution {
 public:
  Execution(const Plan& plan,
            Store& store,
            const Catalog& catalog,
            const fs::path& state_folder,
            const std::vector<TableSpec>& tables,
            const RunOptions& options)
      : plan_(plan),
        store_(store),
        catalog_(catalog),
        state_folder_(fs::absolute(state_folder)),
        tables_(tables),
        options_(options) {}

  RunReport run() {
    const auto start = Clock::now();
    register_plan();
    choose_work();
    report_.nodes_planned = static_cast<int>(plan_.nodes.size());
    Progress progress(options_.quiet ? Progress::Style::none : options_.progress,
                      static_cast<int>(wanted_.size()),
                      options_.color);
    progress_ = &progress;
    slots_.resize(static_cast<std::size_t>(std::max(1, options_.jobs)));
    loop();
    store_.renew_statistics(plan_.protocol.protocol, tables_);
    write_status(report_.interrupted ? "interrupted" : "finished");
    summarise();
    report_.seconds = seconds_since(start);
    return report_;
  }

 private:
  enum class State { waiting, running, done, failed, skipped };

  // --- what is to be done ---------------------------------------------------------------------

  void register_plan() {
    store_.put_protocol(plan_.protocol);
    for (const auto& node : plan_.nodes) {
      {
        NodeRow row;
        row.key = node.key;
        row.kind = node.kind;
        row.inputs = node.inputs;
        row.path = node.product.string();
        store_.register_node(row);
      }
    }
    for (const auto& [method, nodes] : plan_.pretraining) {
      for (const auto& node : nodes) {
        store_.put_pretraining(plan_.protocol.protocol, method, node);
      }
    }
    for (const auto& cell : plan_.cells) {
      store_.put_cell(cell.row);
    }
    store_.renew_statistics(plan_.protocol.protocol,
                            tables_);  // nodes of an earlier run may already fill cells
  }

  void choose_work() {
    for (const auto& node : plan_.nodes) {
      const auto stored = store_.node(node.key);
      const bool done = !options_.force && is_done(store_, node);
      const bool failed =
          stored && stored->state == NodeState::failed && !options_.retry_failed && !options_.force;
      state_[node.key] = done ? State::done : failed ? State::failed : State::waiting;
      if (failed) {
        failures_[node.key] = stored->reason;
      }
      if (stored && stored->state == NodeState::failed) {
        stored_failures_.insert(node.key);
      }
    }
    // Only nodes that an unfinished cell needs; with a limit, only the first so many such cells.
    int started = 0;
    for (const auto& cell : plan_.cells) {
      const State state = state_[cell.row.evaluate_node];
      const bool asked =
          !options_.retry_failed || stored_failures_.contains(cell.row.evaluate_node);
      if (state == State::done || state == State::failed || !asked) {
        continue;
      }
      if (options_.limit > 0 && started >= options_.limit) {
        continue;
      }
      ++started;
      want(cell.row.evaluate_node);
    }
    for (const auto& key : plan_.targets) {
      const bool asked = !options_.retry_failed || stored_failures_.contains(key);
      if (state_[key] == State::waiting && asked &&
          (options_.limit == 0 || started < options_.limit)) {
        ++started;
        want(key);
      }
    }
    for (const auto& node : plan_.nodes) {
      if (state_[node.key] == State::done) {
        ++report_.nodes_stored;
      }
    }
    for (const auto& key : wanted_) {
      total_weight_ += weight_of(plan_.node(key));
    }
  }

  /// Marks a node and what it needs, unless stored.
  void want(const std::string& key) {
    if (state_[key] == State::done || wanted_.contains(key)) {
      return;
    }
    wanted_.insert(key);
    for (const auto& need : plan_.node(key).needs) {
      want(need);
    }
  }

  // --- the loop -------------------------------------------------------------------------------

  void loop() {
    while (true) {
      propagate_failures();
      if (stop_signals() > 0 && !stopping_) {
        stopping_ = true;
        report_.interrupted = true;
        if (!options_.quiet) {
          progress_->message(
              "stopping: waiting for workers to write their checkpoints (once more to stop at "
              "once)");
        }
        for (auto& slot : slots_) {
          if (slot.node != nullptr) {
            slot.worker->interrupt();
          }
        }
      }
      if (stop_signals() > 1) {
        for (auto& slot : slots_) {
          if (slot.node != nullptr) {
            slot.worker->kill();
          }
        }
      }
      if (!stopping_) {
        assign();
      }
      if (std::ranges::none_of(slots_, [](const Slot& slot) { return slot.node != nullptr; })) {
        if (stopping_ || !waiting_for_others_) {
          return;
        }
        ::usleep(300'000);  // another process holds the locks of all that is left
        show_progress();
        continue;
      }
      wait_for_events();
      show_progress();
    }
  }

  bool is_ready(const PlannedNode& node) {
    return std::ranges::all_of(
        node.needs, [&](const std::string& need) { return state_[need] == State::done; });
  }

  void assign() {
    waiting_for_others_ = false;
    for (auto& slot : slots_) {
      if (slot.node != nullptr) {
        continue;
      }
      for (const auto& node : plan_.nodes) {
        if (!wanted_.contains(node.key) || state_[node.key] != State::waiting || !is_ready(node)) {
          continue;
        }
        FileLock lock = FileLock::attempt(state_folder_ / "locks" / (node.key + ".lock"));
        if (!lock.locked()) {
          waiting_for_others_ = true;
          continue;
        }
        if (!options_.force && is_done(store_, node)) {  // another process finished it meanwhile
          complete(node);
          continue;
        }
        if (const auto stored = store_.node(node.key);
            stored && stored->state == NodeState::failed && !options_.force &&
            !options_.retry_failed) {  // ... or failed on it
          state_[node.key] = State::failed;
          failures_[node.key] = stored->reason;
          waiting_for_others_ = true;  // look again: others may depend on it
          continue;
        }
        start(slot, node, std::move(lock));
        break;
      }
    }
  }

  void start(Slot& slot, const PlannedNode& node, FileLock lock) {
    if (!slot.worker) {
      slot.worker = std::make_unique<WorkerProcess>(catalog_.worker());
    }
    const auto stored = store_.node(node.key);
    const Version source = own_version();
    slot.node = &node;
    slot.lock.emplace(std::move(lock));
    slot.started = Clock::now();
    slot.fraction = 0;
    slot.row = NodeRow{};
    slot.row.key = node.key;
    slot.row.kind = node.kind;
    slot.row.inputs = node.inputs;
    slot.row.state = NodeState::running;
    slot.row.started = stored && !stored->started.empty() && stored->state != NodeState::done
                           ? stored->started
                           : utc_now();
    slot.row.path = node.product.string();
    slot.row.host = host_name();
    slot.row.machine = machine_description();
    slot.row.commit = source.commit;
    slot.row.dirty = source.dirty;
    slot.row.torch = catalog_.versions().at("torch");
    slot.row.itk = catalog_.versions().at("itk");
    slot.row.command = options_.command;
    jobs::NodeJob job = node.job;
    jobs::NodeFields& fields = jobs::fields_of(job);
    slot.row.device = fields.settings.at("compute.device");
    slot.row.threads = fields.settings.at("compute.threads");
    // A result that is being made anew stays as it is until the new one is complete.
    slot.replaces_result = stored && stored->state == NodeState::done;
    if (!slot.replaces_result) {
      store_.put_node(slot.row);
    }
    state_[node.key] = State::running;
    fs::create_directories(node.product.parent_path());
    for (const auto& need : node.needs) {  // where it really lies: perhaps in another work folder
      fields.products[need] = store_.node(need)->path;
    }
    std::visit([&](auto& each) { slot.worker->send(std::move(each)); }, job);
  }

  void wait_for_events() {
    std::vector<pollfd> descriptors;
    std::vector<Slot*> polled;
    for (auto& slot : slots_) {
      if (slot.worker) {
        for (const int descriptor : slot.worker->descriptors()) {
          descriptors.push_back({descriptor, POLLIN, 0});
        }
        polled.push_back(&slot);
      }
    }
    if (::poll(descriptors.data(), descriptors.size(), 500) <= 0) {
      return;
    }
    for (Slot* slot : polled) {
      handle(*slot);
    }
  }

  void handle(Slot& slot) {
    for (const events::Event& event : slot.worker->receive()) {
      if (slot.node != nullptr) {
        std::visit([&](const auto& each) { take(slot, each); }, event);
      }
    }
    if (slot.worker && slot.worker->ended()) {
      const std::string how = slot.worker->wait();
      if (slot.node != nullptr) {
        if (stopping_) {
          release(slot, State::waiting);
        } else {
          fail(slot, "the worker ended unexpectedly: " + how);
        }
      }
      slot.worker.reset();
    }
  }

  void take(Slot& /*slot*/, const events::Hello& /*event*/) {}

  void take(Slot& slot, const events::Progress& event) { slot.fraction = event.fraction(); }

  void take(Slot& slot, const events::Rows& event) {
    store_.put_rows(slot.node->key, stored(event.losses), stored(event.metrics));
  }

  void take(Slot& slot, const events::Warning& event) {
    progress_->message("warning: " + slot.node->label + ": " + event.text);
  }

  void take(Slot& slot, const events::Done& event) { finish(slot, event.result); }

  void take(Slot& slot, const events::Failed& event) { fail(slot, event.reason); }

  void take(Slot& slot, const events::Interrupted& /*event*/) {
    release(slot, State::waiting);
    slot.worker.reset();
  }

  void release(Slot& slot, State state) {
    state_[slot.node->key] = state;
    if (state == State::waiting && !slot.replaces_result) {
      slot.row.state = NodeState::pending;
      store_.put_node(slot.row);
    }
    slot.node = nullptr;
    slot.lock.reset();
  }

  void finish(Slot& slot, const Json& result) {
    NodeRow& row = slot.row;
    row.state = NodeState::done;
    row.ended = utc_now();
    row.seconds = seconds_since(slot.started);
    row.determinism = "bit-exact";
    const auto dice = std::visit(
        [&](const auto& job) {
          return apply(jobs::result_of<std::decay_t<decltype(job)>>(result), row);
        },
        slot.node->job);
    store_.finish_node(row, dice);
    if (row.kind == "evaluate") {
      store_.renew_statistics(plan_.protocol.protocol, tables_);
    }
    ++report_.nodes_run;
    const PlannedNode* node = slot.node;
    slot.node = nullptr;
    slot.lock.reset();
    complete(*node);
  }

  void complete(const PlannedNode& node) {
    state_[node.key] = State::done;
    done_weight_ += weight_of(node);
    ++done_nodes_;
  }

  void fail(Slot& slot, const std::string& reason) {
    slot.row.state = NodeState::failed;
    slot.row.reason = reason;
    slot.row.ended = utc_now();
    slot.row.seconds = seconds_since(slot.started);
    if (slot.replaces_result) {
      store_.add_failure(slot.row);
    } else {
      store_.put_node(slot.row);
    }
    failures_[slot.node->key] = reason;
    progress_->message("failed: " + slot.node->label + ": " + reason);
    state_[slot.node->key] = State::failed;
    slot.node = nullptr;
    slot.lock.reset();
    if (options_.fail_fast) {
      stopping_ = true;
      for (auto& other : slots_) {
        if (other.node != nullptr) {
          other.worker->interrupt();
        }
      }
    }
  }

  /// A node whose input failed can never run: it is stored as failed with that reason.
  void propagate_failures() {
    for (const auto& node : plan_.nodes) {
      if (!wanted_.contains(node.key) || state_[node.key] != State::waiting) {
        continue;
      }
      for (const auto& need : node.needs) {
        if (state_[need] == State::failed) {
          const std::string reason =
              "not run, because '" + plan_.node(need).label + "' failed: " + failures_[need];
          state_[node.key] = State::failed;
          failures_[node.key] = reason;
          if (const auto stored = store_.node(node.key);
              stored && stored->state == NodeState::done) {
            break;  // --force: the result that was to be made anew stays
          }
          NodeRow row;
          row.key = node.key;
          row.kind = node.kind;
          row.inputs = node.inputs;
          row.state = NodeState::failed;
          row.reason = reason;
          row.path = node.product.string();
          store_.put_node(row);
          break;
        }
      }
    }
  }

  // --- reporting ------------------------------------------------------------------------------

  void show_progress() {
    std::map<std::string, double> running;
    for (const auto& slot : slots_) {
      if (slot.node != nullptr) {
        running[slot.node->label] = slot.fraction;
      }
    }
    progress_->update(done_nodes_, fraction_done(), running);
    if (seconds_since(last_status_) > 1) {
      last_status_ = Clock::now();
      write_status("running");
    }
  }

  [[nodiscard]] double fraction_done() const {
    double weight = done_weight_;
    for (const auto& slot : slots_) {
      weight += slot.node != nullptr ? slot.fraction * weight_of(*slot.node) : 0;
    }
    return total_weight_ > 0 ? weight / total_weight_ : 1;
  }

  /// What `sar-bench status` reads from another terminal, about once a second.
  void write_status(const std::string& state) {
    Json kinds = Json::object();  // of the whole plan, stored work included
    Json failures = Json::array();
    for (const auto& node : plan_.nodes) {
      const State now = state_[node.key];
      Json& kind = kinds[node.kind];
      if (kind.is_null()) {
        kind = {{"planned", 0}, {"done", 0}, {"failed", 0}};
      }
      const auto count = [](Json& number) { number = number.get<int>() + 1; };
      count(kind["planned"]);
      if (now == State::done || now == State::failed) {
        count(kind[now == State::done ? "done" : "failed"]);
      }
      if (now == State::failed && failures.size() < 100) {
        failures.push_back({{"label", node.label}, {"reason", failures_[node.key]}});
      }
    }
    Json cells{{"planned", plan_.cells.size()}, {"done", 0}, {"failed", 0}};
    for (const auto& cell : plan_.cells) {
      const State now = state_[cell.row.evaluate_node];
      if (now == State::done || now == State::failed) {
        Json& count = cells[now == State::done ? "done" : "failed"];
        count = count.get<int>() + 1;
      }
    }
    Json workers = Json::array();
    Json running = Json::object();
    for (const auto& slot : slots_) {
      if (slot.node != nullptr) {
        workers.push_back({{"label", slot.node->label},
                           {"kind", slot.node->kind},
                           {"fraction", slot.fraction},
                           {"seconds", seconds_since(slot.started)}});
        running[slot.node->label] = slot.fraction;
      }
    }
    Json experiments = Json::array();
    for (const auto& part : plan_.parts) {
      experiments.push_back(part.experiment);
    }
    const Json json{{"state", state},
                    {"pid", ::getpid()},
                    {"host", host_name()},
                    {"updated", utc_now()},
                    {"protocol", plan_.protocol.protocol},
                    {"profile", plan_.protocol.profile},
                    {"data_kind", plan_.protocol.data_kind},
                    {"experiments", std::move(experiments)},
                    {"nodes_done", done_nodes_},
                    {"nodes_wanted", wanted_.size()},
                    {"kinds", std::move(kinds)},
                    {"cells", std::move(cells)},
                    {"fraction", fraction_done()},
                    {"elapsed_s", seconds_since(begin_)},
                    {"workers", std::move(workers)},
                    {"running", std::move(running)},
                    {"failures", std::move(failures)}};
    write_file_atomically(state_folder_ / "status.json", to_text(json));
  }

  void summarise() {
    for (const auto& node : plan_.nodes) {
      if (state_[node.key] == State::failed) {
        ++report_.nodes_failed;
        report_.failures.push_back(node.label + ": " + failures_[node.key]);
      } else if (state_[node.key] != State::done) {
        ++report_.nodes_not_reached;
      }
    }
    for (const auto& cell : plan_.cells) {
      const State state = state_[cell.row.evaluate_node];
      if (state == State::done) {
        ++report_.cells_done;
      } else if (state == State::failed) {
        ++report_.cells_failed;
      } else {
        ++report_.cells_missing;
      }
    }
  }

  const Plan& plan_;
  Store& store_;
  const Catalog& catalog_;
  fs::path state_folder_;
  const std::vector<TableSpec>& tables_;
  RunOptions options_;
  RunReport report_;
  Progress* progress_ = nullptr;
  std::vector<Slot> slots_;
  std::map<std::string, State> state_;
  std::map<std::string, std::string> failures_;
  std::set<std::string> wanted_;
  std::set<std::string> stored_failures_;  ///< as they were before this run
  double total_weight_ = 0, done_weight_ = 0;
  int done_nodes_ = 0;
  bool stopping_ = false;
  bool waiting_for_others_ = false;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point last_status_{};
};

}  // namespace

RunReport execute(const Plan& plan,
                  Store& store,
                  const Catalog& catalog,
                  const fs::path& state_folder,
                  const std::vector<TableSpec>& tables,
                  const RunOptions& options) {
  return Execution(plan, store, catalog, state_folder, tables, options).run();
}

bool is_done(const Store& store, const PlannedNode& node) {
  const auto stored = store.node(node.key);
  // An evaluation is its rows; of other work the product must still be there to be used.
  return stored && stored->state == NodeState::done &&
         (node.kind == "evaluate" || fs::exists(stored->path));
}

std::string utc_now() {
  return fmt::format(
      "{:%Y-%m-%dT%H:%M:%SZ}",
      fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

}  // namespace sar
