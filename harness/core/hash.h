#pragma once

#include "harness/core/json.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace sar {

/// SHA-256 as 64 hexadecimal digits.
std::string sha256(std::string_view bytes);
/// The same as 32 bytes.
std::string sha256_bytes(std::string_view bytes);
std::string sha256_of_file(const std::filesystem::path& path);

/// The content key of a work node: the first 20 hexadecimal digits of the SHA-256 of the canonical
/// text of its inputs. 80 bits: a collision among a billion nodes has a chance below 1e-6.
std::string content_key(const Json& inputs);

}  // namespace sar
