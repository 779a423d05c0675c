#include "harness/io/image_io.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/io/byte_stream.h"

#include <fmt/format.h>
#include <itkImageIOBase.h>
#include <itkMetaImageIO.h>
#include <itkNiftiImageIO.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <sstream>
#include <utility>
#include <vector>

namespace sar {
namespace fs = std::filesystem;
namespace {

using itk::IOComponentEnum;

struct TypeEntry {
  VoxelType type;
  const char* name;
  std::size_t bytes;
  int nifti_code;  ///< `datatype` of the NIfTI-1 header
  IOComponentEnum component;
};
constexpr std::array<TypeEntry, 8> kTypes{{
    {VoxelType::int8, "int8", 1, 256, IOComponentEnum::CHAR},
    {VoxelType::uint8, "uint8", 1, 2, IOComponentEnum::UCHAR},
    {VoxelType::int16, "int16", 2, 4, IOComponentEnum::SHORT},
    {VoxelType::uint16, "uint16", 2, 512, IOComponentEnum::USHORT},
    {VoxelType::int32, "int32", 4, 8, IOComponentEnum::INT},
    {VoxelType::uint32, "uint32", 4, 768, IOComponentEnum::UINT},
    {VoxelType::float32, "float32", 4, 16, IOComponentEnum::FLOAT},
    {VoxelType::float64, "float64", 8, 64, IOComponentEnum::DOUBLE},
}};

const TypeEntry& entry_of(VoxelType type) {
  return *std::find_if(
      kTypes.begin(), kTypes.end(), [&](const TypeEntry& entry) { return entry.type == type; });
}

/// Calls `function` with a value of the C++ type that `type` stands for.
template <typename Function>
void with_type(VoxelType type, const Function& function) {
  switch (type) {
    case VoxelType::int8:
      return function(std::int8_t{});
    case VoxelType::uint8:
      return function(std::uint8_t{});
    case VoxelType::int16:
      return function(std::int16_t{});
    case VoxelType::uint16:
      return function(std::uint16_t{});
    case VoxelType::int32:
      return function(std::int32_t{});
    case VoxelType::uint32:
      return function(std::uint32_t{});
    case VoxelType::float32:
      return function(float{});
    case VoxelType::float64:
      return function(double{});
  }
}

template <typename T>
T swap_bytes(T value) {
  auto bytes = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
  std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<T>(bytes);
}

/// An image as it lies on disk, and how its voxels reach their canonical place.
struct StoredImage {
  ImageHeader header;
  Size3 size{};  ///< along the stored axes
  /// Voxel (i, j, k) on disk goes to first + i * step[0] + j * step[1] + k * step[2].
  std::ptrdiff_t first = 0;
  std::array<std::ptrdiff_t, 3> step{};
  bool swapped = false;  ///< byte order is not this machine's
  fs::path data;
  bool compressed = false;
  std::uint64_t file_offset = 0;  ///< bytes of the file before the (possibly compressed) stream
  std::uint64_t data_offset = 0;  ///< bytes of the inflated stream before the first voxel

