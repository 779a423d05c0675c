#pragma once

#include "harness/core/json.h"
#include "results/document/document.h"
#include "results/document/sheet.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace sar {

/// An open question of a paper and how it is settled here. Read from assumptions.toml of the
/// paper's folder.
struct Assumption {
  std::vector<int> numbers;       ///< in the ledger, from 1; an answer may settle several
  std::string question;           ///< what the paper leaves open
  std::string choice;             ///< the default, in words
  std::string because;            ///< why
  std::vector<std::string> keys;  ///< that change it, as written: "<set>.list", "transform.*"
  /// The same in full, with each word in angle brackets replaced by every name that it stands for.
  /// Not all of these keys need exist: `keys_of` knows.
  std::vector<std::string> candidates;
};

/// What words in angle brackets stand for: {"set": {"luna", ...}, "method": {"rpl", ...}}.
using KeyWords = std::map<std::string, std::vector<std::string>>;

/// The assumptions of a paper's folder, in the order of the file; none if it has no
/// assumptions.toml. Throws Error 65 listing every fault with file and place: missing and unknown
/// fields (with the nearest), numbers given twice, words in angle brackets that `words` lacks.
std::vector<Assumption> read_assumptions(const std::filesystem::path& folder,
                                         const KeyWords& words);

/// The keys that exist, in the order written: each candidate that `defaults` (key to built-in
/// value) has, and all of a section for "section.*".
std::vector<std::string> keys_of(const Assumption& assumption, const Json& defaults);

/// A table of the assumptions: #, open question, choice, because, and "key = value" of each key.
/// `protocol_settings` is that of a protocol, {"shared": {key: value}, ...}, or null: then values
/// are the built-in ones. A value that is not the built-in one is followed by it:
/// "seed = 3 (default 0)". `defaults`: key to built-in value. The JSON document has every key with
/// default, value and whether they differ.
Sheet assumption_sheet(const std::vector<Assumption>& assumptions,
                       const Json& protocol_settings,
                       const Json& defaults);

/// The same; as text, each assumption is a paragraph.
Document document_of(const std::vector<Assumption>& assumptions,
                     const Json& protocol_settings,
                     const Json& defaults);

}  // namespace sar
