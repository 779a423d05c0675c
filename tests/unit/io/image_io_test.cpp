#include "harness/io/image_io.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

const fs::path kReference = fs::path(SARBENCH_REFERENCE_DIR) / "io";

/// The exit code and text of the Error that `function` throws; code 0 if it throws none.
struct Failure {
  int code = 0;
  std::string text;
};
template <typename Function>
Failure failure_of(const Function& function) {
  try {
    function();
  } catch (const sar::Error& error) {
    return {static_cast<int>(error.code()), error.what()};
  }
  return {};
}

Failure reading_fails(const fs::path& path) {
  return failure_of([&] { sar::read_volume(path); });
}

/// Index of the voxel whose centre lies at a point of the patient, with its distance from that
/// centre.
struct Place {
  sar::Size3 index{};
  double distance = 0;
};
Place place_of(const sar::Geometry& geometry, const std::array<double, 3>& point) {
  Place place;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    double along = 0;
    for (std::size_t row = 0; row < 3; ++row) {
      along += geometry.direction[3 * row + axis] * (point[row] - geometry.origin_mm[row]);
    }
    const double index = along / geometry.spacing_mm[axis];
    place.index[axis] = static_cast<int>(std::lround(index));
    place.distance = std::max(place.distance, std::abs(index - place.index[axis]));
  }
  return place;
}

std::size_t offset_of(const sar::Size3& size, const sar::Size3& index) {
  return static_cast<std::size_t>((index[2] * size[1] + index[1]) * size[0] + index[0]);
}

/// A volume in which every voxel differs.
sar::Volume numbered_volume(const sar::Size3& size) {
  sar::Volume volume;
  volume.geometry.size = size;
  volume.geometry.spacing_mm = {0.5, 1.25, 3};
  volume.geometry.origin_mm = {-10, 20, 30.5};
  for (std::size_t i = 0; i < sar::count_voxels(size); ++i) {
    volume.voxels.push_back(static_cast<float>(i) - 20.0F);
  }
  return volume;
}

/// The bytes of a file with `patch` written at `offset`.
fs::path patched(const fs::path& source,
                 const fs::path& target,
                 std::size_t offset,
                 std::string patch) {
  std::string bytes = sar::read_file(source);
  bytes.replace(offset, patch.size(), patch);
  sar::write_file_atomically(target, bytes);
  return target;
}

template <typename T>
std::string bytes_of(T value) {
  std::string text(sizeof(T), '\0');
  std::memcpy(text.data(), &value, sizeof(T));
  return text;
}

bool is_oblique(const std::string& name) {
  return name.find("oblique") != std::string::npos;
}

}  // namespace

TEST_CASE("files of other software are read at the places and with the values that nibabel finds",
          "[io]") {
  const sar::Json expected = sar::read_json(kReference / "expected.json");
  REQUIRE(expected.size() >= 30);
  for (const auto& [name, entry] : expected.items()) {
    INFO(name);
    const sar::ImageHeader header = sar::read_image_header(kReference / name);
    const sar::Volume volume = sar::read_volume(kReference / name);
    CHECK(volume.geometry == header.geometry);
    CHECK(volume.voxels.size() == sar::count_voxels(volume.geometry.size));
    CHECK(sar::to_string(header.type) == entry["type"].get<std::string>());
    const std::string letters =
        (is_oblique(name) ? "oblique " : "") + entry["orientation"].get<std::string>();
    CHECK(header.orientation == letters);
    for (const auto& point : entry["points"]) {
      const Place place = place_of(volume.geometry, {point[0], point[1], point[2]});
      // Tolerance: NIfTI keeps the affine in float32; at 30 mm that is 2e-6 mm, of a 0.75 mm voxel
      // 1e-5.
      CHECK(place.distance < 1e-4);
      bool inside = true;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        inside = inside && place.index[axis] >= 0 && place.index[axis] < volume.geometry.size[axis];
      }
      REQUIRE(inside);
      // Exact: all values are small integers, or such times a power of two.
      CHECK(volume.voxels[offset_of(volume.geometry.size, place.index)] == point[3].get<float>());
    }
  }
}

