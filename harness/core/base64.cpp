#include "harness/core/base64.h"

#include "harness/core/error.h"

#include <openssl/evp.h>

#include <limits>

namespace sar {
namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// OpenSSL counts in int.
int length_of(std::string_view text) {
  if (text.size() > std::numeric_limits<int>::max() / 2) {
    throw data_error("too long for base64").with("bytes", std::to_string(text.size()));
  }
  return static_cast<int>(text.size());
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // OpenSSL ends it with a zero
  const int length = EVP_EncodeBlock(
      reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes), length_of(bytes));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string from_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  const int length = EVP_DecodeBlock(
      reinterpret_cast<unsigned char*>(bytes.data()), bytes_of(text), length_of(text));
  // OpenSSL decodes padding to zeros, and forgives blanks at the ends and stray bits.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (length >= 0 && static_cast<std::size_t>(length) >= padding) {
    bytes.resize(static_cast<std::size_t>(length) - padding);
    if (base64(bytes) == text) {
      return bytes;
    }
  }
  throw data_error("not base64");
}

}  // namespace sar
