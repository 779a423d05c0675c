#include "results/text/words.h"

namespace sar {

std::string phantom_mark(const std::string& data_kind) {
  return data_kind == "phantom" ? std::string(kPhantomMark) : "";
}

std::string protocol_note(const std::string& protocol, const std::string& profile) {
  return "Protocol " + protocol.substr(0, 12) + ", profile " + profile + ".";
}

std::string not_testable_because(const std::string& reason) {
  return "not testable: " + reason;
}

std::string commit_text(const std::string& commit, bool dirty) {
  return commit + (dirty ? " (with changes)" : "");
}

std::string correction_name(const std::string& correction) {
  return correction == "holm" ? "Holm" : correction == "bh" ? "Benjamini–Hochberg" : correction;
}

std::string correction_method(const std::string& correction) {
  return correction == "holm" ? "Holm's method" : "Benjamini and Hochberg's method";
}

}  // namespace sar
