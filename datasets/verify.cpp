#include "datasets/verify.h"

#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/io/image_io.h"

#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

namespace sar {
namespace fs = std::filesystem;
namespace {

class Verification {
 public:
  explicit Verification(const DatasetAdapter& adapter) : adapter_(adapter) {}

  std::vector<Finding> run(const fs::path& root, const std::function<void(int, int)>& progress) {
    Listing listing;
    try {
      listing = adapter_.scan(root);
    } catch (const Error& error) {
      report(Finding::Severity::error, "layout", "", root, error.what());
      return std::move(findings_);
    }
    for (const ListingProblem& problem : listing.problems) {
      report(
          Finding::Severity::error, problem.check, problem.case_id, problem.file, problem.message);
    }
    const int total = static_cast<int>(listing.cases.size());
    for (int done = 0; done < total; ++done) {
      check_case(listing.cases[static_cast<std::size_t>(done)]);
      if (progress) {
        progress(done + 1, total);
      }
    }
    check_count(listing.cases);
    return std::move(findings_);
  }

 private:
  using Severity = Finding::Severity;

  void report(Severity severity,
              std::string check,
              std::string case_id,
              const fs::path& file,
              std::string message) {
    findings_.push_back({severity,
                         std::move(check),
                         adapter_.id,
                         std::move(case_id),
                         file.string(),
                         std::move(message)});
  }

  void check_case(const CaseRecord& record) {
    std::optional<std::pair<fs::path, Geometry>> first;
    const auto compare = [&](const fs::path& file, const Geometry& geometry) {
      if (!first) {
        first.emplace(file, geometry);
        return;
      }
      const std::string difference = geometry_difference(first->second, geometry);
      if (!difference.empty()) {
        report(Severity::error,
               "geometry",
               record.id,
               file,
               "differs from " + first->first.filename().string() + ": " + difference);
      }
    };
    for (const auto& [channel, file] : record.images) {
      if (const auto volume = read(record, file)) {
        compare(file, volume->geometry);
        check_image(record, file, *volume);
      }
    }
    if (!record.label.empty()) {
      if (const auto label = read(record, record.label)) {
        compare(record.label, label->geometry);
        check_label(record, *label);
      }
    }
  }

  std::optional<Volume> read(const CaseRecord& record, const fs::path& file) {
    if (!fs::exists(fs::symlink_status(file))) {
      return std::nullopt;  // the listing has reported it
    }
    try {
      const std::string remark = read_image_header(file).remark;
      if (!remark.empty()) {
        report(Severity::note, "geometry", record.id, file, remark);
      }
      return read_volume(file);
    } catch (const Error& error) {
      report(Severity::error, "unreadable", record.id, file, error.what());
    } catch (const std::exception& error) {
      report(Severity::error, "unreadable", record.id, file, error.what());
    }
    return std::nullopt;
  }

  void check_image(const CaseRecord& record, const fs::path& file, const Volume& volume) {
    std::int64_t not_finite = 0;
    for (const float value : volume.voxels) {
      not_finite += std::isfinite(value) ? 0 : 1;
    }
    if (not_finite > 0) {
      report(Severity::error,
             "not-finite",
             record.id,
             file,
             std::to_string(not_finite) + " voxels are NaN or infinite");
    }
    const std::string_view bytes(reinterpret_cast<const char*>(volume.voxels.data()),
                                 volume.voxels.size() * sizeof(float));
    const auto [other, is_new] =
        seen_.emplace(to_string(volume.geometry.size) + " " + sha256(bytes), file);
    if (!is_new) {
      report(Severity::error,
             "duplicate-image",
             record.id,
             file,
             "has the same voxels as " + other->second.string());
    }
  }

  void check_label(const CaseRecord& record, const Volume& label) {
    std::map<float, std::int64_t> counts;
    std::int64_t nan = 0;  // cannot be a key
    float last = std::numeric_limits<float>::quiet_NaN();
    std::int64_t* count = nullptr;
    for (const float value : label.voxels) {
      if (std::isnan(value)) {
        ++nan;
        continue;
      }
      if (value != last) {
        count = &counts[value];
        last = value;
      }
      ++*count;
    }
    constexpr int kNamed = 8;
    std::string unknown;
    int kinds = 0;
    bool foreground = false;
    const auto name = [&](const std::string& value, std::int64_t voxels) {
      if (++kinds <= kNamed) {
        unknown +=
            (unknown.empty() ? "" : ", ") + value + " (" + std::to_string(voxels) + " voxels)";
      }
    };
    if (nan > 0) {
      name("NaN", nan);
    }
    for (const auto& [value, voxels] : counts) {
      foreground = foreground || value > 0;
      const bool whole = value == std::floor(value) && std::abs(value) < 1e6F;
      if (!whole || !adapter_.labels.contains(static_cast<int>(value))) {
        name(whole ? std::to_string(static_cast<int>(value)) : std::to_string(value), voxels);
      }
    }
    if (kinds > 0) {
      std::string known;
      for (const auto& [value, meaning] : adapter_.labels) {
        known += (known.empty() ? "" : ", ") + std::to_string(value) + " " + meaning;
      }
      report(Severity::error,
             "label-values",
             record.id,
             record.label,
             "values that the set does not know: " + unknown +
                 (kinds > kNamed ? " and " + std::to_string(kinds - kNamed) + " more" : "") +
                 "; known: " + known);
    }
    if (!foreground) {
      report(Severity::note, "empty-label", record.id, record.label, "label has no foreground");
    }
  }

  void check_count(const std::vector<CaseRecord>& cases) {
    Schema schema;
    for (const KeySpec& key : adapter_.keys) {
      schema.add(key);
    }
    std::size_t chosen = 0;
    try {
      chosen = adapter_.pretraining(cases, Settings(schema)).size();
    } catch (const Error& error) {
      report(Severity::note, "count", "", {}, error.what());
    }
    if (adapter_.paper_cases > 0 && chosen != static_cast<std::size_t>(adapter_.paper_cases)) {
      report(Severity::note,
             "count",
             "",
             {},
             std::to_string(chosen) + " of the " + std::to_string(cases.size()) +
                 " cases are chosen by default, the paper counts " +
                 std::to_string(adapter_.paper_cases));
    }
  }

  const DatasetAdapter& adapter_;
  std::vector<Finding> findings_;
  std::map<std::string, fs::path>
      seen_;  ///< size and digest of the voxels, first file that has them
};

}  // namespace

std::vector<Finding> verify_dataset(const DatasetAdapter& adapter,
                                    const fs::path& root,
                                    const std::function<void(int, int)>& progress) {
  return Verification(adapter).run(root, progress);
}

}  // namespace sar
