#include "harness/core/files.h"
#include "harness/core/json.h"
#include "tests/support/process.h"

#include <catch2/catch.hpp>

#include <fstream>

namespace {

namespace fs = std::filesystem;
using sar::Json;
using sar::test::Outcome;
using sar::test::sar_bench;

const std::string kTiny = std::string(SARBENCH_SOURCE_DIR) + "/tests/integration/tiny.toml";

/// A phantom suite that a test may damage: it is given as five real roots.
struct Suite {
  sar::TemporaryFolder folder;
  fs::path root = folder.path() / "suite";

  Suite() {
    REQUIRE(
        sar_bench(folder.path(), {"data", "phantom", "--profile", kTiny, "-o", root.string(), "-q"})
            .code == 0);
  }

  std::vector<std::string> with_roots(std::vector<std::string> arguments) const {
    for (const char* id : {"luna", "lits", "brats", "heart", "pancreas"}) {
      arguments.insert(arguments.end(), {"--data", std::string(id) + "=" + (root / id).string()});
    }
    return arguments;
  }

  Outcome verify() const {
    return sar_bench(folder.path(), with_roots({"data", "verify", "--json", "-q"}));
  }

  fs::path find(const std::string& ending) const {
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.path().string().ends_with(ending)) {
        return entry.path();
      }
    }
    FAIL("no file ends in " << ending);
    return {};
  }
};

/// Findings of severity error as "check dataset".
std::vector<std::string> errors_of(const Outcome& outcome) {
  std::vector<std::string> errors;
  const Json result = Json::parse(outcome.out);
  for (const auto& finding : result.at("findings")) {
    if (finding.at("severity") == "error") {
      errors.push_back(finding.at("check").get<std::string>() + " " +
                       finding.at("dataset").get<std::string>());
    }
  }
  return errors;
}

TEST_CASE("the phantom suite passes verification as five real data sets", "[data]") {
  const Suite suite;
  const Outcome outcome = suite.verify();
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 0);
  CHECK(errors_of(outcome).empty());
}

TEST_CASE("verification reports all faults of all data sets at once", "[data]") {
  const Suite suite;
  fs::resize_file(suite.find("_t1.nii.gz"), 700);                          // truncated gzip
  sar::write_file_atomically(suite.find("volume-0.nii"), "not an image");  // wrong magic
  fs::remove(suite.find("labelsTr/pancreas_001.nii.gz"));
  const Outcome outcome = suite.verify();
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 65);
  const auto errors = errors_of(outcome);
  CHECK(std::ranges::find(errors, "unreadable brats") != errors.end());
  CHECK(std::ranges::find(errors, "unreadable lits") != errors.end());
  CHECK(std::ranges::find(errors, "layout pancreas") != errors.end());
}

TEST_CASE("a run on a damaged image fails with the file's name and keeps the rest", "[data]") {
  const Suite suite;
  const fs::path image = suite.find("_flair.nii.gz");
  fs::resize_file(image, fs::file_size(image) / 2);
  const Outcome outcome =
      sar_bench(suite.folder.path(),
                suite.with_roots({"run", "table2", "--profile", kTiny, "-m", "scratch", "-q"}));
  INFO(outcome.err);
  CHECK(outcome.code == 3);
  CHECK(outcome.err.find(image.filename().string()) != std::string::npos);
  const Json table = Json::parse(sar_bench(suite.folder.path(), {"show", "table2", "--json"}).out);
  CHECK(table.at("data_kind") == "phantom");  // given as roots, phantoms stay phantoms
  CHECK(table.at("rows").at(0).at("cells").at(4).at("n") == 1);  // the pancreas is not affected
  CHECK(table.at("rows").at(0).at("cells").at(3).at("n") == 0);
}

TEST_CASE("a missing root, a partly given set of roots and an absent database say what is missing",
          "[usage]") {
  const sar::TemporaryFolder folder;
  const Outcome absent = sar_bench(folder.path(), {"run", "table2", "--data", "luna=/nowhere"});
  CHECK(absent.code == 66);
  CHECK(absent.err.find("/nowhere") != std::string::npos);
  const Suite suite;
  const Outcome partly = sar_bench(
      folder.path(),
      {"run", "table2", "--profile", kTiny, "--data", "brats=" + (suite.root / "brats").string()});
  CHECK(partly.code == 66);
  CHECK(partly.err.find("--data") != std::string::npos);
  const Outcome no_database = sar_bench(folder.path(), {"show", "table2"});
  CHECK(no_database.code == 4);
}

TEST_CASE("mistyped names are usage errors that name the nearest", "[usage]") {
  const sar::TemporaryFolder folder;
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& nearest) {
    const Outcome outcome = sar_bench(folder.path(), arguments);
    INFO(outcome.err);
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find(nearest) != std::string::npos);
  };
  refused({"rnu", "table2"}, "'run'");
  refused({"run", "table3x", "-n"}, "table2");
  refused({"run", "table2", "--profile", "quik", "-n"}, "quick");
  refused({"run", "table2", "-m", "genesys", "-n"}, "genesis");
  refused({"run", "table2", "--set", "finetune.batchsize=3", "-n"}, "finetune.batch_size");
  refused({"run", "table2", "--precision", "fp64", "-n"}, "precision");
  refused({"explain", "table2/sar"}, "TABLE/METHOD");
}