  [[nodiscard]] std::uint64_t voxel_bytes() const {
    return count_voxels(size) * entry_of(header.type).bytes;
  }
};

/// Runs `function` and turns whatever goes wrong into an Error that names the file.
template <typename Function>
auto reading(const fs::path& path, const Function& function) {
  try {
    return function();
  } catch (const Error& error) {
    throw Error(error).with("file", path.string());
  } catch (const itk::ExceptionObject& exception) {
    throw data_error("cannot read the image header")
        .with("reason", exception.GetDescription())
        .with("file", path.string());
  } catch (const std::exception& exception) {
    throw io_error("cannot read the image")
        .with("reason", exception.what())
        .with("file", path.string());
  }
}

/// Fills in the canonical geometry and the way voxels go there.
void make_canonical(const Geometry& stored, StoredImage& image) {
  // Stored axis for each canonical one: the permutation with the largest sum of absolute cosines.
  const auto cosine = [&](int row, int axis) {
    return stored.direction[static_cast<std::size_t>(3 * row + axis)];
  };
  Size3 axes{0, 1, 2};
  Size3 candidate = axes;
  double best = -1;
  do {
    double sum = 0;
    for (int row = 0; row < 3; ++row) {
      sum += std::abs(cosine(row, candidate[static_cast<std::size_t>(row)]));
    }
    if (sum > best + 1e-6) {  // on a tie the stored order wins
      best = sum;
      axes = candidate;
    }
  } while (std::next_permutation(candidate.begin(), candidate.end()));

  constexpr std::array<std::array<char, 2>, 3> kLetters{{{'R', 'L'}, {'A', 'P'}, {'I', 'S'}}};
  std::string letters(3, ' ');
  bool oblique = false;
  Geometry canonical;
  canonical.origin_mm = stored.origin_mm;
  std::ptrdiff_t stride = 1;
  for (std::size_t row = 0; row < 3; ++row) {
    const int axis_number = axes[row];
    const auto axis = static_cast<std::size_t>(axis_number);
    const double along = cosine(static_cast<int>(row), axis_number);
    const bool flip = along < 0;
    letters[axis] = kLetters[row][flip ? 0 : 1];
    constexpr double kOneDegree = 0.99984769515639;  // cos(1 degree)
    oblique = oblique || std::abs(along) < kOneDegree;

    const int count = stored.size[axis];
    canonical.size[row] = count;
    canonical.spacing_mm[row] = stored.spacing_mm[axis];
    image.step[axis] = flip ? -stride : stride;
    if (flip) {
      image.first += stride * (count - 1);
    }
    stride *= count;
    for (std::size_t i = 0; i < 3; ++i) {
      const double component = cosine(static_cast<int>(i), axis_number);
      if (flip) {
        canonical.origin_mm[i] += component * stored.spacing_mm[axis] * (count - 1);
      }
      canonical.direction[3 * i + row] = (flip ? -component : component) + 0.0;  // no negative zero
    }
  }
  image.header.geometry = canonical;
  image.header.orientation = (oblique ? "oblique " : "") + letters;
}

/// Throws for what is no distance between voxels of a patient's scan.
void check_spacing(double spacing_mm, const std::string& where) {
  constexpr double kLeast = 0.02;  // choices: mm
  constexpr double kMost = 50;
  if (!(spacing_mm >= kLeast && spacing_mm <= kMost)) {
    throw data_error("spacing is not between 0.02 and 50 mm (are its lengths in metres?)")
        .with(where, fmt::format("{}", spacing_mm));
  }
}

/// Takes the geometry from ITK's reading of the header and checks it.
void take_geometry(const itk::ImageIOBase& io, StoredImage& image) {
  Geometry stored;
  for (unsigned axis = 0; axis < 3; ++axis) {
    stored.spacing_mm[axis] = io.GetSpacing(axis);
    stored.origin_mm[axis] = io.GetOrigin(axis) + 0.0;  // no negative zero
    const std::vector<double> direction = io.GetDirection(axis);
    for (std::size_t row = 0; row < 3; ++row) {
      stored.direction[3 * row + axis] = direction[row];
    }
    check_spacing(stored.spacing_mm[axis], "axis " + std::to_string(axis));
  }
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(stored.origin_mm.begin(), stored.origin_mm.end(), finite) ||
      !std::all_of(stored.direction.begin(), stored.direction.end(), finite)) {
    throw data_error("origin or direction is not finite");
  }
  const std::array<double, 9>& d = stored.direction;
  const double volume = d[0] * (d[4] * d[8] - d[5] * d[7]) - d[1] * (d[3] * d[8] - d[5] * d[6]) +
                        d[2] * (d[3] * d[7] - d[4] * d[6]);
  constexpr double kFlattest = 0.1;  // a choice; 1 for axes at right angles
  if (!(std::abs(volume) >= kFlattest && std::abs(volume) <= 1 / kFlattest)) {
    throw data_error("direction does not hold three axes of their own")
        .with("determinant", std::to_string(volume));
  }
  stored.size = image.size;
  make_canonical(stored, image);
}

/// Sizes of an image of at least three axes; further axes must have length 1.
Size3 checked_size(std::span<const std::int64_t> lengths) {
  std::string text;
  for (const std::int64_t length : lengths) {
    text += (text.empty() ? "" : "x") + std::to_string(length);
  }
  constexpr std::int64_t kLargest = 65535;  // keeps every product of three within 64 bits
  for (const std::int64_t length : lengths) {
    if (length < 1 || length > kLargest) {
      throw data_error("size along an axis is below 1 or above 65535").with("size", text);
    }
  }
  if (lengths.size() < 3) {
    throw data_error("not a three-dimensional image").with("size", text);
  }
  for (const std::int64_t length : lengths.subspan(3)) {
    if (length != 1) {
      throw data_error("holds more than one volume").with("size", text);
    }
  }
  return {static_cast<int>(lengths[0]), static_cast<int>(lengths[1]), static_cast<int>(lengths[2])};
}

/// Throws unless the file can hold the promised voxels, before memory is asked for.
void check_promise(const StoredImage& image) {
  const std::uint64_t there = fs::file_size(image.data);
  const std::uint64_t wanted = image.voxel_bytes() + image.data_offset;
  constexpr std::uint64_t kLargestRatio = 1032;  // deflate cannot compress further than this
  const bool too_short =
      image.compressed ? there * kLargestRatio < wanted : there < wanted + image.file_offset;
  if (too_short) {
    throw data_error("file is too short for the size in its header")
        .with("size", to_string(image.size))
        .with("type", to_string(image.header.type))
        .with("bytes wanted", std::to_string(wanted))
        .with("bytes in file", std::to_string(there))
        .with("data file", image.data.string());
  }
}

// ---- NIfTI-1 ------------------------------------------------------------------------------------

/// The fields of the 348-byte header that are checked before ITK, which mends some faults silently
/// (a spacing that is NaN becomes 1), gets to see them. Offsets: nifti1.h of the NIfTI-1 standard.
class NiftiHeader {
 public:
  explicit NiftiHeader(std::span<const std::byte, 348> bytes) : bytes_(bytes) {
    constexpr std::int32_t kSize1 = 348;
    constexpr std::int32_t kSize2 = 540;
    const auto size = field<std::int32_t>(0);
    swapped_ = swap_bytes(size) == kSize1;
    if (size == kSize2 || swap_bytes(size) == kSize2) {
      throw data_error("is NIfTI-2; only NIfTI-1 is read");
    }
    const auto* magic = reinterpret_cast<const char*>(&bytes_[344]);
    if ((size != kSize1 && !swapped_) ||
        std::string_view(magic, 4) != std::string_view("n+1\0", 4)) {
      throw data_error("is not a single-file NIfTI-1 image (wrong magic)");
    }
  }
  [[nodiscard]] bool swapped() const { return swapped_; }
  [[nodiscard]] int dimension(std::size_t i) const { return field<std::int16_t>(40 + 2 * i); }
  [[nodiscard]] int datatype() const { return field<std::int16_t>(70); }
  [[nodiscard]] int bits() const { return field<std::int16_t>(72); }
  [[nodiscard]] double spacing(std::size_t i) const { return real(76 + 4 * i); }
  [[nodiscard]] double voxel_offset() const { return real(108); }
  [[nodiscard]] double slope() const { return real(112); }
  [[nodiscard]] double intercept() const { return real(116); }
  /// 0 or absent: unknown, 1: metre, 2: millimetre, 3: micrometre.
  [[nodiscard]] int length_unit() const { return std::to_integer<int>(bytes_[123]) & 7; }
  [[nodiscard]] bool has_qform() const { return field<std::int16_t>(252) > 0; }
  [[nodiscard]] bool has_sform() const { return field<std::int16_t>(254) > 0; }
  /// Numbers of both forms that are in use: quaternion and offset, and the sform's matrix.
  [[nodiscard]] std::vector<double> orientation_numbers() const {
    std::vector<double> numbers;
    for (std::size_t offset = 256; offset < 280 && has_qform(); offset += 4) {
      numbers.push_back(real(offset));
    }
    for (std::size_t offset = 280; offset < 328 && has_sform(); offset += 4) {
      numbers.push_back(real(offset));
    }
    return numbers;
  }
  /// Element of the 3x4 matrix that takes an index to millimetres (RAS).
  [[nodiscard]] double sform(std::size_t row, std::size_t column) const {
    return real(280 + 16 * row + 4 * column);
  }

