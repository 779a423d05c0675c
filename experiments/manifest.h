#pragma once

#include "experiments/fields.h"
#include "harness/core/json.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sar {

/// A file as it was when it was hashed: if size and time are the same, so is its digest.
struct FileState {
  std::string path;
  std::int64_t size = 0;         ///< bytes
  std::int64_t modified_ns = 0;  ///< since 1970

  template <class V>
  void fields(V& v) {
    v("path", path);
    v("size", size);
    v("modified_ns", modified_ns);
  }
};

/// An image or a label map. A MetaImage header brings its data file along.
struct DataFile {
  std::string path;
  std::string sha256;  ///< of the file; of the digests of its files if there are several
  std::vector<FileState> files;

  template <class V>
  void fields(V& v) {
    v("path", path);
    v("sha256", sha256);
    v("files", files);
  }
};

/// One case as the worker found it: the front plans with this list and never opens an image.
struct ManifestCase {
  std::string id, patient, group;
  std::map<std::string, DataFile> images;  ///< by channel
  std::optional<DataFile> label;
  bool selected = false;  ///< in the set's list (`<id>.list`, `luna.subsets`), or no list was given

  template <class V>
  void fields(V& v) {
    v("id", id);
    v("patient", patient);
    v("group", group);
    v("images", images);
    v("label", label);
    v("pretraining", selected);
  }
};

struct ManifestDataset {
  std::string root, modality;         ///< modality: CT | MRI
  std::vector<std::string> channels;  ///< "ct", or the four MR channels
  std::string digest;                 ///< hash of names and SHA-256 of all files
  std::vector<ManifestCase> cases;

  template <class V>
  void fields(V& v) {
    v("root", root);
    v("modality", modality);
    v("channels", channels);
    v("digest", digest);
    v("cases", cases);
  }
};

/// The data at hand.
struct Manifest {
  std::string data_kind;  ///< phantom | real
  std::map<std::string, ManifestDataset> datasets;

  template <class V>
  void fields(V& v) {
    v("data_kind", data_kind);
    v("datasets", datasets);
  }

  /// Throws Error 66 naming how to give the root.
  [[nodiscard]] const ManifestDataset& at(const std::string& id) const;
  /// What the protocol hashes: data kind and digest of each data set.
  [[nodiscard]] Json identity() const;
};

/// Digest of a data set whose files are not written yet: a dry run plans phantoms by their names.
constexpr const char* kNotWritten = "not written yet";

}  // namespace sar
