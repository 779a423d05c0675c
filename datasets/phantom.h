#pragma once

#include "harness/config/settings.h"
#include "harness/volume/volume.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sar {

/// Raised by hand whenever the phantoms' voxels change: part of the suite's identity.
inline constexpr int kPhantomVersion = 1;

/// Size of the suite, read from the keys `phantom.*`.
struct PhantomOptions {
  std::uint64_t seed = 0;
  int luna_cases = 6;
  int lits_cases = 3;
  int brats_cases = 30;
  int heart_cases = 2;
  int pancreas_cases = 15;
  /// In-plane voxels of the largest volumes; every set has a size of its own in proportion to it.
  int side_voxels = 56;
};
PhantomOptions phantom_options(const Settings& settings);

/// Writes the whole suite below `folder` in the layouts of the five data sets (luna/, lits/,
/// brats/, heart/, pancreas/) and, last of all, `phantom.json` with the options, the version and
/// every file's SHA-256; a folder without that file is not a suite. Existing files of the same
/// options are kept. `warn` is told where a damaged `phantom.json` makes all be written anew.
/// Throws Error 65 if `folder` holds a suite with other options, 74 if it cannot be written.
void write_phantom_suite(const std::filesystem::path& folder,
                         const PhantomOptions& options,
                         const std::function<void(int, int)>& progress = {},
                         const std::function<void(const std::string&)>& warn = {});

/// One phantom case before it is written: images by channel, label (classes as in the real set).
struct PhantomCase {
  std::string id;
  std::map<std::string, Volume> images;
  LabelMap label;
};
/// Name of a case as the real set would name it, e.g. "Brats18_PHA_001_1", "pancreas_001".
std::string phantom_case_id(const std::string& dataset, int index, const PhantomOptions& options);
/// Voxels in canonical orientation, exactly as they are read back from the written files (CT and
/// brain: whole numbers). LUNA has no labels: its label map has a geometry but no voxels.
/// Deterministic in (options.seed, options.side_voxels, dataset, index); does not depend on the
/// other cases.
PhantomCase make_phantom_case(const std::string& dataset, int index, const PhantomOptions& options);

/// A case that a suite has, as its adapter lists it.
struct PhantomCaseName {
  std::string id;
  bool labelled = true;
};
/// The cases of one data set in a suite of these options; nothing is written (for a dry run).
std::vector<PhantomCaseName> phantom_case_names(const std::string& dataset,
                                                const PhantomOptions& options);

}  // namespace sar
