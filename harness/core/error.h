#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sar {

/// Exit codes of every command. Other programs rely on them: never renumber.
enum class ExitCode : int {
  ok = 0,
  gate_failed = 1,
  usage = 2,
  cells_failed = 3,
  results_missing = 4,
  data_invalid = 65,
  data_not_found = 66,
  internal = 70,
  input_output = 74,
  interrupted = 75,
};

/// The one exception type of the project: what went wrong, the context that was known on the way
/// up (file, case, trial, key), optionally what to do next, and the exit code that it leads to.
/// Exceptions of other libraries are turned into it at the edge where that library is called.
class Error : public std::exception {
 public:
  Error(ExitCode code, std::string message);

  /// Adds one piece of context. The innermost context is printed first.
  Error& with(std::string_view name, std::string_view value) &;
  Error&& with(std::string_view name, std::string_view value) &&;
  /// Says what the user can do about it; printed on a line of its own.
  Error& hint(std::string text) &;
  Error&& hint(std::string text) &&;

  [[nodiscard]] ExitCode code() const noexcept { return code_; }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  /// Message and context on one line, the hint (if any) on a second one.
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

 private:
  void compose();

  ExitCode code_;
  std::string message_;
  std::vector<std::pair<std::string, std::string>> context_;
  std::string hint_;
  std::string text_;
};

Error usage_error(std::string message);
Error data_error(std::string message);       ///< data is invalid: exit 65
Error not_found_error(std::string message);  ///< data is not there: exit 66
Error io_error(std::string message);         ///< reading, writing or the database failed: exit 74
Error internal_error(std::string message);   ///< a fault of the program itself: exit 70

/// What a library or the system threw, as an Error: a file that could not be used and a lack of
/// memory or space lead to exit code 74, anything else is a fault of ours (70). `doing` says what
/// was being done.
Error error_from(const std::exception& exception, std::string_view doing);

/// The candidate nearest to `word` by edit distance, or an empty string if none is similar.
std::string nearest_match(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sar