TEST_CASE("an image read is in canonical orientation", "[io]") {
  const sar::Json expected = sar::read_json(kReference / "expected.json");
  for (const auto& [name, entry] : expected.items()) {
    INFO(name);
    const sar::Geometry geometry = sar::read_image_header(kReference / name).geometry;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      // Exact for axes along the patient's; the tilted ones are turned by 20 degrees about two
      // axes, which leaves a cosine of at least cos(20)^2 = 0.88 on the diagonal.
      CHECK(geometry.direction[4 * axis] >= (is_oblique(name) ? 0.88 : 1 - 1e-6));
    }
  }
}

TEST_CASE("doubts about the geometry are remarked, and only these", "[io]") {
  const sar::Json expected = sar::read_json(kReference / "expected.json");
  for (const auto& [name, entry] : expected.items()) {
    INFO(name);
    const std::string remark = sar::read_image_header(kReference / name).remark;
    CHECK(remark.empty() == (name != "no_form.nii"));
  }
  const sar::ImageHeader doubtful = sar::read_image_header(kReference / "forms_disagree.nii");
  CHECK_THAT(doubtful.remark, Contains("disagree"));
  CHECK(doubtful.geometry == sar::read_image_header(kReference / "int16.nii").geometry);
}

TEST_CASE("every one of the 48 orientations leads to the same canonical image", "[io]") {
  const sar::TemporaryFolder folder;
  const sar::Volume canonical = numbered_volume({5, 4, 3});
  sar::Size3 axes{0, 1, 2};  // canonical axis along each stored one
  int count = 0;
  do {
    for (int flips = 0; flips < 8; ++flips, ++count) {
      sar::Volume stored;
      stored.geometry.direction.fill(0);
      stored.geometry.origin_mm = canonical.geometry.origin_mm;
      std::array<bool, 3> flipped{};
      for (std::size_t axis = 0; axis < 3; ++axis) {
        const auto row = static_cast<std::size_t>(axes[axis]);
        flipped[axis] = ((flips >> axis) & 1) != 0;
        stored.geometry.size[axis] = canonical.geometry.size[row];
        stored.geometry.spacing_mm[axis] = canonical.geometry.spacing_mm[row];
        stored.geometry.direction[3 * row + axis] = flipped[axis] ? -1 : 1;
        if (flipped[axis]) {
          stored.geometry.origin_mm[row] +=
              canonical.geometry.spacing_mm[row] * (canonical.geometry.size[row] - 1);
        }
      }
      const sar::Size3& size = stored.geometry.size;
      for (int k = 0; k < size[2]; ++k) {
        for (int j = 0; j < size[1]; ++j) {
          for (int i = 0; i < size[0]; ++i) {
            const sar::Size3 index{i, j, k};
            sar::Size3 target{};
            for (std::size_t axis = 0; axis < 3; ++axis) {
              const auto row = static_cast<std::size_t>(axes[axis]);
              target[row] = flipped[axis] ? size[axis] - 1 - index[axis] : index[axis];
            }
            stored.voxels.push_back(canonical.voxels[offset_of(canonical.geometry.size, target)]);
          }
        }
      }
      for (const char* name : {"image.nii", "image.mha"}) {
        INFO(name << " axes " << axes[0] << axes[1] << axes[2] << " flips " << flips);
        sar::write_volume(folder.path() / name, stored, {.type = sar::VoxelType::int16});
        const sar::Volume read = sar::read_volume(folder.path() / name);
        CHECK(read.voxels == canonical.voxels);  // exact
        // Tolerance: float32 quaternions of the NIfTI header.
        CHECK(sar::geometry_difference(read.geometry, canonical.geometry, 1e-5) == "");
      }
    }
  } while (std::next_permutation(axes.begin(), axes.end()));
  CHECK(count == 48);
}

