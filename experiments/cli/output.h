#pragma once

#include <filesystem>
#include <string>

namespace sar::cli {

/// Writes what a command gives to the file that the user named.
///
/// A regular file is replaced as a whole (write beside, rename); a link stays, and its target is
/// replaced; into what is not a regular file (a terminal, a pipe, /dev/stdout) the text is written.
/// A database is never replaced, and an image or other binary data by text, or the other way round,
/// only with `force`. Throws Error 2 for these and for a folder, 74 if the file cannot be written.
void write_output(const std::filesystem::path& path, const std::string& text, bool force);

/// The same rules before there is all of the text, or for a file that text is added to.
void refuse_as_output(const std::filesystem::path& path, const std::string& text, bool force);

}  // namespace sar::cli
