#include "results/document/output_format.h"
#include "results/text/escape.h"
#include "results/text/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>
#include <sstream>

// The form that Jenkins and GitLab read: suites, properties, a case per test.

namespace sar::formats::junit {
namespace {

using Attributes = std::vector<std::pair<const char*, std::string>>;
using Outcome = TestSuite::Case::Outcome;

pugi::xml_node element(pugi::xml_node parent, const char* name, const Attributes& attributes) {
  pugi::xml_node node = parent.append_child(name);
  for (const auto& [attribute, value] : attributes) {
    node.append_attribute(attribute).set_value(escape_xml(value).c_str());
  }
  return node;
}

void add_text(pugi::xml_node node, const std::string& text) {
  node.append_child(pugi::node_pcdata).set_value(escape_xml(text).c_str());
}

std::string count(const TestSuite& suite, Outcome outcome) {
  return std::to_string(std::ranges::count(suite.cases, outcome, &TestSuite::Case::outcome));
}

void add_case(pugi::xml_node parent, const TestSuite::Case& each) {
  const pugi::xml_node node =
      element(parent, "testcase", {{"classname", each.group}, {"name", each.name}, {"time", "0"}});
  if (each.outcome == Outcome::failed) {
    add_text(element(node, "failure", {{"type", "regression"}, {"message", each.reason}}),
             each.detail);
  } else if (each.outcome == Outcome::skipped) {
    element(node, "skipped", {{"message", each.reason}});
  }
}

std::string write(const Document& document, const WriteOptions& /*options*/) {
  const TestSuite& tests = document.tests;
  pugi::xml_document xml;
  pugi::xml_node declaration = xml.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  Attributes attributes{{"name", tests.name},
                        {"tests", std::to_string(tests.cases.size())},
                        {"failures", count(tests, Outcome::failed)},
                        {"errors", "0"},
                        {"time", "0"}};
  const pugi::xml_node suites = element(xml.root(), "testsuites", attributes);
  attributes.insert(attributes.end() - 1, {"skipped", count(tests, Outcome::skipped)});
  const pugi::xml_node suite = element(suites, "testsuite", attributes);
  const pugi::xml_node properties = element(suite, "properties", {});
  for (const auto& [name, value] : tests.properties) {
    element(properties, "property", {{"name", name}, {"value", value}});
  }
  for (const TestSuite::Case& each : tests.cases) {
    add_case(suite, each);
  }
  add_text(element(suite, "system-out", {}), tests.log);
  std::ostringstream text;
  // Escaped already: pugixml would leave line feeds in text and ">" in attributes as they are.
  xml.save(text, "  ", pugi::format_indent | pugi::format_no_escapes, pugi::encoding_utf8);
  return replace_all(text.str(), {{"\" />", "\"/>"}});  // no quote stands in escaped text
}

}  // namespace

void register_in(OutputFormats& registry) {
  registry.add({"junit", 7, false, write});
}

}  // namespace sar::formats::junit