TEST_CASE("what is written is read back bit for bit", "[io]") {
  const sar::TemporaryFolder folder;
  const sar::Volume volume = numbered_volume({6, 5, 4});
  for (const char* name : {"a.nii", "a.nii.gz", "a.mhd", "sub/folder/a.mha"}) {
    for (const bool compress : {false, true}) {
      for (const sar::VoxelType type : {sar::VoxelType::int8,
                                        sar::VoxelType::int16,
                                        sar::VoxelType::int32,
                                        sar::VoxelType::float32,
                                        sar::VoxelType::float64}) {
        INFO(name << " " << sar::to_string(type) << " " << compress);
        sar::write_volume(folder.path() / name, volume, {.type = type, .compress = compress});
        CHECK(sar::read_image_header(folder.path() / name).type == type);
        const sar::Volume read = sar::read_volume(folder.path() / name);
        CHECK(read.voxels == volume.voxels);  // exact: integers -20..99 fit all these types
        CHECK(sar::geometry_difference(read.geometry, volume.geometry, 1e-6) == "");
      }
    }
  }
  CHECK(fs::exists(folder.path() / "a.raw"));
  CHECK(fs::exists(folder.path() / "a.zraw"));
  // Nothing but finished files is left behind.
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{
                     "a.mha", "a.mhd", "a.nii", "a.nii.gz", "a.raw", "a.zraw", "folder", "sub"});
}

TEST_CASE("float32 voxels keep every bit, also NaN and infinities", "[io]") {
  const sar::TemporaryFolder folder;
  sar::Volume volume = numbered_volume({3, 2, 2});
  volume.voxels[0] = 0.1F;
  volume.voxels[1] = std::numeric_limits<float>::denorm_min();
  volume.voxels[2] = std::numeric_limits<float>::infinity();
  volume.voxels[3] = -std::numeric_limits<float>::max();
  volume.voxels[4] = std::numeric_limits<float>::quiet_NaN();
  for (const char* name : {"a.nii.gz", "a.mhd"}) {
    sar::write_volume(folder.path() / name, volume, {.type = sar::VoxelType::float32});
    const sar::Volume read = sar::read_volume(folder.path() / name);
    for (std::size_t i = 0; i < volume.voxels.size(); ++i) {
      CHECK(std::bit_cast<std::uint32_t>(read.voxels[i]) ==
            std::bit_cast<std::uint32_t>(volume.voxels[i]));
    }
  }
}

TEST_CASE("integer types round and clamp, and NIfTI's slope and intercept are undone by reading",
          "[io]") {
  const sar::TemporaryFolder folder;
  sar::Volume volume = numbered_volume({4, 1, 1});
  volume.voxels = {1.6F, -3.4F, 1000, -1000};
  sar::write_volume(folder.path() / "a.nii", volume, {.type = sar::VoxelType::int8});
  CHECK(sar::read_volume(folder.path() / "a.nii").voxels == std::vector<float>{2, -3, 127, -128});
  sar::write_volume(folder.path() / "b.nii",
                    volume,
                    {.type = sar::VoxelType::int16, .slope = 0.5, .intercept = -1024});
  const sar::ImageHeader header = sar::read_image_header(folder.path() / "b.nii");
  CHECK(header.slope == 0.5);
  CHECK(header.intercept == -1024);
  // Exact: steps of 0.5. 1.6 -> 1.5, -3.4 -> -3.5.
  CHECK(sar::read_volume(folder.path() / "b.nii").voxels ==
        std::vector<float>{1.5F, -3.5F, 1000, -1000});
  const Failure meta = failure_of([&] {
    sar::write_volume(folder.path() / "b.mha", volume, {.type = sar::VoxelType::int16, .slope = 2});
  });
  CHECK(meta.code == 74);
  volume.voxels[0] = std::numeric_limits<float>::quiet_NaN();
  const Failure nan = failure_of(
      [&] { sar::write_volume(folder.path() / "c.nii", volume, {.type = sar::VoxelType::int16}); });
  CHECK(nan.code == 74);
  CHECK_THAT(nan.text, Contains("c.nii"));
  CHECK_FALSE(fs::exists(folder.path() / "c.nii"));
}

