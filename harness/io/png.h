#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace sar {

/// A PNG file of 8-bit grey pixels, row by row from the top, without time or other remarks: the
/// same pixels give the same bytes under the same zlib. Throws Error 70 if the pixels do not fill
/// the picture, 74 with libpng's reason.
std::string png_of_grey(std::span<const std::uint8_t> pixels, int width, int height);

}  // namespace sar
