// The worker: carries LibTorch and ITK, and runs the jobs that the front sends.
//
//   sar-bench-worker serve      answers jobs on standard input with events on standard output
//   sar-bench-worker describe   prints methods, data sets, keys and versions, for the front

#include "experiments/description.h"
#include "experiments/worker/data_jobs.h"
#include "experiments/worker/training_jobs.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
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

namespace {

MethodRegistry all_methods() {
  MethodRegistry methods;
  methods::register_all(methods);
  return methods;
}

/// Contradictions among the keys of a method are found before anything is computed.
void check_methods(const jobs::Manifest& job) {
  const MethodRegistry methods = all_methods();
  for (const auto& [id, resolved] : job.methods) {
    check_pretraining(methods.at(id), resolved);
  }
}

jobs::Manifest::Result run(const jobs::Manifest& job, const Channel& channel) {
  check_methods(job);
  return make_manifest(job, channel);
}
jobs::Phantom::Result run(const jobs::Phantom& job, const Channel& channel) {
  return write_phantoms(job, channel);
}
jobs::List::Result run(const jobs::List& job, const Channel& /*channel*/) {
  return list_cases(job);
}
jobs::Verify::Result run(const jobs::Verify& job, const Channel& channel) {
  return verify(job, channel);
}
jobs::Environment::Result run(const jobs::Environment& job, const Channel& /*channel*/) {
  const ComputeEnvironment environment =
      compute_environment({job.device, job.precision, job.threads});
  return {environment.torch,
          environment.devices,
          job.device,
          job.precision,
          environment.threads,
          environment.deterministic,
          environment.onednn,
          bfloat16_obstacle().empty(),
          bfloat16_obstacle(),
          has_fast_bfloat16(job.device),
          environment.build};
}
jobs::Cubes::Result run(const jobs::Cubes& job, const Channel& channel) {
  return cut_cubes(job, channel);
}
jobs::Survey::Result run(const jobs::Survey& job, const Channel& channel) {
  return survey(job, channel);
}
jobs::Prepare::Result run(const jobs::Prepare& job, const Channel& channel) {
  return prepare(job, channel);
}
jobs::Pretrain::Result run(const jobs::Pretrain& job, const Channel& channel) {
  return pretrain(job, channel, all_methods());
}
jobs::Finetune::Result run(const jobs::Finetune& job, const Channel& channel) {
  return finetune(job, channel, all_methods());
}
jobs::Evaluate::Result run(const jobs::Evaluate& job, const Channel& channel) {
  return evaluate(job, channel);
}

/// What ends a job well: its result, or to the greeting the version.
events::Event answer(const jobs::Job& job, const Channel& channel) {
  return std::visit(
      [&](const auto& each) -> events::Event {
        if constexpr (std::is_same_v<std::decay_t<decltype(each)>, jobs::Hello>) {
          return events::Hello{own_version()};
        } else {
          return events::Done{write(run(each, channel))};
        }
      },
      job);
}

/// Registries, keys and versions, for the front's catalog.json.
Description describe() {
  const MethodRegistry methods = all_methods();
  DatasetRegistry datasets;
  datasets::register_all(datasets);
  Description description;
  description.version = own_version();
  for (const Method& method : methods.all()) {
    description.methods.push_back({method.id,
                                   method.paper_name,
                                   method.summary,
                                   method.citation,
                                   to_string(method.transfer),
                                   method.order,
                                   method.cubes,
                                   static_cast<bool>(method.make_task),
                                   method.control,
                                   method.supervised,
                                   method.trial_seeds,
                                   method.sections,
                                   method.keys,
                                   method.defaults});
  }
  for (const auto& adapter : datasets.all()) {
    description.datasets.push_back({adapter.id,
                                    adapter.paper_name,
                                    to_string(adapter.modality),
                                    adapter.organ,
                                    adapter.layout,
                                    adapter.paper_cases,
                                    adapter.keys});
  }
  description.numerics_version = kNumericsVersion;
  description.versions = {{"torch", compute_environment({}).torch}, {"itk", itk_version()}};
  return description;
}

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

  void send(const events::Event& event) {
    const std::string line = events::to_line(event) + "\n";
    if (std::fwrite(line.data(), 1, line.size(), stream_) != line.size() ||
        std::fflush(stream_) != 0) {
      throw Error(ExitCode::interrupted, "the front is gone");
    }
  }

 private:
  std::FILE* stream_;
};

/// A choice: time to write a checkpoint once the front is gone. Then a worker ends even inside a
/// library that never returns.
constexpr unsigned kSecondsWithoutFront = 60;

int serve() {
  end_after_parent(kSecondsWithoutFront);
  catch_stop_signals();
  EventStream stream;
  const Channel channel{[&](const events::Event& event) { stream.send(event); },
                        [] { return stop_asked(); }};
  std::string line;
  while (!stop_asked() && std::getline(std::cin, line)) {
    std::string doing = "reading a job";
    try {
      const jobs::Job job = jobs::job_from(line);
      doing = jobs::name_of(job);
      stream.send(answer(job, channel));
    } catch (const std::exception& exception) {
      const Error error = error_from(exception, doing);
      if (error.code() == ExitCode::interrupted) {
        stream.send(events::Interrupted{});
        return static_cast<int>(ExitCode::interrupted);
      }
      stream.send(events::Failed{static_cast<int>(error.code()), error.what()});
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
  sar::open_standard_descriptors();
  sar::worker::keep_memory();
  const std::string command = argc > 1 ? argv[1] : "";
  try {
    if (command == "serve") {
      return sar::worker::serve();
    }
    if (command == "describe") {
      std::cout << sar::write(sar::worker::describe()).dump(1) << '\n';
      return 0;
    }
  } catch (const std::exception& error) {
    std::cerr << "sar-bench-worker: " << command << ": " << error.what() << '\n';
    return 70;
  }
  std::cerr << "usage: sar-bench-worker serve|describe (started by sar-bench)\n";
  return 2;
}