TEST_CASE("label maps keep their classes and refuse what is not a class", "[io]") {
  const sar::TemporaryFolder folder;
  sar::LabelMap labels;
  labels.geometry.size = {4, 3, 2};
  for (int i = 0; i < 24; ++i) {
    labels.voxels.push_back(static_cast<std::uint8_t>(i == 7 ? 255 : i % 5));
  }
  for (const char* name : {"a.nii.gz", "a.nii", "a.mhd", "a.mha"}) {
    sar::write_label_map(folder.path() / name, labels, true);
    const sar::LabelMap read = sar::read_label_map(folder.path() / name);
    CHECK(read.voxels == labels.voxels);
    CHECK(sar::geometry_difference(read.geometry, labels.geometry) == "");
  }
  sar::Volume volume;
  volume.geometry = labels.geometry;
  volume.voxels.assign(24, 1);
  for (const float value : {1.5F, -1.0F, 256.0F, std::numeric_limits<float>::quiet_NaN()}) {
    volume.voxels[11] = value;
    sar::write_volume(folder.path() / "bad.nii", volume, {.type = sar::VoxelType::float32});
    const Failure failure = failure_of([&] { sar::read_label_map(folder.path() / "bad.nii"); });
    INFO(failure.text);
    CHECK(failure.code == 65);
    CHECK_THAT(failure.text,
               Contains("bad.nii") && Contains(std::isnan(value) ? "nan" : std::to_string(value)));
  }
}

TEST_CASE("absent files, folders, foreign formats and unreadable files have their own errors",
          "[io]") {
  const sar::TemporaryFolder folder;
  const fs::path& root = folder.path();
  CHECK(reading_fails(root / "absent.nii.gz").code == 66);
  CHECK_THAT(reading_fails(root / "absent.nii.gz").text, Contains("absent.nii.gz"));
  fs::create_directory(root / "folder.nii");
  CHECK(reading_fails(root / "folder.nii").code == 65);
  sar::write_file_atomically(root / "image.dcm", "DICM");
  CHECK(reading_fails(root / "image.dcm").code == 65);
  sar::write_file_atomically(root / "empty.nii", "");
  CHECK(reading_fails(root / "empty.nii").code == 65);
  sar::write_file_atomically(root / "empty.mhd", "");
  CHECK(reading_fails(root / "empty.mhd").code == 65);
  sar::write_file_atomically(root / "text.nii.gz", std::string(2000, 'x'));
  CHECK(reading_fails(root / "text.nii.gz").code == 65);
  if (::geteuid() != 0) {  // root reads everything
    for (const char* name : {"int16.nii", "int16.nii.gz", "flipped.mha"}) {
      fs::copy_file(kReference / name, root / name);
      fs::permissions(root / name, fs::perms::none);
      CHECK(reading_fails(root / name).code == 74);
    }
  }
}

TEST_CASE("a truncated or damaged compressed image is an error wherever it is cut", "[io]") {
  const sar::TemporaryFolder folder;
  const std::string whole = sar::read_file(kReference / "int16.nii.gz");
  REQUIRE(reading_fails(kReference / "int16.nii.gz").code == 0);
  for (std::size_t length = 1; length < whole.size();
       length += length + 30 < whole.size() ? 7U : 1U) {
    sar::write_file_atomically(folder.path() / "cut.nii.gz", whole.substr(0, length));
    const Failure failure = reading_fails(folder.path() / "cut.nii.gz");
    INFO("first " << length << " of " << whole.size() << " bytes: " << failure.text);
    CHECK(failure.code == 65);
    CHECK_THAT(failure.text, Contains("cut.nii.gz"));
  }
  // A flipped bit in the data or in the checksum.
  for (const std::size_t place : {whole.size() / 2, whole.size() - 6}) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x10);
    sar::write_file_atomically(folder.path() / "flip.nii.gz", damaged);
    CHECK(reading_fails(folder.path() / "flip.nii.gz").code == 65);
  }
}