 private:
  template <typename T>
  [[nodiscard]] T field(std::size_t offset) const {
    std::array<std::byte, sizeof(T)> raw;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), sizeof(T), raw.begin());
    const T value = std::bit_cast<T>(raw);
    return swapped_ ? swap_bytes(value) : value;
  }
  [[nodiscard]] double real(std::size_t offset) const {
    return static_cast<double>(field<float>(offset));
  }

  std::span<const std::byte, 348> bytes_;
  bool swapped_ = false;
};

/// True if ITK's geometry places a corner of the image more than half a voxel from where the sform
/// does.
bool contradicts_sform(const itk::ImageIOBase& io, const NiftiHeader& header, const Size3& size) {
  double worst = 0;
  for (unsigned corner = 0; corner < 8; ++corner) {
    for (unsigned row = 0; row < 3; ++row) {
      const double sign = row < 2 ? -1 : 1;  // RAS to LPS
      double difference = io.GetOrigin(row) - sign * header.sform(row, 3);
      for (unsigned axis = 0; axis < 3; ++axis) {
        const int index = ((corner >> axis) & 1U) != 0 ? size[axis] - 1 : 0;
        difference += index * (io.GetDirection(axis)[row] * io.GetSpacing(axis) -
                               sign * header.sform(row, axis));
      }
      worst = std::max(worst, std::abs(difference));
    }
  }
  return !(worst <= 0.5 * std::min({io.GetSpacing(0), io.GetSpacing(1), io.GetSpacing(2)}));
}

