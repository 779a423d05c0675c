#pragma once

#include "harness/core/files.h"
#include "tests/support/browser.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace sar::test {

inline std::string fault_text(const Json& fault) {
  return fmt::format("{}: {} {}",
                     fault.at("check").get<std::string>(),
                     fault.at("element").get<std::string>(),
                     fault.at("detail").get<std::string>());
}

inline void load_page_checks(Browser& browser) {
  static const std::string script =
      read_file(std::filesystem::path(SARBENCH_SOURCE_DIR) / "tests/support/page_checks.js");
  browser.evaluate(script);
}

/// What is wrong with the open page as it is shown now, one line a fault, the check's name first;
/// equal lines once.
inline std::vector<std::string> page_faults(Browser& browser) {
  load_page_checks(browser);
  std::vector<std::string> faults;
  for (const Json& fault : browser.evaluate("pageChecks.page()")) {
    faults.push_back(fault_text(fault));
  }
  for (const std::string& element : browser.nameless()) {
    faults.push_back("name: " + element);
  }
  std::set<std::string> before;
  std::erase_if(faults, [&](const std::string& fault) { return !before.insert(fault).second; });
  return faults;
}

/// Presses Tab from the top of the page through everything that takes the focus.
struct TabTour {
  int stops = 0;
  std::vector<std::string> faults;
};
inline TabTour tab_through(Browser& browser) {
  load_page_checks(browser);
  TabTour tour;
  browser.evaluate("document.activeElement.blur(), scrollTo(0, 0)");
  for (; tour.stops < 5000; ++tour.stops) {
    browser.press("Tab");
    const Json faults = browser.evaluate("pageChecks.focus()");
    if (faults.is_null()) {
      return tour;
    }
    for (const Json& fault : faults) {
      tour.faults.push_back(fault_text(fault));
    }
  }
  tour.faults.emplace_back("focus: it never leaves the page");
  return tour;
}

/// Links of the open page to files that are not there; `page` is its file. Links into the page are
/// for `page_faults`.
inline std::vector<std::string> dead_links(Browser& browser, const std::filesystem::path& page) {
  std::vector<std::string> dead;
  const Json links = browser.evaluate(
      "[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))"
      ".filter(h => !/^(#|https?:|mailto:)/.test(h)).map(h => [h, decodeURI(h.split('#')[0])])");
  for (const Json& link : links) {
    const std::string file = link.at(1);
    if (file.starts_with("/") || file.find(':') != std::string::npos ||
        !std::filesystem::exists(page.parent_path() / file)) {
      dead.push_back(link.at(0));
    }
  }
  return dead;
}

}  // namespace sar::test
