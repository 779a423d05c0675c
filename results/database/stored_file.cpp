#include "results/database/stored_file.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"

namespace sar {

std::string read_stored_file(const std::filesystem::path& path,
                             const std::string& expected_sha256,
                             const std::string& what) {
  constexpr std::uintmax_t kMostBytes = std::uintmax_t{1} << 30U;
  std::error_code failure;
  if (!std::filesystem::is_regular_file(path, failure)) {
    throw data_error(what + " is not a regular file").with("file", path.string());
  }
  if (std::filesystem::file_size(path, failure) > kMostBytes) {
    throw data_error(what + " is too large to be one").with("file", path.string());
  }
  std::string content = read_file(path);
  if (sha256(content) != expected_sha256) {
    throw data_error(what + " was changed since it was written")
        .with("file", path.string())
        .with("SHA-256", sha256(content))
        .with("expected", expected_sha256);
  }
  return content;
}

Json read_survey(const NodeRow& node, const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    throw Error(ExitCode::results_missing,
                "the count of the data is not in the work folder any more")
        .with("file", file.string())
        .hint("sar-bench run table1 counts again");
  }
  Json survey = Json::parse(
      read_stored_file(file, node.sha256, "the file of the count of the data"), nullptr, false);
  if (!survey.is_object()) {
    throw data_error("the count of the data is not a JSON object").with("file", file.string());
  }
  return survey;
}

}  // namespace sar