StoredImage open_nifti(const fs::path& path) {
  StoredImage image;
  image.data = path;
  image.compressed = starts_like_gzip(path);
  std::array<std::byte, 348> bytes;
  ByteStream(path, 0, image.compressed).read(bytes);
  const NiftiHeader header(bytes);
  image.swapped = header.swapped();

  const int dimensions = header.dimension(0);
  if (dimensions < 1 || dimensions > 7) {
    throw data_error("number of dimensions is not 1..7 (damaged or mixed byte order)")
        .with("dim[0]", std::to_string(dimensions));
  }
  std::vector<std::int64_t> lengths;
  for (int i = 1; i <= dimensions; ++i) {
    lengths.push_back(header.dimension(static_cast<std::size_t>(i)));
  }
  image.size = checked_size(lengths);
  for (std::size_t axis = 1; axis <= 3; ++axis) {
    check_spacing(header.spacing(axis), "pixdim[" + std::to_string(axis) + "]");
  }
  const auto* entry = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeEntry& candidate) {
    return candidate.nifti_code == header.datatype();
  });
  if (entry == kTypes.end()) {
    throw data_error("voxel type is not one of int8 … float64 with one component")
        .with("datatype", std::to_string(header.datatype()));
  }
  image.header.type = entry->type;
  if (header.bits() != static_cast<int>(8 * entry->bytes)) {
    throw data_error("bits per voxel do not fit the voxel type")
        .with("bitpix", std::to_string(header.bits()))
        .with("type", entry->name);
  }
  const double offset = header.voxel_offset();
  if (!std::isfinite(offset) || offset < 0 || offset > 1e9 || offset != std::floor(offset)) {
    throw data_error("place of the first voxel is not a whole number of bytes")
        .with("vox_offset", std::to_string(offset));
  }
  image.data_offset = std::max<std::uint64_t>(348, static_cast<std::uint64_t>(offset));
  constexpr double kFarthest = 1e6;  // millimetres; near the end of float's range ITK never returns
  for (const double number : header.orientation_numbers()) {
    if (!(std::abs(number) <= kFarthest)) {
      throw data_error("orientation holds a number that is not a length in a patient")
          .with("number", std::to_string(number));
    }
  }
  constexpr int kMillimetre = 2;
  if (header.length_unit() != 0 && header.length_unit() != kMillimetre) {
    throw data_error("lengths are not in millimetres")
        .with("xyzt_units", std::to_string(header.length_unit()));
  }
  // The standard: a slope of 0 means that values are not scaled. Some writers put NaN there.
  if (std::isfinite(header.slope()) && header.slope() != 0) {
    image.header.slope = header.slope();
    image.header.intercept = std::isfinite(header.intercept()) ? header.intercept() : 0;
  }
  check_promise(image);

  const auto io = itk::NiftiImageIO::New();
  io->SetFileName(path.string());
  io->ReadImageInformation();
  take_geometry(*io, image);
  if (!header.has_qform() && !header.has_sform()) {
    image.header.orientation = "none";
    image.header.remark = "states no orientation: its axes are taken as they are";
  } else if (header.has_sform() && contradicts_sform(*io, header, image.size)) {
    image.header.remark = "its qform and sform disagree: the qform is used";
  }
  return image;
}

// ---- MetaImage ----------------------------------------------------------------------------------

