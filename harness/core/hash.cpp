#include "harness/core/hash.h"

#include "harness/core/error.h"
#include "harness/core/files.h"

#include <openssl/evp.h>

#include <array>
#include <cstdio>
#include <memory>

namespace sar {
namespace {

std::string digest_bytes(const void* data, std::size_t size) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned length = 0;
  if (EVP_Digest(data, size, bytes.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw internal_error("SHA-256 is not available");
  }
  return {bytes.begin(), bytes.begin() + length};
}

std::string digest(const void* data, std::size_t size) {
  std::string text;
  for (const char byte : digest_bytes(data, size)) {
    constexpr const char* digits = "0123456789abcdef";
    text += digits[static_cast<unsigned char>(byte) >> 4U];
    text += digits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

}  // namespace

std::string sha256(std::string_view bytes) {
  return digest(bytes.data(), bytes.size());
}

std::string sha256_bytes(std::string_view bytes) {
  return digest_bytes(bytes.data(), bytes.size());
}

std::string sha256_of_file(const std::filesystem::path& path) {
  const MappedFile file(path);
  return digest(file.bytes().data(), file.bytes().size());
}

std::string content_key(const Json& inputs) {
  return sha256(inputs.dump()).substr(0, 20);
}

}  // namespace sar
