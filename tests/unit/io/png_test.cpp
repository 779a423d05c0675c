#include "harness/io/png.h"

#include "harness/core/error.h"
#include "harness/core/files.h"

#include <catch2/catch.hpp>
#include <itkPNGImageIO.h>

#include <vector>

namespace {

TEST_CASE("a grey PNG holds the same pixels when ITK reads it") {
  for (const auto& [width, height] :
       std::vector<std::pair<int, int>>{{1, 1}, {256, 1}, {3, 200}, {37, 29}}) {
    std::vector<std::uint8_t> pixels;
    for (int i = 0; i < width * height; ++i) {
      pixels.push_back(static_cast<std::uint8_t>(i * 89 + i / 256));  // all 256 values
    }
    const std::string png = sar::png_of_grey(pixels, width, height);
    const sar::TemporaryFolder folder;
    const auto file = folder.path() / "picture.png";
    sar::write_file_atomically(file, png);
    const auto reader = itk::PNGImageIO::New();
    REQUIRE(reader->CanReadFile(file.c_str()));
    reader->SetFileName(file.string());
    reader->ReadImageInformation();
    CHECK(reader->GetDimensions(0) == static_cast<std::size_t>(width));
    CHECK(reader->GetDimensions(1) == static_cast<std::size_t>(height));
    CHECK(reader->GetNumberOfComponents() == 1);
    CHECK(reader->GetComponentType() == itk::IOComponentEnum::UCHAR);
    REQUIRE(static_cast<std::size_t>(reader->GetImageSizeInBytes()) == pixels.size());
    std::vector<std::uint8_t> read(pixels.size());
    reader->Read(read.data());
    CHECK(read == pixels);
    CHECK(sar::png_of_grey(pixels, width, height) == png);
  }
}

TEST_CASE("pixels that do not fill a picture are refused") {
  const std::vector<std::uint8_t> pixels(6);
  CHECK_THROWS_AS(sar::png_of_grey(pixels, 2, 2), sar::Error);
  CHECK_THROWS_AS(sar::png_of_grey(pixels, 0, 6), sar::Error);
  CHECK_THROWS_AS(sar::png_of_grey(pixels, -2, -3), sar::Error);
}

}  // namespace
