#include "harness/core/error.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <numeric>
#include <system_error>

namespace sar {

Error::Error(ExitCode code, std::string message) : code_(code), message_(std::move(message)) {
  compose();
}

Error& Error::with(std::string_view name, std::string_view value) & {
  context_.emplace_back(name, value);
  compose();
  return *this;
}

Error&& Error::with(std::string_view name, std::string_view value) && {
  return std::move(with(name, value));
}

Error& Error::hint(std::string text) & {
  hint_ = std::move(text);
  compose();
  return *this;
}

Error&& Error::hint(std::string text) && {
  return std::move(hint(std::move(text)));
}

void Error::compose() {
  text_ = message_;
  for (std::size_t i = 0; i < context_.size(); ++i) {
    text_ += i == 0 ? " (" : ", ";
    text_ += context_[i].first + ": " + context_[i].second;
  }
  if (!context_.empty()) {
    text_ += ')';
  }
  if (!hint_.empty()) {
    text_ += "\n  " + hint_;
  }
}

Error usage_error(std::string message) {
  return {ExitCode::usage, std::move(message)};
}
Error data_error(std::string message) {
  return {ExitCode::data_invalid, std::move(message)};
}
Error not_found_error(std::string message) {
  return {ExitCode::data_not_found, std::move(message)};
}
Error io_error(std::string message) {
  return {ExitCode::input_output, std::move(message)};
}
Error internal_error(std::string message) {
  return {ExitCode::internal, std::move(message)};
}

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
    }
  }
  return row.back();
}

}  // namespace

Error error_from(const std::exception& exception, std::string_view doing) {
  if (const auto* own = dynamic_cast<const Error*>(&exception)) {
    return *own;
  }
  if (const auto* file = dynamic_cast<const std::filesystem::filesystem_error*>(&exception)) {
    Error error = io_error("cannot use a file or folder");
    if (!file->path1().empty()) {
      error.with("file", file->path1().string());
    }
    return std::move(error).with("reason", file->code().message()).with("while", doing);
  }
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr) {
    return io_error("out of memory").with("while", doing);
  }
  if (const auto* system = dynamic_cast<const std::system_error*>(&exception)) {
    return io_error("the system refuses").with("reason", system->what()).with("while", doing);
  }
  const std::string_view what = exception.what();
  for (const char* sign : {"can't allocate memory", "out of memory"}) {  // LibTorch's own words
    if (what.find(sign) != std::string_view::npos) {
      return io_error("out of memory")
          .with("reason", what.substr(0, what.find('\n')))
          .with("while", doing);
    }
  }
  return internal_error("unexpected").with("reason", exception.what()).with("while", doing);
}

std::string nearest_match(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  if (best.empty()) {  // a key whose last word is right but whose section is not
    const auto last = word.substr(word.rfind('.') + 1);
    for (const auto& candidate : candidates) {
      if (word.find('.') != std::string_view::npos &&
          candidate.ends_with("." + std::string(last))) {
        return candidate;
      }
    }
  }
  return best;
}

}  // namespace sar
