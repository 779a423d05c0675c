#include "harness/volume/cube_store.h"

#include "harness/core/error.h"
#include "harness/core/hash.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace sar {
namespace fs = std::filesystem;
namespace {

static_assert(std::endian::native == std::endian::little, "cube files are little-endian");

constexpr int kFormatVersion = 1;
constexpr float kOne = 65535.0F;  ///< stored value of 1.0

Json index_entry(const CubeInfo& info) {
  return {{"dataset", info.dataset},
          {"case", info.case_id},
          {"patient", info.patient},
          {"ct", info.is_ct},
          {"scale", name_of(info.scale)},
          {"origin", info.box.origin},
          {"size", info.box.size}};
}

CubeInfo parse_entry(const Json& entry) {
  CubeInfo info;
  entry.at("dataset").get_to(info.dataset);
  entry.at("case").get_to(info.case_id);
  entry.at("patient").get_to(info.patient);
  entry.at("ct").get_to(info.is_ct);
  entry.at("origin").get_to(info.box.origin);
  entry.at("size").get_to(info.box.size);
  const auto name = entry.at("scale").get<std::string>();
  constexpr std::array stored{Scale::small, Scale::medium, Scale::large, Scale::native};
  const auto* scale = std::find_if(
      stored.begin(), stored.end(), [&](Scale candidate) { return name_of(candidate) == name; });
  if (scale == stored.end()) {
    throw data_error("unknown scale").with("scale", name);
  }
  info.scale = *scale;
  return info;
}

}  // namespace

fs::path cube_index_path(const fs::path& path) {
  return fs::path(path) += ".json";
}

std::string stored_voxel_digest(const fs::path& path) {
  const Json index = read_json(cube_index_path(path));
  const auto digest = index.find("sha256");
  return index.is_object() && digest != index.end() && digest->is_string()
             ? digest->get<std::string>()
             : std::string();
}

CubeStoreWriter::CubeStoreWriter(fs::path path, Size3 shape)
    : path_(std::move(path)), shape_(shape), index_(Json::array()), volumes_(Json::array()) {
  partial_ =
      path_.parent_path() / fmt::format(".{}.partial-{}", path_.filename().string(), ::getpid());
  std::error_code code;
  if (path_.has_parent_path()) {
    fs::create_directories(path_.parent_path(), code);
  }
  file_.open(partial_, std::ios::binary | std::ios::trunc);
  if (code || !file_) {
    throw io_error("cannot write cubes")
        .with("file", path_.string())
        .with("free", free_space(path_));
  }
}

CubeStoreWriter::~CubeStoreWriter() {
  file_.close();
  std::error_code ignored;
  fs::remove(partial_, ignored);
}

void CubeStoreWriter::add_volume(const std::string& case_id, const Size3& size) {
  volumes_.push_back({{"case", case_id}, {"size", size}});
}

void CubeStoreWriter::add(const Cube& cube, const CubeInfo& info) {
  if (cube.block.size != shape_ || cube.block.values.size() != count_voxels(shape_)) {
    throw internal_error("a cube of another shape than the store's")
        .with("cube", to_string(cube.block.size))
        .with("store", to_string(shape_))
        .with("case", info.case_id);
  }
  voxels_.resize(cube.block.values.size());
  bool in_range = true;
  for (std::size_t i = 0; i < voxels_.size(); ++i) {
    const float value = cube.block.values[i];
    in_range &= value >= 0.0F && value <= 1.0F;
    voxels_[i] = static_cast<std::uint16_t>(static_cast<int>(value * kOne + 0.5F));
  }
  if (!in_range) {
    throw internal_error("a cube with values outside [0, 1]").with("case", info.case_id);
  }
  file_.write(reinterpret_cast<const char*>(voxels_.data()),
              static_cast<std::streamsize>(voxels_.size() * sizeof(std::uint16_t)));
  if (!file_) {
    throw io_error("cannot write cubes")
        .with("file", path_.string())
        .with("free", free_space(path_));
  }
  index_.push_back(index_entry(info));
}

void CubeStoreWriter::finish() {
  file_.close();
  if (!file_) {
    throw io_error("cannot write cubes")
        .with("file", path_.string())
        .with("free", free_space(path_));
  }
  std::error_code code;
  fs::remove(cube_index_path(path_), code);  // an older index must not describe the new voxels
  write_file_atomically(path_, [&](const fs::path& temporary) {
    fs::rename(partial_, temporary, code);
    if (code) {
      throw io_error("cannot write cubes")
          .with("file", path_.string())
          .with("reason", code.message());
    }
  });
  const Json document{{"version", kFormatVersion},
                      {"shape", shape_},
                      {"sha256", sha256_of_file(path_)},
                      {"volumes", volumes_},
                      {"cubes", index_}};
  write_file_atomically(cube_index_path(path_), document.dump(1) + "\n");
}

CubeStore::CubeStore(const std::vector<fs::path>& paths) {
  files_.reserve(paths.size());
  for (const fs::path& path : paths) {
    const Json document = read_json(cube_index_path(path));
    try {
      if (document.at("version") != kFormatVersion) {
        throw data_error("cubes of another format version");
      }
      const auto shape = document.at("shape").get<Size3>();
      if (*std::min_element(shape.begin(), shape.end()) < 1) {
        throw data_error("cubes without voxels");
      }
      if (!files_.empty() && shape != shape_) {
        throw data_error("cube files of different shapes")
            .with("shape", to_string(shape))
            .with("first file's shape", to_string(shape_));
      }
      shape_ = shape;
      const Json& cubes = document.at("cubes");
      const MappedFile& file = files_.emplace_back(path);
      const std::size_t voxels = count_voxels(shape_);
      if (file.bytes().size() != cubes.size() * voxels * sizeof(std::uint16_t)) {
        throw data_error("the size of the cube file does not fit its index")
            .with("bytes", std::to_string(file.bytes().size()))
            .with("cubes", std::to_string(cubes.size()));
      }
      const auto* first = reinterpret_cast<const std::uint16_t*>(file.bytes().data());
      for (std::size_t i = 0; i < cubes.size(); ++i) {
        infos_.push_back(parse_entry(cubes[i]));
        voxels_.push_back(first + i * voxels);
      }
    } catch (Error& error) {
      error.with("file", path.string());
      throw;
    } catch (const Json::exception& error) {
      throw data_error("the index of a cube file is not as expected")
          .with("file", cube_index_path(path).string())
          .with("reason", error.what());
    }
  }
}

Block CubeStore::cube(std::size_t index) const {
  Block block{shape_, std::vector<float>(count_voxels(shape_))};
  const std::uint16_t* stored = voxels_.at(index);
  for (float& value : block.values) {
    value = static_cast<float>(*stored++) / kOne;  // a division, so that 65535 becomes exactly 1
  }
  return block;
}

}  // namespace sar