TEST_CASE("headers that contradict themselves or their data are refused with the reason", "[io]") {
  const sar::TemporaryFolder folder;
  const fs::path source = kReference / "int16.nii";
  const fs::path target = folder.path() / "bad.nii";
  const auto refused = [&](std::size_t offset, const std::string& patch, const char* reason) {
    patched(source, target, offset, patch);
    const Failure failure = reading_fails(target);
    INFO(failure.text);
    CHECK(failure.code == 65);
    CHECK_THAT(failure.text, Contains("bad.nii") && Contains(reason));
    // The header alone is enough to tell, except for what only the amount of data gives away.
    if (std::string(reason).find("more data") == std::string::npos) {
      CHECK(failure_of([&] { sar::read_image_header(target); }).code == 65);
    }
  };
  const auto i16 = [](int value) { return bytes_of(static_cast<std::int16_t>(value)); };
  const auto f32 = [](float value) { return bytes_of(value); };
  // Offsets of the NIfTI-1 header: dim[] 40, datatype 70, bitpix 72, pixdim[] 76, vox_offset 108,
  // magic 344.
  refused(42, i16(70), "too short");
  refused(42, i16(6), "more data");
  refused(44, i16(0), "size along an axis");
  refused(44, i16(-6), "size along an axis");
  refused(40, i16(0x300), "dim[0]");  // the byte order of dim[] is not that of the rest
  refused(40, i16(2), "three-dimensional");
  refused(40, i16(4) + i16(7) + i16(6) + i16(5) + i16(3), "more than one volume");
  refused(70, i16(128), "voxel type");  // RGB
  refused(70, i16(32), "voxel type");   // complex
  refused(72, i16(8), "bits per voxel");
  refused(80, f32(std::numeric_limits<float>::quiet_NaN()), "spacing");
  refused(84, f32(0), "spacing");
  refused(88, f32(-2.5F), "spacing");
  refused(80, f32(std::numeric_limits<float>::infinity()), "spacing");
  refused(284, f32(1e38F), "orientation");                                    // sform
  refused(272, f32(std::numeric_limits<float>::quiet_NaN()), "orientation");  // qform's offset
  refused(108, f32(std::numeric_limits<float>::quiet_NaN()), "vox_offset");
  refused(344, "ni1", "magic");
  refused(344, "xyz", "magic");
  refused(0, bytes_of(std::int32_t{347}), "magic");
  // A gigantic size is refused before memory is asked for.
  refused(42, i16(32767) + i16(32767) + i16(32767), "too short");

  for (const char* name : {"two_volumes.nii.gz", "nifti2.nii", "micrometres.nii"}) {
    const Failure failure = reading_fails(kReference / name);
    INFO(failure.text);
    CHECK(failure.code == 65);
    CHECK_THAT(failure.text, Contains(name));
  }
}

TEST_CASE("a damaged byte anywhere in a header is an error 65 or leaves a readable image", "[io]") {
  const sar::TemporaryFolder folder;
  sar::write_volume(folder.path() / "oblique.nii",
                    sar::read_volume(kReference / "oblique_RAS.nii.gz"),
                    {.type = sar::VoxelType::int16});
  int refused = 0;
  for (const fs::path& source : {folder.path() / "oblique.nii", kReference / "turned.mha"}) {
    const std::string bytes = sar::read_file(source);
    const fs::path target = folder.path() / ("damaged" + source.extension().string());
    fs::copy_file(source, target);
    const auto put = [&](std::size_t place, char value) {
      std::fstream file(target, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(place));
      file.put(value);
    };
    for (std::size_t place = 0; place < 352 && place < bytes.size(); ++place) {
      for (const int value : {0x00, 0x7f, 0xff}) {
        put(place, static_cast<char>(value));
        const Failure failure = reading_fails(target);
        if (failure.code != 0 && failure.code != 65) {
          FAIL_CHECK(source.filename() << " byte " << place << ": " << failure.text);
        }
        refused += failure.code == 65 ? 1 : 0;
      }
      put(place, bytes[place]);
    }
  }
  CHECK(refused > 200);
}

