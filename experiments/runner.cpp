#include "experiments/runner.h"

#include "experiments/node_results.h"
#include "experiments/products.h"
#include "experiments/run_status.h"
#include "experiments/schedule.h"
#include "experiments/worker_process.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/machine.h"
#include "harness/core/signals.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
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

/// A worker and the node that it is busy with.
struct Slot {
  std::unique_ptr<WorkerProcess> worker;
  const PlannedNode* node = nullptr;
  std::size_t position = 0;  ///< of the node in the plan
  std::optional<FileLock> lock;
  NodeRow row;
  Clock::time_point started;
  double fraction = 0;
  bool replaces_result = false;  ///< --force on a stored result
  bool retired = false;          ///< its worker could not say its version; another would not either
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
        options_(options) {
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
      positions_.emplace(plan.nodes[i].key, i);
    }
  }

  RunReport run() {
    const auto start = Clock::now();
    register_plan();
    choose_work();
    store_lost();
    report_.nodes_planned = static_cast<int>(plan_.nodes.size());
    Progress progress(
        options_.quiet ? Progress::Style::none : options_.progress, wanted_, options_.color);
    progress_ = &progress;
    for (const std::string& each : damaged_) {
      progress.message("warning: " + each);
    }
    slots_.resize(static_cast<std::size_t>(std::max(1, options_.jobs)));
    try {
      loop();
    } catch (...) {
      wind_down();
      throw;
    }
    store_.renew_statistics(plan_.protocol.protocol, tables_);
    write_status(status(report_.interrupted ? "interrupted" : "finished"), state_folder_);
    summarise();
    report_.seconds = seconds_since(start);
    return report_;
  }

 private:
  // --- what is to be done ---------------------------------------------------------------------

  void register_plan() {
    store_.put_protocol(plan_.protocol);
    for (const auto& node : plan_.nodes) {
      store_.register_node(row_of(node));
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

  static NodeRow row_of(const PlannedNode& node) {
    NodeRow row;
    row.key = node.key;
    row.kind = node.kind;
    row.inputs = node.inputs;
    row.path = node.product.string();
    return row;
  }

  /// Only nodes that an unfinished cell or target needs; with a limit, only of the first so many.
  void choose_work() {
    const ExpectedSeconds expected(store_.nodes(plan_.protocol.protocol));
    std::vector<WorkItem> items;
    std::set<std::size_t> stored_failures;
    for (const auto& node : plan_.nodes) {
      WorkItem item{{}, expected.of(node.kind, node.inputs), WorkState::idle};
      for (const auto& need : node.needs) {
        item.needs.push_back(positions_.at(need));
      }
      const auto stored = store_.node(node.key);
      const bool failed = stored && stored->state == NodeState::failed;
      if (failed) {
        stored_failures.insert(items.size());
      }
      if (!options_.force && is_done(store_, node)) {
        item.state = WorkState::done;
        ++report_.nodes_stored;
      } else if (failed && !options_.retry_failed && !options_.force) {
        item.state = WorkState::failed;
        reasons_[items.size()] = stored->reason;
      }
      items.push_back(std::move(item));
    }
    std::set<std::size_t> wanted;
    const auto want = [&](const auto& self, std::size_t position) -> void {
      WorkItem& item = items[position];
      if (item.state == WorkState::done && sound(position)) {
        return;
      }
      if (!wanted.insert(position).second) {
        return;
      }
      if (item.state == WorkState::done) {  // stored, but what it left is damaged
        item.state = WorkState::idle;
        --report_.nodes_stored;
      }
      total_seconds_ += item.seconds;
      if (item.state == WorkState::idle) {
        item.state = WorkState::waiting;
        for (const std::size_t need : item.needs) {
          self(self, need);
        }
      }
    };
    int started = 0;
    const auto ask = [&](const std::string& key) {
      const std::size_t position = positions_.at(key);
      const WorkState state = items[position].state;
      const bool open = state != WorkState::done && state != WorkState::failed;
      const bool asked = !options_.retry_failed || stored_failures.contains(position);
      if (open && asked && (options_.limit == 0 || started < options_.limit)) {
        ++started;
        want(want, position);
      }
    };
    for (const auto& cell : plan_.cells) {
      ask(cell.row.evaluate_node);
    }
    for (const auto& key : plan_.targets) {
      ask(key);
    }
    wanted_ = static_cast<int>(wanted.size());
    queue_.emplace(std::move(items));
  }

  /// Why what a stored node left cannot be used; empty if it can. An evaluation is its rows.
  [[nodiscard]] std::string fault_of(const PlannedNode& node) const {
    const auto stored = store_.node(node.key);
    return node.kind == "evaluate" ? "" : product_fault(node.kind, stored->path, stored->sha256);
  }

  /// The same, read once before anything starts; what is damaged is made again, and that is said.
  bool sound(std::size_t position) {
    const auto [entry, first] = sound_.emplace(position, true);
    if (first && !stop_asked()) {  // else nothing starts
      const PlannedNode& node = plan_.nodes[position];
      const std::string fault = fault_of(node);
      entry->second = fault.empty();
      if (!fault.empty()) {
        damaged_.push_back(node.label + " is made again, its product cannot be used: " + fault +
                           " [file: " + store_.node(node.key)->path + "]");
      }
    }
    return entry->second;
  }

  // --- the loop -------------------------------------------------------------------------------

  /// Nothing starts from now on, and workers are asked to write their checkpoints.
  void stop() {
    stopping_ = true;
    for (auto& slot : slots_) {
      if (slot.node != nullptr && slot.worker) {
        slot.worker->stop(stop_insisted());
      }
    }
  }

  /// After an error: the other workers write their checkpoints, and nothing stays "running". What
  /// fails on the way says less than that error.
  void wind_down() {
    try {
      stop();
      loop();
      write_status(status("interrupted"), state_folder_);
    } catch (const std::exception&) {
    }
    for (auto& slot : slots_) {
      try {
        slot.worker.reset();
        if (slot.node != nullptr) {
          release(slot);
        }
      } catch (const std::exception&) {
      }
    }
  }

  void loop() {
    while (true) {
      if (stop_asked() && !stopping_) {
        report_.interrupted = true;
        if (!options_.quiet) {
          progress_->message(
              "stopping: waiting for workers to write their checkpoints (once more to stop at "
              "once)");
        }
        stopping_ = true;
      }
      if (stopping_) {
        stop();
      } else {
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

  void assign() {
    std::set<std::size_t> of_others;  // another process holds their locks
    const auto busy = [](const Slot& slot) { return slot.node != nullptr; };
    if (std::ranges::any_of(slots_, [&](const Slot& slot) {
          return busy(slot) && alone_.contains(slot.position);
        })) {
      return;
    }
    for (auto& slot : slots_) {
      while (slot.node == nullptr && !slot.retired) {
        std::set<std::size_t> skipped = of_others;
        skipped.insert(alone_.begin(), alone_.end());
        auto next = queue_->next(skipped);
        if (!next && std::ranges::none_of(slots_, busy)) {  // nothing else is left to start
          next = queue_->next(of_others);
          if (next) {
            for (Slot& each : slots_) {  // idle workers keep their memory
              each.worker.reset();
            }
          }
        }
        if (!next) {
          break;
        }
        const PlannedNode& node = plan_.nodes[*next];
        FileLock lock = FileLock::attempt(state_folder_ / "locks" / (node.key + ".lock"));
        if (!lock.locked()) {
          of_others.insert(*next);
          continue;
        }
        if (!options_.force && is_done(store_, node) &&
            fault_of(node).empty()) {  // another process finished it meanwhile
          complete(*next);
          continue;
        }
        if (const auto stored = store_.node(node.key);
            stored && stored->state == NodeState::failed && !options_.force &&
            !options_.retry_failed) {  // ... or failed on it
          give_up(*next, stored->reason);
          continue;
        }
        start(slot, *next, std::move(lock));
      }
    }
    waiting_for_others_ = !of_others.empty();
  }

  void start(Slot& slot, std::size_t position, FileLock lock) {
    const PlannedNode& node = plan_.nodes[position];
    fs::create_directories(node.product.parent_path());
    if (!slot.worker) {
      slot.worker = std::make_unique<WorkerProcess>(catalog_.worker());
    }
    const auto stored = store_.node(node.key);
    const Version source = own_version();
    slot.node = &node;
    slot.position = position;
    slot.lock.emplace(std::move(lock));
    slot.started = Clock::now();
    slot.fraction = 0;
    slot.row = row_of(node);
    slot.row.state = NodeState::running;
    slot.row.started = stored && !stored->started.empty() && stored->state != NodeState::done
                           ? stored->started
                           : utc_now();
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
    queue_->start(position);
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
    std::vector<events::Event> received;
    try {
      received = slot.worker->receive();
    } catch (const Error& error) {
      const bool works = slot.worker->greeted();
      slot.worker->kill();
      slot.worker.reset();
      if (slot.node != nullptr) {
        if (stopping_ || !works) {
          release(slot);
        } else {
          fail(slot, error.what());
        }
      }
      if (!works && !stopping_) {
        slot.retired = true;
        if (std::ranges::all_of(slots_, &Slot::retired)) {
          throw;
        }
        progress_->message(std::string("warning: a worker cannot start, the others go on: ") +
                           error.what());
      }
      return;
    }
    for (const events::Event& event : received) {
      if (slot.node != nullptr) {
        std::visit([&](const auto& each) { take(slot, each); }, event);
      }
    }
    if (slot.worker && slot.worker->ended()) {
      const std::string how = slot.worker->wait();
      if (slot.node != nullptr) {
        if (stopping_) {
          release(slot);
        } else if (slot.worker->was_killed() && alone_.insert(slot.position).second) {
          postpone(slot);
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
    release(slot);
    slot.worker.reset();
    if (!stopping_) {  // somebody stopped the worker itself, or its processor time is up
      report_.interrupted = true;
      stopping_ = true;
    }
  }

  /// The system killed the worker of a node, which it does where memory runs out: the node is tried
  /// once more when nothing else runs. The first attempt is stored among the failures.
  void postpone(Slot& slot) {
    NodeRow attempt = slot.row;
    attempt.state = NodeState::failed;
    attempt.reason =
        "its worker was killed, as the system does where memory runs out; tried once more alone";
    attempt.ended = utc_now();
    attempt.seconds = seconds_since(slot.started);
    store_.add_failure(attempt);
    progress_->message("warning: " + slot.node->label + ": " + attempt.reason);
    release(slot);
  }

  /// The node of a slot waits again.
  void release(Slot& slot) {
    queue_->put_back(slot.position);
    if (!slot.replaces_result) {
      slot.row.state = NodeState::pending;
      store_.put_node(slot.row);
    }
    slot.node = nullptr;
    slot.lock.reset();
  }

  void finish(Slot& slot, const Json& result) {
    NodeRow row = slot.row;
    row.seconds = seconds_since(slot.started);
    row.determinism = "bit-exact";
    row.state = NodeState::done;
    row.ended = utc_now();
    try {
      const std::vector<StoredCaseDice> dice = take_result(slot.node->job, result, row);
      store_.finish_node(row, dice);
    } catch (const Error& error) {
      if (error.code() == ExitCode::input_output) {
        throw;
      }
      fail(slot, error.what());  // the worker's values are at fault
      return;
    }
    if (row.kind == "evaluate") {
      store_.renew_statistics(plan_.protocol.protocol, tables_);
    }
    ++report_.nodes_run;
    slot.node = nullptr;
    slot.lock.reset();
    complete(slot.position);
  }

  void complete(std::size_t position) {
    queue_->finish(position);
    done_seconds_ += queue_->seconds(position);
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
    progress_->message("failed: " + slot.node->label + ": " + reason);
    slot.node = nullptr;
    slot.lock.reset();
    give_up(slot.position, reason);
    if (options_.fail_fast) {
      stop();
    }
  }

  void give_up(std::size_t position, const std::string& reason) {
    reasons_[position] = reason;
    queue_->fail(position);
    store_lost();
  }

  /// A node whose input failed can never run: it is stored as failed with that reason.
  void store_lost() {
    for (const auto& [position, because] : queue_->take_lost()) {
      const PlannedNode& node = plan_.nodes[position];
      reasons_[position] =
          "not run, because '" + plan_.nodes[because].label + "' failed: " + reasons_[because];
      if (const auto stored = store_.node(node.key); stored && stored->state == NodeState::done) {
        continue;  // --force: the result that was to be made anew stays
      }
      NodeRow row = row_of(node);
      row.state = NodeState::failed;
      row.reason = reasons_[position];
      store_.put_node(row);
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
      write_status(status("running"), state_folder_);
    }
  }

  [[nodiscard]] double fraction_done() const {
    if (done_nodes_ == wanted_) {
      return 1;  // whatever the sums' last bits say
    }
    double seconds = done_seconds_;
    for (const auto& slot : slots_) {
      seconds += slot.node != nullptr ? slot.fraction * queue_->seconds(slot.position) : 0;
    }
    return seconds / total_seconds_;
  }

  [[nodiscard]] WorkState state_of(const std::string& key) const {
    return queue_->state(positions_.at(key));
  }

  /// What `sar-bench status` reads from another terminal, about once a second.
  [[nodiscard]] RunStatus status(const std::string& state) const {
    RunStatus status = status_of(
        plan_,
        [&](const std::string& key) { return state_of(key); },
        [&](const std::string& key) { return reasons_.at(positions_.at(key)); });
    status.state = state;
    status.nodes_done = static_cast<std::size_t>(done_nodes_);
    status.nodes_wanted = static_cast<std::size_t>(wanted_);
    status.elapsed_s = seconds_since(begin_);
    status.fraction = fraction_done();
    for (const auto& slot : slots_) {
      if (slot.node != nullptr) {
        status.workers.push_back(
            {slot.node->label, slot.node->kind, slot.fraction, seconds_since(slot.started)});
        status.running[slot.node->label] = slot.fraction;
      }
    }
    return status;
  }

  void summarise() {
    for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
      const WorkState state = queue_->state(i);
      if (state == WorkState::failed) {
        ++report_.nodes_failed;
        report_.failures.push_back(plan_.nodes[i].label + ": " + reasons_[i]);
      } else if (state != WorkState::done) {
        ++report_.nodes_not_reached;
      }
    }
    for (const auto& cell : plan_.cells) {
      const WorkState state = state_of(cell.row.evaluate_node);
      ++(state == WorkState::done     ? report_.cells_done
         : state == WorkState::failed ? report_.cells_failed
                                      : report_.cells_missing);
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
  std::map<std::string, std::size_t> positions_;  ///< of nodes in the plan, by key
  std::optional<WorkQueue> queue_;                ///< of the plan's nodes
  std::set<std::size_t> alone_;        ///< nodes whose worker the system killed: beside no other
  std::map<std::size_t, bool> sound_;  ///< stored nodes whose product was read
  std::vector<std::string> damaged_;   ///< what is to be said of those that are not
  std::map<std::size_t, std::string> reasons_;   ///< why nodes failed
  int wanted_ = 0;                               ///< nodes that are not stored yet
  double total_seconds_ = 0, done_seconds_ = 0;  ///< as expected; of those
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

}  // namespace sar
