#pragma once

#include "harness/core/json.h"
#include "results/database/rows.h"

#include <filesystem>
#include <string>

namespace sar {

/// The content of a file that stored work left, `what` in words: "the file of the evaluation". Its
/// path comes from a database, which may be somebody else's: only a regular file of at most 1 GiB
/// is read. Throws Error 65 for any other, and for one whose SHA-256 is not the stored one.
std::string read_stored_file(const std::filesystem::path& path,
                             const std::string& expected_sha256,
                             const std::string& what);

/// The product of a `survey` node, from its file. Throws Error 4 if it is gone, Error 65 if it is
/// not the one whose SHA-256 the node has.
Json read_survey(const NodeRow& node, const std::filesystem::path& file);

}  // namespace sar