TEST_CASE("a MetaImage without its data, or with too few or too many, is refused", "[io]") {
  const sar::TemporaryFolder folder;
  const fs::path header = folder.path() / "identity.mhd";
  const fs::path raw = folder.path() / "identity.raw";
  fs::copy_file(kReference / "identity.mhd", header);
  const std::string voxels = sar::read_file(kReference / "identity.raw");
  const auto refused = [&](const char* reason) {
    const Failure failure = reading_fails(header);
    INFO(failure.text);
    CHECK(failure.code == 65);
    CHECK_THAT(failure.text, Contains("identity.mhd") && Contains(reason));
  };
  refused("missing");
  sar::write_file_atomically(raw, voxels.substr(1));
  refused("too short");
  sar::write_file_atomically(raw, voxels + "x");
  refused("more data");
  sar::write_file_atomically(raw, voxels);
  REQUIRE(reading_fails(header).code == 0);

  const std::string text = sar::read_file(header);
  const auto edited = [&](const std::string& line, const std::string& with, const char* reason) {
    std::string changed = text;
    const std::size_t place = changed.find(line);
    REQUIRE(place != std::string::npos);
    changed.replace(place, line.size(), with);
    sar::write_file_atomically(header, changed);
    refused(reason);
  };
  edited("DimSize = 7 6 5", "DimSize = 7 6 0", "size along an axis");
  edited("DimSize = 7 6 5", "DimSize = 7 6 -5", "size along an axis");
  edited("DimSize = 7 6 5", "DimSize = 5 6 6", "more data");
  edited("DimSize = 7 6 5", "DimSize = 70 60 50", "too short");
  edited("ElementSpacing = 0.75 1.5 2.5", "ElementSpacing = 0.75 nan 2.5", "spacing");
  edited("NDims = 3", "NDims = three", "NDims");
  edited("ElementSpacing = 0.75 1.5 2.5", "ElementSpacing = 0.75 0 2.5", "spacing");
  // ITK itself never returns from these, or asks for all memory.
  edited("NDims = 3", "NDims = -1", "NDims");
  edited("NDims = 3", "NDims = 1000000000", "NDims");
  edited("DimSize = 7 6 5", "DimSize = 7 6", "DimSize does not hold 3 numbers");
  // Numbers that are none of a patient's scan.
  for (const char* spacing : {"1e30", "100", "0.01", "1e-5", "-1"}) {
    edited("ElementSpacing = 0.75 1.5 2.5",
           std::string("ElementSpacing = 0.75 ") + spacing + " 2.5",
           "spacing is not between");
  }
  edited("TransformMatrix = 1 0 0 0 1 0 0 0 1", "TransformMatrix = 0 0 0 0 0 0 0 0 0", "axes");
  edited("Offset = 3.5 -4.25 100.0", "Offset = 3.5 1e30 100.0", "origin");
  edited("BinaryData = True", "BinaryData = True\nHeaderSize = 100000", "HeaderSize");
  edited("ElementType = MET_SHORT",
         "ElementType = MET_SHORT\nElementNumberOfChannels = 2",
         "component");
  edited("ElementType = MET_SHORT", "ElementType = MET_LONG_LONG", "voxel type");
  edited("BinaryData = True", "BinaryData = False", "text");
  edited("identity.raw", "slice%03d.raw 1 5 1", "missing");
  edited("CompressedData = False", "CompressedData = True", "compressed data are damaged");

  // A compressed data file that stops early.
  const sar::Volume volume = numbered_volume({20, 20, 20});
  sar::write_volume(
      folder.path() / "z.mhd", volume, {.type = sar::VoxelType::int16, .compress = true});
  const std::string packed = sar::read_file(folder.path() / "z.zraw");
  for (const std::size_t cut : {packed.size() / 2, packed.size() - 1}) {
    sar::write_file_atomically(folder.path() / "z.zraw", packed.substr(0, cut));
    const Failure failure = reading_fails(folder.path() / "z.mhd");
    INFO(failure.text);
    CHECK(failure.code == 65);
  }
}

TEST_CASE("a pipe or a folder with the name of an image is refused at once", "[io]") {
  const sar::TemporaryFolder folder;
  const fs::path pipe = folder.path() / "pipe.mhd";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THAT(reading_fails(pipe).text, Contains("pipe or device"));
  fs::create_directory(folder.path() / "folder.mhd");
  CHECK_THAT(reading_fails(folder.path() / "folder.mhd").text, Contains("is a folder"));
}

TEST_CASE("a failed write is error 74 and leaves nothing behind", "[io]") {
  const sar::TemporaryFolder folder;
  const sar::Volume volume = numbered_volume({3, 3, 3});
  sar::write_file_atomically(folder.path() / "file", "not a folder");
  for (const char* name : {"file/a.nii", "file/a.mhd", "file/a.mha", "a.png"}) {
    const Failure failure =
        failure_of([&] { sar::write_volume(folder.path() / name, volume, {}); });
    INFO(failure.text);
    CHECK(failure.code == 74);
    CHECK_THAT(failure.text, Contains(name));
  }
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}
