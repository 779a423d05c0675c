// What front and worker say to each other: every struct is read back as it was written, and every
// field that is unknown, missing or of the wrong type is named. The tests walk over the fields that
// a struct lists, so a new struct is one more type in a list.

#include "experiments/jobs.h"

#include "experiments/description.h"
#include "experiments/run_status.h"
#include "harness/core/error.h"

#include <catch2/catch.hpp>

#include <tuple>

namespace {

using sar::Json;
namespace jobs = sar::jobs;
namespace events = sar::events;

/// Gives every field a value of its own.
class Filler {
 public:
  template <class T>
  void operator()(const char* name, T& value) {
    ++count_;
    fill(value, name);
  }

 private:
  template <class T>
  void fill(T& value, const std::string& name) {
    if constexpr (std::is_same_v<T, bool>) {
      value = true;
    } else if constexpr (std::is_same_v<T, double>) {
      value = count_ + 0.25;
    } else if constexpr (std::is_same_v<T, std::uint64_t>) {
      value = 0xfedcba9876543210U + static_cast<std::uint64_t>(count_);
    } else if constexpr (std::is_arithmetic_v<T>) {
      value = count_;
    } else if constexpr (std::is_same_v<T, std::string>) {
      value = name + " \"" + std::to_string(count_) + "\"\n\u00fc";
    } else if constexpr (std::is_same_v<T, Json>) {
      value = {{name, {count_, nullptr, 1.5}}};
    } else if constexpr (std::is_same_v<T, sar::KeySpec>) {
      value.name = name;
      value.default_value = count_;
      value.maximum = 7.5;
    } else if constexpr (requires { value.fields(*this); }) {
      value.fields(*this);
    } else if constexpr (requires { value.emplace_back(); }) {
      fill(value.emplace_back(), name);
      fill(value.emplace_back(), name);
    } else if constexpr (requires {
                           value.emplace();
                           value.reset();
                         }) {
      fill(value.emplace(), name);
    } else {
      fill(value["one"], name);
      fill(value["two"], name);
    }
  }

  int count_ = 0;
};

template <class T>
T filled() {
  T value{};
  Filler filler;
  value.fields(filler);
  return value;
}

template <class T>
std::string refusal(const Json& json) {
  try {
    sar::read<T>(json, "the document");
  } catch (const sar::Error& error) {
    CHECK(error.code() == sar::ExitCode::internal);
    return error.what();
  }
  return "none";
}

template <class... Lists>
using Joined = decltype(std::tuple_cat(std::declval<Lists>()...));
template <class Variant>
struct AsTuple;
template <class... Kinds>
struct AsTuple<std::variant<Kinds...>> {
  using type = std::tuple<Kinds...>;
};
using Everything = Joined<AsTuple<jobs::Job>::type,
                          AsTuple<events::Event>::type,
                          std::tuple<jobs::Manifest::Result,
                                     jobs::Phantom::Result,
                                     jobs::List::Result,
                                     jobs::Verify::Result,
                                     jobs::Environment::Result,
                                     jobs::ProductResult,
                                     jobs::TrainingResult,
                                     jobs::Evaluate::Result,
                                     sar::Description,
                                     sar::RunStatus>>;

TEMPLATE_LIST_TEST_CASE("what is written is read back", "[jobs]", Everything) {
  const Json json = sar::write(filled<TestType>());
  CHECK(sar::write(sar::read<TestType>(json, "the document")) == json);
  // Also where options are empty and lists have no element.
  const Json least = sar::write(TestType{});
  CHECK(sar::write(sar::read<TestType>(least, "the document")) == least);
  CHECK((json.empty() || json != least));
}

TEMPLATE_LIST_TEST_CASE("a field that is missing, unknown or of the wrong type is named",
                        "[jobs]",
                        Everything) {
  const Json json = sar::write(filled<TestType>());
  CHECK(refusal<TestType>(json) == "none");
  for (const auto& [name, value] : json.items()) {
    Json without = json;
    without.erase(name);
    CHECK(refusal<TestType>(without) == "the document: field '" + name + "' is missing");
    Json wrong = json;
    wrong[name] = value.is_array() ? Json("text") : Json::array({Json::array()});
    const std::string said = refusal<TestType>(wrong);
    INFO(said);
    CHECK(said.starts_with("the document: field '" + name + "' must be "));
  }
  Json more = json;
  more["surplus"] = 1;
  CHECK(refusal<TestType>(more) == "the document: field 'surplus' is unknown");
  CHECK(refusal<TestType>(Json::array()) == "the document: it must be an object");
}

TEST_CASE("a job and an event name their kind where a field is at fault", "[jobs]") {
  const auto said = [](const auto& read, const std::string& line) {
    try {
      read(line);
    } catch (const sar::Error& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  const auto job = [&](const std::string& line) { return said(jobs::job_from, line); };
  const auto event = [&](const std::string& line) { return said(events::event_from, line); };
  CHECK(job(R"({"kind":"list","roots":{}})") == "none");
  CHECK(job(R"({"kind":"list"})") == "job 'list': field 'roots' is missing");
  CHECK(job(R"({"kind":"list","roots":{"luna":3}})") ==
        "job 'list': field 'roots.luna' must be a text");
  CHECK(job(R"({"kind":"lists","roots":{}})") == "unknown job 'lists'");
  CHECK(job(R"({"roots":{}})") == "job: field 'kind' is missing");
  CHECK(job("{").starts_with("a job is not a JSON document"));
  CHECK(event(R"({"event":"progress","done":1,"total":2,"left":1})") ==
        "event 'progress': field 'left' is unknown");
  CHECK(event(R"({"event":"progress","done":1.5,"total":2})") ==
        "event 'progress': field 'done' must be a whole number of its range");
  Json rows = Json::parse(events::to_line(filled<events::Rows>()));
  rows["losses"][1].erase("split");
  CHECK(event(rows.dump()) == "event 'rows': field 'losses[1].split' is missing");
  CHECK(said([](const std::string& line) { jobs::result_of<jobs::Cubes>(Json::parse(line)); },
             R"({"sha":"0"})") == "result of job 'cubes': field 'sha256' is missing");
}

TEST_CASE("whole numbers keep all their bits and refuse what does not fit", "[jobs]") {
  jobs::Finetune job = filled<jobs::Finetune>();
  job.seed = 0xffffffffffffffffU;
  const auto read = std::get<jobs::Finetune>(jobs::job_from(jobs::to_line(job)));
  CHECK(read.seed == job.seed);
  Json json = sar::write(job);
  json["seed"] = -1;
  CHECK(refusal<jobs::Finetune>(json) ==
        "the document: field 'seed' must be a whole number of its range");
  json = sar::write(job);
  json["steps_per_epoch"] = 3'000'000'000;
  CHECK(refusal<jobs::Finetune>(json) ==
        "the document: field 'steps_per_epoch' must be a whole number of its range");
}

TEST_CASE("a message with bytes that are not UTF-8 is sent, a path with them is refused",
          "[jobs]") {
  const auto failed = events::event_from(events::to_line(events::Failed{65, "file a\xff.nii"}));
  CHECK(std::get<events::Failed>(failed).reason == "file a\uFFFD.nii");
  CHECK_THROWS_AS(jobs::to_line(jobs::List{{{"luna", "a\xff"}}}), sar::Error);
}

}  // namespace
