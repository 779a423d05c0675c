#include "harness/core/machine.h"

#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <thread>

namespace sar {
namespace {

/// Fields of the first processor by name.
std::map<std::string, std::string> fields_of(std::string_view cpuinfo) {
  std::map<std::string, std::string> fields;
  std::istringstream lines{std::string(cpuinfo)};
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) {
      if (!fields.empty()) {
        break;  // the next processor
      }
      continue;
    }
    const std::string name = line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1);
    const auto value = line.find_first_not_of(" \t", colon + 1);
    fields.emplace(name, value == std::string::npos ? "" : line.substr(value));
  }
  return fields;
}

/// Of "QUOTA PERIOD" in microseconds, as cgroup v2 has it; nothing for "max PERIOD".
std::optional<int> quota_of(const char* file) {
  std::ifstream limit(file);
  double quota = 0;
  double period = 0;
  if (limit >> quota >> period && quota > 0 && period > 0) {
    return static_cast<int>(std::ceil(quota / period));
  }
  return std::nullopt;
}

}  // namespace

int usable_cores() {
  cpu_set_t bound;
  CPU_ZERO(&bound);
  int cores = ::sched_getaffinity(0, sizeof bound, &bound) == 0
                  ? CPU_COUNT(&bound)
                  : static_cast<int>(std::thread::hardware_concurrency());
  if (const auto quota = quota_of("/sys/fs/cgroup/cpu.max")) {
    cores = std::min(cores, *quota);
  }
  if (const char* task = std::getenv("SLURM_CPUS_PER_TASK"); task != nullptr) {
    if (const int given = std::atoi(task); given > 0) {
      cores = std::min(cores, given);
    }
  }
  return std::max(1, cores);
}

std::string processor_description(std::string_view cpuinfo) {
  const auto fields = fields_of(cpuinfo);
  std::string text;
  for (const auto& [name, label] : {std::pair{"model name", ""},
                                    std::pair{"cpu family", "family "},
                                    std::pair{"model", "model "},
                                    std::pair{"CPU implementer", "implementer "},
                                    std::pair{"CPU part", "part "}}) {
    if (const auto found = fields.find(name); found != fields.end() && !found->second.empty()) {
      text += (text.empty() ? "" : ", ") + std::string(label) + found->second;
    }
  }
  if (text.empty()) {
    return "unknown processor";
  }
  std::string extensions;
  for (const char* list : {"flags", "Features"}) {
    const auto found = fields.find(list);
    if (found == fields.end()) {
      continue;
    }
    const std::string words = " " + found->second + " ";
    for (const char* extension : {"sse4_1",
                                  "avx",
                                  "avx2",
                                  "fma",
                                  "avx512f",
                                  "avx512bw",
                                  "avx512_vnni",
                                  "avx512_bf16",
                                  "amx_tile",
                                  "asimd",
                                  "asimddp",
                                  "bf16",
                                  "sve"}) {
      if (words.find(" " + std::string(extension) + " ") != std::string::npos) {
        extensions += (extensions.empty() ? "" : " ") + std::string(extension);
      }
    }
  }
  return extensions.empty() ? text : text + " (" + extensions + ")";
}

std::string machine_description() {
  static const std::string kText = [] {
    std::ifstream file("/proc/cpuinfo");
    std::ostringstream text;
    text << file.rdbuf();
    return fmt::format("{}, glibc {}", processor_description(text.str()), ::gnu_get_libc_version());
  }();
  return kText;
}

}  // namespace sar
