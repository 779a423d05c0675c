// The worker: carries LibTorch and ITK, and runs the jobs that the front sends.
//
//   sar-bench-worker serve      jobs on standard input, events on standard output, one JSON
//   document a line sar-bench-worker describe   methods, data sets, keys and versions, for the
//   front's catalog

#include "experiments/worker/data_jobs.h"
#include "experiments/worker/jobs.h"
#include "experiments/worker/training_jobs.h"
#include "harness/core/error.h"
#include "harness/core/signals.h"
#include "harness/io/image_io.h"
#include "harness/nn/training.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

namespace sar::worker {

/// Contradictions among the keys of a method are found before anything is computed.
void check_methods(const Json& job) {
  MethodRegistry methods;
  methods::register_all(methods);
  const Json wanted = job.value("methods", Json::object());
  for (const auto& [id, resolved] : wanted.items()) {
    check_pretraining(methods.at(id), resolved);
  }
}

Json run(const Json& job, const Channel& channel) {
  const std::string kind = job.at("kind");
  if (kind == "manifest") {
    check_methods(job);
    return make_manifest(job, channel);
  }
  if (kind == "phantom") {
    return write_phantoms(job, channel);
  }
  if (kind == "list") {
    return list_cases(job, channel);
  }
  if (kind == "verify") {
    return verify(job, channel);
  }
  if (kind == "cubes") {
    return cut_cubes(job, channel);
  }
  if (kind == "survey") {
    return survey(job, channel);
  }
  if (kind == "prepare") {
    return prepare(job, channel);
  }
  if (kind == "environment") {
    Json environment =
        compute_environment({job.at("device"), job.at("precision"), job.at("threads")});
    environment["bfloat16"] = bfloat16_obstacle().empty();
    environment["bfloat16_obstacle"] = bfloat16_obstacle();
    return environment;
  }
  if (kind == "evaluate") {
    return evaluate(job, channel);
  }
  MethodRegistry methods;
  methods::register_all(methods);
  if (kind == "pretrain") {
    return pretrain(job, channel, methods);
  }
  if (kind == "finetune") {
    return finetune(job, channel, methods);
  }
  throw internal_error("unknown kind of job").with("kind", kind);
}

Json describe() {
  MethodRegistry methods;
  methods::register_all(methods);
  DatasetRegistry datasets;
  datasets::register_all(datasets);
  Json sets = Json::array();
  for (const auto& adapter : datasets.all()) {
    sets.push_back({{"id", adapter.id},
                    {"paper_name", adapter.paper_name},
                    {"modality", to_string(adapter.modality)},
                    {"organ", adapter.organ},
                    {"layout", adapter.layout},
                    {"paper_cases", adapter.paper_cases},
                    {"keys", adapter.keys}});
  }
  return {{"methods", methods.describe()},
          {"datasets", sets},
          {"numerics_version", kNumericsVersion},
          {"versions", {{"torch", compute_environment({}).at("torch")}, {"itk", itk_version()}}}};
}

namespace {

/// Events go to the pipe that was standard output; whatever a library prints goes to standard
/// error.
class EventStream {
 public:
  EventStream() : stream_(::fdopen(::dup(STDOUT_FILENO), "w")) {
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
  }
  ~EventStream() { std::fclose(stream_); }
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  void send(const Json& event) {
    const std::string line = event.dump() + "\n";
    if (std::fwrite(line.data(), 1, line.size(), stream_) != line.size() ||
        std::fflush(stream_) != 0) {
      throw Error(ExitCode::interrupted, "the front is gone");
    }
  }

 private:
  std::FILE* stream_;
};

int serve() {
  catch_stop_signals();
  EventStream events;
  const Channel channel{[&](const Json& event) { events.send(event); },
                        [] { return stop_signals() > 0; }};
  std::string line;
  while (stop_signals() == 0 && std::getline(std::cin, line)) {
    try {
      const Json job = Json::parse(line);
      events.send({{"event", "done"}, {"result", run(job, channel)}});
    } catch (const Error& error) {
      if (error.code() == ExitCode::interrupted) {
        events.send({{"event", "interrupted"}});
        return static_cast<int>(ExitCode::interrupted);
      }
      events.send({{"event", "failed"},
                   {"code", static_cast<int>(error.code())},
                   {"reason", error.what()}});
    } catch (const std::exception& error) {
      events.send({{"event", "failed"},
                   {"code", 70},
                   {"reason", std::string("unexpected: ") + error.what()}});
    }
  }
  return 0;
}

/// Keeps memory instead of returning it: fresh pages cost about 2 GB/s, which is a tenth to a third
/// of a training step (docs/performance.md).
void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 2'000'000'000);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
}

}  // namespace
}  // namespace sar::worker

int main(int argc, char** argv) {
  sar::worker::keep_memory();
  const std::string command = argc > 1 ? argv[1] : "";
  try {
    if (command == "serve") {
      return sar::worker::serve();
    }
    if (command == "describe") {
      std::cout << sar::worker::describe().dump(1) << '\n';
      return 0;
    }
  } catch (const std::exception& error) {
    std::cerr << "sar-bench-worker: " << error.what() << '\n';
    return 70;
  }
  std::cerr << "usage: sar-bench-worker serve|describe (started by sar-bench)\n";
  return 2;
}
