#pragma once

#include <string>
#include <string_view>

namespace sar {

// Words that stand in many reports.

/// Ends the title of what was made with phantom data.
constexpr std::string_view kPhantomMark = " [phantom data]";
/// The mark for data of the kind "phantom", nothing for others.
std::string phantom_mark(const std::string& data_kind);
/// Stands below numbers that were made with phantom data.
constexpr const char* kPhantomNote =
    "Made with phantom data: these numbers say nothing about real scans and cannot be compared "
    "with the paper's.";

/// "Protocol 1f0c8a27b6e4, profile quick.": the key is cut to 12 characters.
std::string protocol_note(const std::string& protocol, const std::string& profile);

/// "not testable: n = 1".
std::string not_testable_because(const std::string& reason);

/// A revision of the program: "48f16e7f73a2", "48f16e7f73a2 (with changes)" where the source tree
/// had uncommitted ones.
std::string commit_text(const std::string& commit, bool dirty);

/// "Holm" for holm, "Benjamini–Hochberg" for bh; others as they are.
std::string correction_name(const std::string& correction);
/// In a sentence: "Holm's method" for holm, "Benjamini and Hochberg's method" for bh.
std::string correction_method(const std::string& correction);

}  // namespace sar
