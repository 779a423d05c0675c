#include "experiments/run_status.h"

#include "harness/core/files.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>

namespace sar {

void RunStatus::Count::add(WorkState state) {
  ++planned;
  done += state == WorkState::done ? 1 : 0;
  failed += state == WorkState::failed ? 1 : 0;
}

RunStatus status_of(const Plan& plan, const StateOf& state_of, const ReasonOf& reason_of) {
  constexpr std::size_t kMostFailures = 100;
  RunStatus status;
  status.pid = ::getpid();
  status.host = host_name();
  status.updated = utc_now();
  status.protocol = plan.protocol.protocol;
  status.profile = plan.protocol.profile;
  status.data_kind = plan.protocol.data_kind;
  for (const auto& part : plan.parts) {
    status.experiments.push_back(part.experiment);
  }
  for (const auto& node : plan.nodes) {
    const WorkState state = state_of(node.key);
    status.kinds[node.kind].add(state);
    if (state == WorkState::failed && status.failures.size() < kMostFailures) {
      status.failures.push_back({node.label, reason_of(node.key)});
    }
  }
  for (const auto& cell : plan.cells) {
    status.cells.add(state_of(cell.row.evaluate_node));
  }
  return status;
}

void write_status(const RunStatus& status, const std::filesystem::path& state_folder) {
  write_file_atomically(state_folder / "status.json", to_text(write(status)));
}

std::string utc_now() {
  return fmt::format(
      "{:%Y-%m-%dT%H:%M:%SZ}",
      fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

}  // namespace sar
