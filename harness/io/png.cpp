#include "harness/io/png.h"

#include "harness/core/error.h"

#include <png.h>

namespace sar {

std::string png_of_grey(std::span<const std::uint8_t> pixels, int width, int height) {
  if (width < 1 || height < 1 ||
      pixels.size() != static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {
    throw internal_error("pixels that do not fill their picture")
        .with("pixels", std::to_string(pixels.size()))
        .with("picture", std::to_string(width) + "x" + std::to_string(height));
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_GRAY;
  std::string file(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t size = file.size();
  if (png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), 0, nullptr) == 0) {
    throw io_error("cannot make a PNG").with("reason", image.message);
  }
  file.resize(size);
  return file;
}

}  // namespace sar
