#pragma once

#include "harness/core/files.h"

#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace sar::test {

/// The fenced blocks of a Markdown document in one language, without their fences.
inline std::vector<std::string> blocks_of(const std::filesystem::path& document,
                                          const std::string& language) {
  std::istringstream lines(read_file(document));
  std::vector<std::string> blocks;
  bool inside = false;
  bool wanted = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      wanted = !inside && line == "```" + language;
      inside = !inside;
      if (wanted) {
        blocks.emplace_back();
      }
    } else if (inside && wanted) {
      blocks.back() += line + "\n";
    }
  }
  return blocks;
}

/// Writes the blocks that begin with their own name, "# mypaper/paper.toml", as files below a
/// folder; returns how many.
inline int write_files_of(const std::filesystem::path& document,
                          const std::filesystem::path& folder) {
  int count = 0;
  for (const std::string& block : blocks_of(document, "toml")) {
    const std::string first = block.substr(0, block.find('\n'));
    if (first.starts_with("# ") && first.ends_with(".toml")) {
      write_file_atomically(folder / first.substr(2), block);
      ++count;
    }
  }
  return count;
}

/// Command lines of the "sh" blocks, split at blanks.
inline std::vector<std::vector<std::string>> commands_of(const std::filesystem::path& document) {
  std::vector<std::vector<std::string>> commands;
  for (const std::string& block : blocks_of(document, "sh")) {
    std::istringstream lines(block);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::vector<std::string>& command = commands.emplace_back();
      for (std::string word; words >> word;) {
        command.push_back(word);
      }
    }
  }
  return commands;
}

}  // namespace sar::test