/// The header's lines, which are checked before ITK sees them: for some numbers it never returns,
/// or asks for all memory.
class MetaHeader {
 public:
  explicit MetaHeader(const fs::path& path) {
    constexpr std::uint64_t kLongest = 1U << 16U;
    std::string text(std::min<std::uint64_t>(kLongest, fs::file_size(path)), '\0');
    ByteStream(path, 0, false).read(std::as_writable_bytes(std::span(text)));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const auto separator = line.find_first_of("=:");  // ITK takes both
      const std::string key = trimmed(line.substr(0, separator));
      const std::string value =
          separator == std::string::npos ? "" : trimmed(line.substr(separator + 1));
      if (!fields_.emplace(key, value).second && !key.empty() && key != "Comment") {
        throw data_error("header has a key twice").with("key", key);
      }
      if (key == "ElementDataFile") {
        end_ = lines.eof() ? text.size() : static_cast<std::uint64_t>(lines.tellg());
        check();
        return;
      }
    }
    throw data_error("header has no line ElementDataFile");
  }

  /// Bytes up to and including the line ElementDataFile, which ends it.
  [[nodiscard]] std::uint64_t end() const { return end_; }

 private:
  static std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r");
    return first == std::string::npos
               ? ""
               : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
  }

  [[nodiscard]] std::vector<double> numbers(const std::string& key, std::size_t count) const {
    const auto field = fields_.find(key);
    if (field == fields_.end()) {
      return {};
    }
    std::vector<double> values;
    std::istringstream words(field->second);
    for (std::string word; words >> word;) {
      char* end = nullptr;
      values.push_back(std::strtod(word.c_str(), &end));
      if (*end != '\0' || values.size() > count) {
        values.clear();
        break;
      }
    }
    if (values.size() != count) {
      throw data_error(key + " does not hold " + std::to_string(count) + " numbers")
          .with("it holds", field->second.substr(0, 100));
    }
    return values;
  }

  void check() const {
    const std::vector<double> dimensions = numbers("NDims", 1);
    if (dimensions.empty() || !(dimensions[0] >= 1 && dimensions[0] <= 7)) {
      throw data_error("NDims is not 1 to 7")
          .with("NDims", dimensions.empty() ? "absent" : fmt::format("{}", dimensions[0]));
    }
    const auto axes = static_cast<std::size_t>(dimensions[0]);
    std::vector<std::int64_t> lengths;
    for (const double length : numbers("DimSize", axes)) {
      lengths.push_back(length >= 0 && length < 1e9 ? static_cast<std::int64_t>(length) : -1);
    }
    static_cast<void>(checked_size(lengths));
    for (const char* key : {"ElementSpacing", "ElementSize"}) {
      const std::vector<double> spacing = numbers(key, axes);
      for (std::size_t axis = 0; axis < std::min<std::size_t>(3, spacing.size()); ++axis) {
        check_spacing(spacing[axis], std::string(key) + "[" + std::to_string(axis) + "]");
      }
    }
    for (const char* key : {"Offset", "Position", "Origin"}) {
      for (const double number : numbers(key, axes)) {
        constexpr double kFarthest = 1e6;  // mm
        if (!(std::abs(number) <= kFarthest)) {
          throw data_error("origin is not a place in a patient")
              .with(key, fmt::format("{}", number));
        }
      }
    }
    for (const char* key : {"TransformMatrix", "Rotation", "Orientation"}) {
      static_cast<void>(numbers(key, axes * axes));
    }
  }

  std::map<std::string, std::string> fields_;
  std::uint64_t end_ = 0;
};

