#pragma once

#include "harness/core/json.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace sar::test {

/// How a page is shown.
struct PageOptions {
  int width = 1280, height = 900;  ///< viewport, CSS pixels
  std::string scheme = "light";    ///< prefers-color-scheme: light | dark
  std::string medium = "screen";   ///< screen | print
  bool scripts = true;             ///< as for a reader who switched scripts off
};

/// A headless Chromium, steered over the DevTools protocol through a pipe: one process for all
/// pages, each in a context of its own, so that nothing is remembered from one page to the next.
/// The program is SARBENCH_CHROMIUM, or Debian's chromium-headless-shell. Every member throws
/// std::runtime_error if the browser does not answer within half a minute or answers with an error.
class Browser {
 public:
  Browser();
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;
  Browser(Browser&&) = delete;
  Browser& operator=(Browser&&) = delete;

  /// Opens a file and waits until it is loaded. Motion is reduced, so that no colour is caught half
  /// way.
  void open(const std::filesystem::path& page, const PageOptions& options = {});
  /// Shows the open page in another way; whether scripts run is settled when a page opens.
  void show(const PageOptions& options);
  /// The value of an expression in the page, as JSON; promises are awaited.
  Json evaluate(const std::string& expression);
  /// Presses and releases a key: "Tab", "Shift+Tab", "Enter", "Space", "Escape", "ArrowDown", ...
  void press(const std::string& key);
  /// Moves the pointer to the middle of the first element that matches, scrolled into view.
  void hover(const std::string& selector);
  void click(const std::string& selector);
  /// Waits for two frames: what a key or the pointer changed is drawn then.
  void settle();
  /// Elements that assistive programs come upon without a name, by Chromium's own accessibility
  /// tree: images, controls, links, headings, regions.
  std::vector<std::string> nameless();
  /// The page as PDF, by the browser's own print, on A4 unless the page says otherwise.
  std::string pdf();
  /// A PNG of what the viewport shows, for a person who looks into a failure.
  std::string screenshot();

  /// Since the page was opened: what it said on the console, uncaught exceptions, breaches of its
  /// content security policy, dialogs, windows, and other issues that Chromium found.
  [[nodiscard]] const std::vector<std::string>& messages() const;
  /// Since the page was opened: addresses asked for, other than the file itself and data:
  /// addresses.
  [[nodiscard]] const std::vector<std::string>& requests() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sar::test
