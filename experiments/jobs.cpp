#include "experiments/jobs.h"

#include "harness/core/error.h"

namespace sar {
namespace {

/// Throws Error 65 for a text that is not UTF-8: a path would be another one at the other side.
std::string line_of(const Json& json, const char* what) {
  try {
    return json.dump();
  } catch (const Json::exception& error) {
    throw data_error("a name or path is not UTF-8")
        .with("in", what)
        .with("reason", error.what())
        .hint("rename the file or folder");
  }
}

Json parsed(const std::string& line, const char* what) {
  try {
    return Json::parse(line);
  } catch (const Json::exception& error) {
    throw internal_error(std::string(what) + " is not a JSON document")
        .with("reason", error.what())
        .with("line", line.substr(0, 200));
  }
}

}  // namespace

namespace jobs {

NodeFields& fields_of(NodeJob& job) {
  return std::visit([](auto& each) -> NodeFields& { return each; }, job);
}

std::string kind_of(const NodeJob& job) {
  return std::visit([](const auto& each) -> std::string { return each.kind; }, job);
}

std::string name_of(const Job& job) {
  return std::visit(
      [](const auto& each) {
        std::string name = std::string("job '") + each.kind + "'";
        if constexpr (std::is_base_of_v<NodeFields, std::decay_t<decltype(each)>>) {
          name += " (product: " + each.product + ")";
        }
        return name;
      },
      job);
}

std::string to_line(const Job& job) {
  return line_of(write_kind(job, "kind"), "a job");
}

Job job_from(const std::string& line) {
  return read_kind<Job>(parsed(line, "a job"), "kind", "job");
}

}  // namespace jobs

namespace events {

std::string to_line(const Event& event) {
  const Json json = write_kind(event, "event");
  if (std::holds_alternative<Failed>(event) || std::holds_alternative<Warning>(event)) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);  // a message for people
  }
  return line_of(json, "an event");
}

Event event_from(const std::string& line) {
  return read_kind<Event>(parsed(line, "an event"), "event", "event");
}

}  // namespace events
}  // namespace sar
