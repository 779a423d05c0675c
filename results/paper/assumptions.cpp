#include "results/paper/assumptions.h"

#include "harness/config/toml.h"
#include "results/paper/faults.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sar {
namespace fs = std::filesystem;
namespace {

/// "<set>.list" for every data set; a name without such a word stands for itself.
std::vector<std::string> in_full(const std::string& key,
                                 const KeyWords& words,
                                 const Entry& entry) {
  const auto end = key.find('>');
  if (!key.starts_with('<') || end == std::string::npos) {
    return {key};
  }
  const auto found = words.find(key.substr(1, end - 1));
  if (found == words.end()) {
    entry.fault("'" + key + "': " + key.substr(0, end + 1) + " stands for nothing");
    return {};
  }
  std::vector<std::string> all;
  for (const std::string& name : found->second) {
    all.push_back(name + key.substr(end + 1));
  }
  return all;
}

std::string value_text(const Json& value) {
  return value.is_string() && value != "" ? value.get<std::string>() : value.dump();
}

/// A key of an assumption: its built-in value, and that of the protocol if there is one.
struct KeyValue {
  std::string key;
  Json built_in, here;
  bool stored = true;  ///< false: the protocol is older than the key
  [[nodiscard]] bool deviates() const { return stored && here != built_in; }
  [[nodiscard]] std::string text() const {
    return !stored ? key + ": not stored"
           : deviates()
               ? fmt::format("{} = {} (default {})", key, value_text(here), value_text(built_in))
               : key + " = " + value_text(here);
  }
};

std::vector<KeyValue> values_of(const Assumption& assumption,
                                const Json& protocol_settings,
                                const Json& defaults) {
  std::vector<KeyValue> values;
  for (const std::string& key : keys_of(assumption, defaults)) {
    KeyValue value{key, defaults.at(key), defaults.at(key)};
    if (!protocol_settings.is_null()) {
      const Json& shared = protocol_settings.at("shared");
      value.stored = shared.contains(key);
      value.here = shared.value(key, Json());
    }
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace

std::vector<Assumption> read_assumptions(const fs::path& folder, const KeyWords& words) {
  const fs::path file = folder / "assumptions.toml";
  std::vector<Assumption> assumptions;
  if (!fs::exists(file)) {
    return assumptions;
  }
  Faults faults;
  const std::optional<TomlFile> toml = read_toml(file, faults);
  const Json tree = toml ? toml->tree : Json::object();
  for (const auto& [field, value] : tree.items()) {
    if (field != "assumptions") {
      faults.add(file, "", "unknown field '" + field + "'; entries are [[assumptions]]");
    }
  }
  const Json entries = tree.value("assumptions", Json::array());
  if (faults.empty() && (!entries.is_array() || entries.empty())) {
    faults.add(file, "", "needs [[assumptions]]");
  }
  std::map<int, int> first;  // number to the entry that gives it
  int place = 0;
  for (const Json& each : entries) {
    const Entry entry(each, file, fmt::format("assumption {}", ++place), faults);
    if (!each.is_object()) {
      entry.fault("must be a table");
      continue;
    }
    entry.allow_only({"numbers", "question", "choice", "because", "keys"});
    Assumption& assumption = assumptions.emplace_back();
    assumption.numbers = entry.list<int>(
        "numbers",
        [](const Json& n) { return n.is_number_integer() && n >= 1 && n <= 9999; },
        "numbers from 1 to 9999",
        1);
    assumption.question = entry.filled_text("question");
    assumption.choice = entry.filled_text("choice");
    assumption.because = entry.filled_text("because");
    assumption.keys = entry.list<std::string>(
        "keys", [](const Json& key) { return key.is_string() && key != ""; }, "keys", 1);
    for (const int number : assumption.numbers) {
      if (const auto [found, fresh] = first.emplace(number, place); !fresh) {
        entry.fault(
            fmt::format("number {} is given twice, first by assumption {}", number, found->second));
      }
    }
    for (const std::string& key : assumption.keys) {
      const auto all = in_full(key, words, entry);
      assumption.candidates.insert(assumption.candidates.end(), all.begin(), all.end());
    }
  }
  faults.report("the paper's assumptions", folder);
  return assumptions;
}

std::vector<std::string> keys_of(const Assumption& assumption, const Json& defaults) {
  std::vector<std::string> keys;
  for (const std::string& candidate : assumption.candidates) {
    if (defaults.contains(candidate)) {
      keys.push_back(candidate);
    } else if (candidate.ends_with(".*")) {
      for (const auto& [key, value] : defaults.items()) {
        if (key.starts_with(candidate.substr(0, candidate.size() - 1))) {
          keys.push_back(key);
        }
      }
    }
  }
  return keys;
}

Sheet assumption_sheet(const std::vector<Assumption>& assumptions,
                       const Json& protocol_settings,
                       const Json& defaults) {
  Sheet sheet;
  sheet.id = "assumptions";
  sheet.title = "Choices where the paper is silent";
  sheet.header = {"#", "Open question", "Choice", "Because", "Key = value here"};
  sheet.text_columns = sheet.header.size();
  std::size_t keys = 0;
  std::size_t deviating = 0;
  Json list = Json::array();
  for (const Assumption& assumption : assumptions) {
    std::vector<std::string> texts;
    Json entries = Json::array();
    for (const KeyValue& value : values_of(assumption, protocol_settings, defaults)) {
      ++keys;
      deviating += static_cast<std::size_t>(value.deviates());
      texts.push_back(value.text());
      entries.push_back({{"key", value.key},
                         {"default", value.built_in},
                         {"value", value.here},
                         {"deviates", value.deviates()}});
    }
    sheet.rows.push_back({fmt::format("{}", fmt::join(assumption.numbers, ", ")),
                          assumption.question,
                          assumption.choice,
                          assumption.because,
                          fmt::format("{}", fmt::join(texts, "; "))});
    list.push_back({{"numbers", assumption.numbers},
                    {"question", assumption.question},
                    {"choice", assumption.choice},
                    {"because", assumption.because},
                    {"written_keys", assumption.keys},
                    {"keys", std::move(entries)}});
  }
  if (protocol_settings.is_null()) {
    sheet.notes.emplace_back("Values are the built-in ones.");
  } else {
    sheet.notes.push_back(
        fmt::format("{} of {} keys deviate from their defaults here{}.",
                    deviating,
                    keys,
                    deviating > 0 ? "; where one does, the default follows in parentheses" : ""));
  }
  sheet.json = {{"schema_version", 1}, {"assumptions", std::move(list)}};
  return sheet;
}

Document document_of(const std::vector<Assumption>& assumptions,
                     const Json& protocol_settings,
                     const Json& defaults) {
  constexpr std::size_t kIndent = 4;
  const Sheet sheet = assumption_sheet(assumptions, protocol_settings, defaults);
  Document document = document_of(sheet);
  document.parts.front().formats = {"md", "latex", "html"};
  const auto add_text = [&](std::vector<Content> contents) {
    document.parts.push_back({std::move(contents), {"text"}});
  };
  add_text({Line{"", sheet.title}});
  for (std::size_t i = 0; i < assumptions.size(); ++i) {
    const std::string mark = fmt::format("{:<{}}", sheet.rows[i][0] + " ", kIndent);
    std::vector<Content> lines{Paragraph{assumptions[i].question, 0, mark},
                               Paragraph{"choice: " + assumptions[i].choice, kIndent},
                               Paragraph{"because: " + assumptions[i].because, kIndent}};
    for (const KeyValue& value : values_of(assumptions[i], protocol_settings, defaults)) {
      lines.emplace_back(Paragraph{value.text(), kIndent + 2, value.deviates() ? "! " : "  "});
    }
    add_text(std::move(lines));
  }
  std::vector<Content> last{Paragraph{sheet.notes.front()}};
  if (!protocol_settings.is_null()) {
    last.emplace_back(Line{"", "!: a value that is not the default."});
  }
  add_text(std::move(last));
  return document;
}

}  // namespace sar