StoredImage open_meta(const fs::path& path) {
  const MetaHeader header(path);
  const auto io = itk::MetaImageIO::New();
  if (!io->CanReadFile(path.c_str())) {
    throw data_error("is not a MetaImage (wrong magic)");
  }
  io->SetFileName(path.string());
  try {
    io->ReadImageInformation();
  } catch (const itk::ExceptionObject&) {  // its text blames a missing file, whatever the cause
    throw data_error("header is incomplete or cannot be parsed");
  }
  const MetaImage& meta = *io->GetMetaImagePointer();

  StoredImage image;
  std::vector<std::int64_t> lengths;
  for (unsigned axis = 0; axis < io->GetNumberOfDimensions(); ++axis) {
    const itk::SizeValueType length = io->GetDimensions(axis);
    lengths.push_back(static_cast<std::int64_t>(std::min<itk::SizeValueType>(length, 1U << 30U)));
  }
  image.size = checked_size(lengths);
  if (io->GetNumberOfComponents() != 1) {
    throw data_error("has more than one component per voxel")
        .with("components", std::to_string(io->GetNumberOfComponents()));
  }
  IOComponentEnum component = io->GetComponentType();
  if (io->GetComponentSize() == 4) {  // MET_LONG has four bytes wherever it was written
    component = component == IOComponentEnum::LONG    ? IOComponentEnum::INT
                : component == IOComponentEnum::ULONG ? IOComponentEnum::UINT
                                                      : component;
  }
  const auto* entry = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeEntry& candidate) {
    return candidate.component == component;
  });
  if (entry == kTypes.end()) {
    throw data_error("voxel type is not one of int8 … float64")
        .with("type", itk::ImageIOBase::GetComponentTypeAsString(component));
  }
  image.header.type = entry->type;
  if (!meta.BinaryData()) {
    throw data_error("voxels are stored as text; only binary data are read");
  }
  image.swapped = meta.BinaryDataByteOrderMSB() != (std::endian::native == std::endian::big);
  image.compressed = meta.CompressedData();

  const std::string name = meta.ElementDataFileName();
  if (name == "LOCAL" || name == "Local" || name == "local") {
    image.data = path;
    image.file_offset = header.end();
  } else {
    image.data = path.parent_path() / name;
    if (!fs::is_regular_file(image.data)) {
      throw data_error("data file is missing").with("data file", image.data.string());
    }
    const auto bytes = fs::file_size(image.data);
    if (meta.HeaderSize() > 0) {
      image.file_offset = static_cast<std::uint64_t>(meta.HeaderSize());
      if (image.file_offset >= bytes) {
        throw data_error("HeaderSize is not below the size of the data file")
            .with("HeaderSize", std::to_string(meta.HeaderSize()))
            .with("bytes in file", std::to_string(bytes))
            .with("data file", image.data.string());
      }
    } else if (meta.HeaderSize() < 0 && !image.compressed && bytes >= image.voxel_bytes()) {
      image.file_offset = bytes - image.voxel_bytes();  // -1: "the voxels are at the end"
    }
  }
  check_promise(image);
  take_geometry(*io, image);
  return image;
}

bool is_nifti(const fs::path& path) {
  const std::string extension = extension_of(path);
  return extension == ".nii" || extension == ".nii.gz";
}

bool is_meta(const fs::path& path) {
  const std::string extension = extension_of(path);
  return extension == ".mhd" || extension == ".mha";
}

StoredImage open_image(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (status.type() == fs::file_type::not_found) {
    throw not_found_error("image file is not there");
  }
  if (status.type() == fs::file_type::directory) {
    throw data_error("is a folder, not an image file");
  }
  if (status.type() != fs::file_type::regular && status.type() != fs::file_type::none &&
      status.type() != fs::file_type::unknown) {
    throw data_error("is a pipe or device, not an image file");
  }
  const ByteStream readable(path, 0, false);  // throws if it cannot be opened
  if (is_nifti(path)) {
    return open_nifti(path);
  }
  if (is_meta(path)) {
    return open_meta(path);
  }
  throw data_error("is neither NIfTI (.nii, .nii.gz) nor MetaImage (.mhd, .mha)");
}

/// Reads all voxels slice by slice, each through `convert(double)`, into canonical order. The whole
/// file is read, so a damaged or overlong one is found.
template <typename Out, typename Convert>
void read_voxels(const StoredImage& image, std::vector<Out>& out, const Convert& convert) {
  ByteStream stream(image.data, image.file_offset, image.compressed);
  stream.skip(image.data_offset);
  out.resize(count_voxels(image.size));
  const bool as_stored =
      image.step ==
      std::array<std::ptrdiff_t, 3>{
          1, image.size[0], static_cast<std::ptrdiff_t>(image.size[0]) * image.size[1]};
  const bool unscaled = image.header.slope == 1 && image.header.intercept == 0;
  with_type(image.header.type, [&]<typename T>(T) {
    if constexpr (std::is_same_v<T, Out> && std::is_same_v<T, float>) {
      if (as_stored && unscaled && !image.swapped) {  // prepared volumes: nothing to convert
        stream.read(std::as_writable_bytes(std::span(out)));
        return;
      }
    }
    const int columns = image.size[0];
    std::vector<T> slice(count_voxels({columns, image.size[1], 1}));
    for (int z = 0; z < image.size[2]; ++z) {
      stream.read(std::as_writable_bytes(std::span(slice)));
      if (image.swapped) {
        for (T& value : slice) {
          value = swap_bytes(value);
        }
      }
      const T* row = slice.data();
      for (int y = 0; y < image.size[1]; ++y, row += columns) {
        Out* to = out.data() + image.first + y * image.step[1] + z * image.step[2];
        for (int x = 0; x < columns; ++x) {
          to[x * image.step[0]] = convert(static_cast<double>(row[x]));
        }
      }
    }
  });
  stream.expect_end();
}

