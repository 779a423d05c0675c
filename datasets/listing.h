#pragma once

#include "datasets/dataset.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// What the adapters share: walking folders, the layout of the Medical Segmentation Decathlon, and
/// choosing cases by a list.
namespace sar::datasets {

/// Files with an image extension (.nii, .nii.gz, .mhd, .mha) below `folder`, at any depth, sorted
/// by path. Names that begin with a dot are left out: macOS puts a "._x" beside each x. Throws
/// Error 66 if `folder` is not there, filesystem_error if a folder cannot be read
/// (DatasetAdapter::scan turns it into Error 74).
std::vector<std::filesystem::path> image_files(const std::filesystem::path& folder);

/// File name without its extension; ".nii.gz" counts as one.
std::string stem_of(const std::filesystem::path& path);

/// Sorts the cases by id and adds a problem for each id that occurs twice. Throws Error 66 naming
/// the root, with `layout` as hint, if there is no case.
Listing finish(Listing listing, const std::filesystem::path& root, std::string_view layout);

/// Reads a task folder of the Decathlon: dataset.json names the scans in imagesTr, labelsTr and
/// imagesTs. `root` is the folder or its parent. Scans whose whole folder is absent (test scans
/// that were not downloaded) are left out; any other difference between index and folders is a
/// problem.
Listing scan_decathlon(const std::filesystem::path& root,
                       std::string_view task_folder,
                       const std::string& channel,
                       std::string_view layout);

/// The key `<dataset>.list`.
KeySpec list_key(std::string_view dataset, int gap);

/// The cases named in the file that `<dataset>.list` gives (one id a line, # begins a comment), in
/// the order of `cases`; all cases if the key is empty. Throws Error 66 if the file or a case is
/// not there, 65 if the file names no case or one twice.
std::vector<CaseRecord> choose(const std::vector<CaseRecord>& cases,
                               const Settings& settings,
                               std::string_view dataset);

}  // namespace sar::datasets