#if defined(__x86_64__)  // elsewhere oneDNN does not read the variable
TEST_CASE("bfloat16 is refused before anything is written where it cannot work, as doctor says",
          "[trains][usage]") {
  std::vector<std::string> bf16{
      "table2", "--profile", kTiny, "-m", "scratch", "-t", "brats", "--precision", "bf16"};
  const auto with = [&](const std::string& limit, const std::string& command) {
    const sar::TemporaryFolder folder;
    std::vector<std::string> arguments{"/usr/bin/env", limit, SARBENCH_PROGRAM, command};
    arguments.insert(arguments.end(), bf16.begin(), bf16.end());
    const Outcome outcome = sar::test::Program(arguments, folder.path()).finish();
    const bool wrote = std::distance(fs::directory_iterator(folder.path()), {}) > 2;  // its output
    return std::pair(outcome, wrote);
  };
  // Whatever the processor has, these keep oneDNN from AVX-512.
  for (const char* limit : {"DNNL_MAX_CPU_ISA=AVX2", "ONEDNN_MAX_CPU_ISA=SSE41"}) {
    for (const char* command : {"plan", "run"}) {
      const auto [outcome, wrote] = with(limit, command);
      INFO(limit << " " << command << ": " << outcome.err);
      CHECK(outcome.code == 2);
      CHECK(outcome.out.empty());
      CHECK_FALSE(wrote);
      CHECK_THAT(outcome.err,
                 Catch::Contains("compute.precision") && Catch::Contains("set by: --precision") &&
                     Catch::Contains("AVX-512") && Catch::Contains("use --precision fp32"));
    }
  }
  // Left to the program, such a machine computes in float32.
  bf16.back() = "auto";
  const Outcome settled = with("DNNL_MAX_CPU_ISA=AVX2", "plan").first;
  CHECK(settled.code == 0);
  CHECK_THAT(settled.err, Catch::Contains("compute.precision = fp32 (auto: no bfloat16 here"));
  bf16.back() = "bf16";
  // A GPU computes in bfloat16 whatever the processor is.
  bf16.insert(bf16.end(), {"--device", "cuda"});
  CHECK(with("DNNL_MAX_CPU_ISA=AVX2", "plan").first.code == 0);
  bf16.resize(bf16.size() - 2);
  // What doctor says of this machine is what a run does.
  const sar::TemporaryFolder folder;
  const Outcome doctor = sar_bench(folder.path(), {"doctor", "--json"});
  INFO(doctor.err);
  REQUIRE(doctor.code == 0);
  const Json environment = Json::parse(doctor.out).at("environment");
  const bool works = environment.at("bfloat16");
  CHECK(environment.at("bfloat16_obstacle").get<std::string>().empty() == works);
  CHECK(with("LC_ALL=C", "run").first.code == (works ? 0 : 2));
}
#endif

TEST_CASE("a database that cannot be written, is not one, or is newer is an input-output error",
          "[usage]") {
  const sar::TemporaryFolder folder;
  const auto code = [&](const std::string& database) {
    return sar_bench(folder.path(),
                     {"run",
                      "table2",
                      "--profile",
                      kTiny,
                      "-m",
                      "scratch",
                      "-q",
                      "--work",
                      (folder.path() / "work").string(),
                      "--db",
                      database})
        .code;
  };
  CHECK(code("/proc/none.sqlite") == 74);
  CHECK(code("/dev/full") == 74);
  std::filesystem::remove("/dev/full-journal");  // SQLite's, where the user may write there
  sar::write_file_atomically(folder.path() / "text.sqlite", std::string(5000, 'x'));
  CHECK(code("text.sqlite") == 74);
}

TEST_CASE("a dry run writes nothing", "[usage]") {
  for (const char* profile : {"smoke", "quick", "standard", "paper"}) {
    const sar::TemporaryFolder folder;
    const Outcome outcome = sar_bench(folder.path(), {"run", "table2", "--profile", profile, "-n"});
    INFO(outcome.err);
    CHECK(outcome.code == 0);
    CHECK(outcome.out.find("cells") != std::string::npos);
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) ==
          2);  // the two files with the program's output
  }
}

TEST_CASE("the front starts without LibTorch and ITK", "[usage]") {
  const sar::TemporaryFolder folder;
  const Outcome outcome =
      sar::test::Program({"/usr/bin/ldd", SARBENCH_PROGRAM}, folder.path()).finish();
  REQUIRE(outcome.code == 0);
  CHECK(outcome.out.find("libtorch") == std::string::npos);
  CHECK(outcome.out.find("libITK") == std::string::npos);
}

}  // namespace