// ---- Writing ------------------------------------------------------------------------------------

template <typename T>
std::vector<T> encode(std::span<const float> values, const WriteOptions& options) {
  std::vector<T> stored(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = (static_cast<double>(values[i]) - options.intercept) / options.slope;
    if constexpr (std::is_floating_point_v<T>) {
      stored[i] = static_cast<T>(value);
    } else {
      if (std::isnan(value)) {
        throw io_error("NaN cannot be stored in an integer voxel type");
      }
      stored[i] = static_cast<T>(std::clamp(std::nearbyint(value),
                                            static_cast<double>(std::numeric_limits<T>::lowest()),
                                            static_cast<double>(std::numeric_limits<T>::max())));
    }
  }
  return stored;
}

/// Writes one file, or header and data beside each other, with ITK.
/// ITK does not notice that a disk is full: what was written is read again. `voxels` are those that
/// it was given.
void check_written(const fs::path& path, std::span<const std::byte> voxels) {
  bool whole = false;
  std::string reason = "it does not read back as it was written";
  try {
    const StoredImage image = open_image(path);
    ByteStream stream(image.data, image.file_offset, image.compressed);
    stream.skip(image.data_offset);
    whole = true;
    std::vector<std::byte> piece(std::size_t{1} << 20U);
    while (whole && !voxels.empty()) {
      const auto read = std::span(piece).first(std::min(piece.size(), voxels.size()));
      stream.read(read);
      whole = std::ranges::equal(read, voxels.first(read.size()));
      voxels = voxels.subspan(read.size());
    }
    stream.expect_end();
  } catch (const Error& error) {
    whole = false;
    reason = error.message();
  }
  if (!whole) {
    throw io_error("the image could not be written whole")
        .with("reason", reason)
        .with("free", free_space(path));
  }
}

void write_plainly(itk::ImageIOBase& io,
                   const fs::path& path,
                   const Geometry& geometry,
                   VoxelType type,
                   const void* voxels) {
  io.SetNumberOfDimensions(3);
  itk::ImageIORegion region(3);
  for (unsigned axis = 0; axis < 3; ++axis) {
    const auto size = static_cast<itk::SizeValueType>(geometry.size[axis]);
    io.SetDimensions(axis, size);
    region.SetSize(axis, size);
    region.SetIndex(axis, 0);
    io.SetSpacing(axis, geometry.spacing_mm[axis]);
    io.SetOrigin(axis, geometry.origin_mm[axis]);
    io.SetDirection(
        axis,
        std::vector<double>{
            geometry.direction[axis], geometry.direction[3 + axis], geometry.direction[6 + axis]});
  }
  io.SetIORegion(region);
  io.SetPixelType(itk::IOPixelEnum::SCALAR);
  io.SetNumberOfComponents(1);
  io.SetComponentType(entry_of(type).component);
  io.SetFileName(path.string());
  io.WriteImageInformation();
  io.Write(voxels);
  check_written(path,
                std::span(static_cast<const std::byte*>(voxels),
                          count_voxels(geometry.size) * entry_of(type).bytes));
}

