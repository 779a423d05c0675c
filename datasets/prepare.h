#pragma once

#include "datasets/dataset.h"
#include "harness/volume/volume.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sar {

/// Folder with prepared volumes. Each is an uncompressed MetaImage (.mha), float32 or uint8, that
/// any viewer opens, reads back bit for bit at the speed of the disk, and is named after its
/// content key: the digests of the source files, what code prepares them, and every configuration
/// key that it reads. KEY.json, written last, holds the SHA-256 of the files of an entry; they are
/// compared with it before they are first used, and an entry that does not fit is made again. Safe
/// for several processes at once: one computes, the others wait for its lock (one of 256, by key)
/// and read.
class PreparedCache {
 public:
  /// `warn` is told of each entry that is made again.
  explicit PreparedCache(std::filesystem::path folder,
                         std::function<void(const std::string&)> warn = {});
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  /// Calls `make`, which writes KEY followed by each of `endings`, unless they are there and sound.
  void ensure(const std::string& key,
              const std::vector<std::string>& endings,
              const std::function<void()>& make) const;

 private:
  [[nodiscard]] std::filesystem::path file(const std::string& key, const std::string& ending) const;
  /// Why the entry cannot be used; "absent" if it was never finished.
  [[nodiscard]] std::string fault(const std::string& key,
                                  const std::vector<std::string>& endings) const;

  std::filesystem::path folder_;
  std::function<void(const std::string&)> warn_;
  mutable std::set<std::string> sound_;  ///< keys of entries that were compared
};

/// A volume ready for cube cutting (paper section 3.1): cropped to its non-zero box
/// (`preprocess.crop_nonzero_mri`, `…_ct`), resampled to `preprocess.spacing_mm` with cubic
/// B-splines, clipped to `preprocess.clip_mri` or `…_ct_hu`, normalised to [0, 1]
/// (`preprocess.normalization`). `digest` is the SHA-256 of the source (of an .mhd with its data
/// file), part of the cache key. Throws Error 65 with case and file if the image is invalid or
/// holds NaN or infinities, 66 if it is not there.
std::shared_ptr<const Volume> prepared_source(const CaseRecord& record,
                                              const std::string& channel,
                                              Modality modality,
                                              const std::string& digest,
                                              const Settings& settings,
                                              const PreparedCache& cache);

/// A case of a target task. `image` and `label` are on the training grid (`finetune.spacing_mm`);
/// `native_label` has the grid as delivered (canonical orientation), for Dice on the original grid.
struct PreparedTaskCase {
  Volume image;           ///< normalised as the task demands (paper sections 3.2.1, 3.2.2)
  LabelMap label;         ///< classes of the task: brats 0/1 (whole tumour), pancreas 0/1/2
  LabelMap native_label;  ///< the same classes
};

/// `task` is "brats" (channel `brats.modality`; the values in `brats.labels` are tumour; z-score
/// over the non-zero voxels of the delivered grid, then resampled, as interpolation leaves no exact
/// zeros) or "pancreas" (resampled, clipped, subtracted, divided by `pancreas.*`). With
/// `finetune.normalization` = "unit" both, with "unit_mri" brats alone, are instead resampled,
/// clipped and normalised to [0, 1] as for pre-training. Images are resampled with cubic B-splines,
/// labels by nearest neighbour. Throws as `prepared_source`, and Error 65 if image and label lie on
/// different grids, the case has no label, or a pancreas label is not 0, 1 or 2.
std::shared_ptr<const PreparedTaskCase> prepared_task_case(const CaseRecord& record,
                                                           const std::string& task,
                                                           const std::string& image_digest,
                                                           const std::string& label_digest,
                                                           const Settings& settings,
                                                           const PreparedCache& cache);

}  // namespace sar
