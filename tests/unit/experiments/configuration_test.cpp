#include "harness/core/error.h"
#include "tests/support/planning.h"

#include <catch2/catch.hpp>

namespace {

struct Fixture {
  sar::TemporaryFolder folder;
  sar::Catalog catalog = sar::test::make_catalog(folder.path());

  std::filesystem::path file(const std::string& name, const std::string& text) const {
    const auto path = folder.path() / name;
    sar::write_file_atomically(path, text);
    return path;
  }
};

TEST_CASE_METHOD(Fixture, "later sources win: profile, files, environment, flags") {
  sar::ConfigurationSources sources;
  sources.profile = sar::read_profile(file("p.toml",
                                           "trials = 2\n[finetune]\nbatch_size = 4\nmax_epochs = "
                                           "7\npatience = 8\nlearning_rate = 0.5\n"));
  sources.files = {
      file("user.toml", "[finetune]\nmax_epochs = 9\npatience = 10\nlearning_rate = 0.25\n")};
  sources.environment = {{"SARBENCH_FINETUNE_PATIENCE", "11"},
                         {"SARBENCH_FINETUNE_LEARNING_RATE", "0.125"}};
  sources.flags = {{"finetune.learning_rate", "1e-3", "--set"}};
  const sar::Configuration configuration(catalog, sources);
  const auto& values = configuration.shared().values();
  CHECK(values.at("finetune.batch_size").value == 4);
  CHECK(values.at("finetune.batch_size").origin == "profile p:3");
  CHECK(values.at("finetune.max_epochs").value == 9);
  CHECK(values.at("finetune.patience").value == 11);
  CHECK(values.at("finetune.patience").origin == "environment SARBENCH_FINETUNE_PATIENCE");
  CHECK(values.at("finetune.learning_rate").value == 1e-3);
  CHECK(values.at("finetune.learning_rate").origin == "--set");
  CHECK(values.at("seed").origin == "built-in");
  CHECK(configuration.replaced().size() ==
        3);  // what the user put in place of the profile's values
}

TEST_CASE_METHOD(Fixture,
                 "unknown keys, variables and data sets are refused with the nearest name") {
  const auto refused = [&](const sar::ConfigurationSources& sources, const std::string& nearest) {
    try {
      const sar::Configuration configuration(catalog, sources);
      FAIL("accepted");
    } catch (const sar::Error& error) {
      CHECK(error.code() == sar::ExitCode::usage);
      CHECK(std::string(error.what()).find(nearest) != std::string::npos);
    }
  };
  sar::ConfigurationSources sources;
  sources.flags = {{"evaluate.stepp", "1", "--set"}};
  refused(sources, "evaluate.step");
  sources = {};
  sources.environment = {{"SARBENCH_EVALUATE_STEPS", "1"}};
  refused(sources, "SARBENCH_EVALUATE_STEP");
  sources = {};
  sources.data_flags = {{"lunna", "/data"}};
  refused(sources, "luna");
}

TEST_CASE_METHOD(Fixture, "data roots come from files, environment and flags, the last wins") {
  sar::ConfigurationSources sources;
  sources.files = {file("user.toml", "[data]\nluna = \"/a\"\nlits = \"/b\"\n")};
  sources.environment = {{"SARBENCH_DATA_LITS", "/c"}};
  sources.data_flags = {{"luna", "/d"}};
  const sar::Configuration configuration(catalog, sources);
  CHECK(configuration.data_roots() ==
        std::map<std::string, std::string>{{"luna", "/d"}, {"lits", "/c"}});
}

TEST_CASE("every experiment and profile file of the repository loads") {
  const sar::Catalog catalog = sar::Catalog::load(SARBENCH_SHARE_DIR);  // what the worker described
  CHECK(
      catalog.experiment_names() ==
      std::vector<std::string>{
          "all", "controls", "fig3", "proxy", "table1", "table2", "table3", "table4", "transfer"});
  for (const auto& name : catalog.experiment_names()) {
    INFO(name);
    CHECK_NOTHROW(sar::read_experiment(catalog.experiment_file(name), catalog));
  }
  CHECK(catalog.profile_names() == std::vector<std::string>{"paper", "quick", "smoke", "standard"});
  for (const auto& name : catalog.profile_names()) {
    INFO(name);
    sar::ConfigurationSources sources;
    sources.profile = sar::read_profile(catalog.profile_file(name));
    CHECK_FALSE(sources.profile->description.empty());
    CHECK_NOTHROW(sar::Configuration(catalog, sources));
  }
}

TEST_CASE_METHOD(Fixture,
                 "a faulty experiment file is refused with file, line and what is allowed") {
  const auto message = [&](const std::string& text) {
    try {
      sar::read_experiment(file("mine.toml", text), catalog);
    } catch (const sar::Error& error) {
      CHECK(error.code() == sar::ExitCode::usage);
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  const std::string head = "id = \"mine\"\ntitle = \"Mine\"\n";
  const std::string column = "[[columns]]\nlabel = \"a\"\ntask = \"brats\"\ntarget = \"tumor\"\n";
  CHECK(message(head + "methods = [\"sarr\"]\n" + column).find("'sar'") != std::string::npos);
  CHECK(message(head + "methods = [\"sar\"]\ntrails = 3\n" + column).find("'trials'") !=
        std::string::npos);
  CHECK(message(head + "methods = [\"sar\"]\n").find("columns") != std::string::npos);
  CHECK(
      message(
          head +
          "methods = [\"sar\"]\n[[columns]]\nlabel = \"a\"\ntask = \"brats\"\ntarget = \"organ\"\n")
          .find("one of tumor") != std::string::npos);
  CHECK(message(head + "methods = [\"sar\"]\n" + column + "fraction = \"2\"\n").find("fraction") !=
        std::string::npos);
  CHECK(message(head + "methods = [\"sar\"]\n" + column) == "accepted");
}

TEST_CASE_METHOD(Fixture, "an experiment of one's own is checked before anything is run") {
  const auto message = [&](const std::string& text, const std::string& name = "mine.toml") {
    try {
      sar::read_experiment(file(name, text), catalog);
    } catch (const sar::Error& error) {
      CHECK(error.code() == sar::ExitCode::usage);
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  const auto has = [](const std::string& text, const std::string& part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  };
  const std::string head = "id = \"mine\"\ntitle = \"Mine\"\n";
  const std::string rows = "methods = [\"scratch\", \"sar\"]\n";
  const std::string column = "[[columns]]\nlabel = \"a\"\ntask = \"brats\"\ntarget = \"tumor\"\n";
  CHECK(message(head + rows + column) == "accepted");
  has(message(head + rows + "reference = \"saar\"\n" + column), "did you mean 'sar'");
  has(message(head + "methods = [\"scratch\"]\n" + column), "reference");
  has(message(head + "methods = [\"sar\", \"sar\"]\n" + column), "twice");
  has(message(head + rows + "columns = []\n"), "[[columns]]");
  has(message(head + rows + "columns = [1]\n"), "[[columns]]");
  has(message(head + rows + "settings = 3\n" + column), "[settings]");
  has(message("id = \"../up\"\ntitle = \"t\"\n" + rows + column), "letters");
  has(message("id = \"table2\"\ntitle = \"t\"\n" + rows + column), "built-in");
  const std::string collection = "kind = \"collection\"\n";
  has(message(head + collection + "experiments = [\"mine.toml\"]\n"), "is one itself");
  has(message(head + collection + "experiments = [\"all\"]\n"), "is one itself");
  // A part that is a file lies beside the collection.
  CHECK(message(head + rows + column, "part.toml") == "accepted");
  CHECK(message("id = \"both\"\ntitle = \"t\"\n" + collection + "experiments = [\"part.toml\"]\n",
                "both.toml") == "accepted");
}

}  // namespace
