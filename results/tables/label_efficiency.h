#pragma once

#include "results/document/sheet.h"
#include "results/statistics/statistics.h"
#include "results/tables/table.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sar {

/// Dice of one method with one fraction of the training labels.
struct EfficiencyPoint {
  std::string fraction;                  ///< "1", "1/2", ...
  std::optional<double> labelled_cases;  ///< training and validation cases, mean over trials
  Summary dice;                          ///< over trials, percent; n = 0 where the paper says none
};
struct EfficiencyCurve {
  std::string method, label;
  std::vector<EfficiencyPoint> points;  ///< fewest labels first; fractions without a value left out
};
/// "With a fifth of the labels the reference is as good as the baseline with all."
struct AnnotationSaved {
  std::string method;             ///< the baseline
  std::string fraction;           ///< that it uses
  double mean = 0;                ///< Dice that it reaches
  std::optional<std::string> by;  ///< least fraction with which the reference's mean reaches it
  double reference_mean = 0;      ///< at that fraction
  /// 1 - labels of `by` / labels of `fraction`: share of the baseline's labels that the reference
  /// does without; 0 for the same labels, negative where it needs more. By labelled cases where
  /// they are known for both, else by the fractions themselves.
  double saved = 0;
  bool same_cases = false;  ///< two fractions that come to the same training cases: nothing saved
};
/// One group of columns that differ by the label fraction alone.
struct LabelEfficiency {
  std::string title;  ///< "BraTS2018 (Tumorall)"
  std::string task, target, bucket;
  std::string reference, reference_label;
  std::vector<EfficiencyCurve> curves;  ///< in the order of the table; methods without a value too
  /// For each baseline and fraction at which it has a value, most labels first. Compared are means
  /// at the measured fractions, without interpolation (a choice: five fractions are few, and curves
  /// need not be smooth); a mean that is reached by chance counts, so n and SD stand beside it.
  std::vector<AnnotationSaved> saved;
};

/// The groups of `table` with at least two fractions. `whole`: cells with all labels (fraction "1")
/// of the same task, target and bucket, from another table; may be null. `labelled`: training and
/// validation cases by task and fraction; may be empty. SDs divide by n - 1, however the table
/// prints them.
std::vector<LabelEfficiency> label_efficiency(
    const Table& table,
    const Table* whole,
    const std::map<std::pair<std::string, std::string>, double>& labelled);

/// "all labels", "1/5 of the labels".
std::string labels_text(const std::string& fraction);

/// What was saved, in words, with SD and n of both means. `saved` must be of `group`.
std::string sentence(const AnnotationSaved& saved, const LabelEfficiency& group);

/// One line per method and fraction: labelled cases, n, mean, SD, and for baselines the fraction
/// with which the reference reaches the mean.
Sheet efficiency_sheet(const std::string& id,
                       const std::string& title,
                       const std::vector<LabelEfficiency>& groups);

}  // namespace sar