/// A folder of one's own beside the target, on the same file system, so that files can be renamed.
class SiblingFolder {
 public:
  explicit SiblingFolder(const fs::path& target) {
    const fs::path parent = target.has_parent_path() ? target.parent_path() : fs::path(".");
    fs::create_directories(parent);
    std::string pattern = (parent / ".partial-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw io_error("cannot create a folder beside the image");
    }
    path_ = pattern;
  }
  ~SiblingFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  SiblingFolder(const SiblingFolder&) = delete;
  SiblingFolder& operator=(const SiblingFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void write_image(const fs::path& path,
                 const Geometry& geometry,
                 VoxelType type,
                 const void* voxels,
                 const WriteOptions& options) {
  if (is_nifti(path)) {
    const auto io = itk::NiftiImageIO::New();
    io->SetRescaleSlope(options.slope);
    io->SetRescaleIntercept(options.intercept);
    write_file_atomically(path, [&](const fs::path& temporary) {
      write_plainly(*io, temporary, geometry, type, voxels);
    });
  } else if (extension_of(path) == ".mha") {
    const auto io = itk::MetaImageIO::New();
    write_file_atomically(path, [&](const fs::path& temporary) {
      write_plainly(*io, temporary, geometry, type, voxels);
    });
  } else if (extension_of(path) == ".mhd") {
    // The header names its data file, so both are made under their own names in a folder of their
    // own.
    const auto io = itk::MetaImageIO::New();
    io->SetUseCompression(options.compress);
    const SiblingFolder folder(path);
    const fs::path header = folder.path() / path.filename();
    write_plainly(*io, header, geometry, type, voxels);
    fs::path data = path.filename();
    data.replace_extension(options.compress ? ".zraw" : ".raw");
    for (const fs::path& name : {data, path.filename()}) {  // data first
      write_file_atomically(path.parent_path() / name, [&](const fs::path& temporary) {
        fs::rename(folder.path() / name, temporary);
      });
    }
  } else {
    throw io_error("images are written as .nii, .nii.gz, .mhd or .mha");
  }
}

template <typename Function>
void writing(const fs::path& path, const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    throw Error(error).with("image", path.string());
  } catch (const itk::ExceptionObject& exception) {
    throw io_error("cannot write the image")
        .with("reason", exception.GetDescription())
        .with("image", path.string());
  } catch (const std::exception& exception) {
    throw io_error("cannot write the image")
        .with("reason", exception.what())
        .with("image", path.string());
  }
}

void check_writable(const Geometry& geometry, std::size_t voxels) {
  const bool sizes =
      std::all_of(geometry.size.begin(), geometry.size.end(), [](int n) { return n >= 1; });
  if (!sizes || count_voxels(geometry.size) != voxels) {
    throw internal_error("the image does not have as many voxels as its size says")
        .with("size", to_string(geometry.size))
        .with("voxels", std::to_string(voxels));
  }
}

}  // namespace

std::string to_string(VoxelType type) {
  return entry_of(type).name;
}

ImageHeader read_image_header(const fs::path& path) {
  return reading(path, [&] { return open_image(path).header; });
}

Volume read_volume(const fs::path& path) {
  return reading(path, [&] {
    const StoredImage image = open_image(path);
    Volume volume{image.header.geometry, {}};
    const double slope = image.header.slope;
    const double intercept = image.header.intercept;
    read_voxels(image, volume.voxels, [&](double stored) {
      return static_cast<float>(slope * stored + intercept);
    });
    return volume;
  });
}

LabelMap read_label_map(const fs::path& path) {
  return reading(path, [&] {
    const StoredImage image = open_image(path);
    LabelMap labels{image.header.geometry, {}};
    const double slope = image.header.slope;
    const double intercept = image.header.intercept;
    read_voxels(image, labels.voxels, [&](double stored) {
      const double value = slope * stored + intercept;
      if (!(value >= 0 && value <= 255 && value == std::floor(value))) {
        throw data_error("label is not an integer in 0..255").with("value", std::to_string(value));
      }
      return static_cast<std::uint8_t>(value);
    });
    return labels;
  });
}

void write_volume(const fs::path& path, const Volume& volume, const WriteOptions& options) {
  writing(path, [&] {
    check_writable(volume.geometry, volume.voxels.size());
    if (!is_nifti(path) && (options.slope != 1 || options.intercept != 0)) {
      throw io_error("only NIfTI stores a slope and an intercept");
    }
    with_type(options.type, [&]<typename T>(T) {
      const std::vector<T> stored = encode<T>(volume.voxels, options);
      write_image(path, volume.geometry, options.type, stored.data(), options);
    });
  });
}

void write_label_map(const fs::path& path, const LabelMap& labels, bool compress) {
  writing(path, [&] {
    check_writable(labels.geometry, labels.voxels.size());
    const WriteOptions options{.type = VoxelType::uint8, .compress = compress};
    write_image(path, labels.geometry, options.type, labels.voxels.data(), options);
  });
}

}  // namespace sar
