// A worker with a fault: it stands between the front and the real worker and changes jobs on their
// way, so that what is computed is not what was planned. That is what a fault in code does:
// protocol and content keys stay as they are, and the training is real.
//
//   sar_faulty_worker REAL-WORKER FAULT serve
//
//   learning_rate   fine-tuning with a thousandth of the learning rate
//   double_rate     fine-tuning with twice the learning rate
//   diverging       fine-tuning with a learning rate under which the loss stops being a number
//   transform       pre-training on cubes that no transform has touched
//   one_transform   pre-training without painting, all else as it was
//   shifted_labels  fine-tuning on labels that lie one voxel beside the image, along x
//   no_event        a line that is not an event during each pre-training; jobs pass unchanged
//   none            jobs pass unchanged

#include "harness/core/json.h"
#include "harness/io/image_io.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>

namespace {

namespace fs = std::filesystem;
using sar::Json;

sar::LabelMap shifted(const sar::LabelMap& labels) {
  sar::LabelMap result = labels;
  const auto width = static_cast<std::size_t>(labels.geometry.size[0]);
  for (std::size_t i = 0; i < labels.voxels.size(); ++i) {
    result.voxels[i] = i % width == 0 ? std::uint8_t{0} : labels.voxels[i - 1];
  }
  return result;
}

void shift_labels(Json& job) {
  const fs::path folder =
      fs::path(job.at("work").get<std::string>()) / ("shifted-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  for (Json& record : job.at("cases")) {
    Json& label = record.at("label");
    const fs::path source = label.at("path").get<std::string>();
    const fs::path target = folder / (record.at("id").get<std::string>() + ".nii.gz");
    sar::write_label_map(target, shifted(sar::read_label_map(source)));
    label["path"] = target.string();
    label["sha256"] = "shifted " + label.at("sha256").get<std::string>();  // not what is cached
  }
}

void add_fault(Json& job, const std::string& fault) {
  const std::string kind = job.at("kind");
  const std::map<std::string, double> factors{
      {"learning_rate", 1e-3}, {"double_rate", 2}, {"diverging", 1e30}};
  if (factors.contains(fault) && kind == "finetune") {
    Json& rate = job.at("settings").at("finetune.learning_rate");
    rate = rate.get<double>() * factors.at(fault);
  } else if (fault == "transform" && kind == "pretrain") {
    for (const char* key : {"transform.flip_rate",
                            "transform.local_shuffle_rate",
                            "transform.nonlinear_rate",
                            "transform.paint_rate"}) {
      job.at("settings").at(key) = 0.0;
    }
  } else if (fault == "one_transform" && kind == "pretrain") {
    job.at("settings").at("transform.paint_rate") = 0.0;
  } else if (fault == "shifted_labels" && kind == "finetune") {
    shift_labels(job);
  } else if (fault == "no_event" && kind == "pretrain") {
    std::cout << "this line is not an event" << std::endl;
  }
}

bool write_all(int descriptor, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(descriptor, text.data() + done, text.size() - done);
    if (count < 0) {
      return false;
    }
    done += static_cast<std::size_t>(count);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: sar_faulty_worker REAL-WORKER FAULT serve\n";
    return 2;
  }
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) {
    return 70;
  }
  const pid_t worker = ::fork();
  if (worker == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    ::dup2(pipe[0], STDIN_FILENO);
    ::close(pipe[0]);
    ::close(pipe[1]);
    ::execl(argv[1], argv[1], argv[3], nullptr);
    ::_exit(127);
  }
  ::close(pipe[0]);
  try {
    for (std::string line; std::getline(std::cin, line);) {
      Json job = Json::parse(line);
      add_fault(job, argv[2]);
      if (!write_all(pipe[1], job.dump() + "\n")) {
        break;  // the worker is gone; the front sees the end of its output
      }
    }
  } catch (const std::exception& error) {
    std::cerr << "sar_faulty_worker: " << error.what() << '\n';
    ::kill(worker, SIGKILL);
  }
  ::close(pipe[1]);
  int status = 0;
  ::waitpid(worker, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}
