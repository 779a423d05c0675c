#pragma once

#include "experiments/catalog.h"
#include "experiments/cli/options.h"
#include "experiments/experiment.h"
#include "harness/core/json.h"
#include "results/claims/claim_verdicts.h"
#include "results/database/store.h"
#include "results/document/document.h"
#include "results/paper/paper.h"
#include "results/tables/loss_curves.h"

#include <optional>
#include <string>

namespace sar::cli {

/// Opens the database for reading. Throws Error 4 if there is none yet.
Store open_results(const CommonOptions& common);

/// The protocol to judge a paper by: the one named by its key or a prefix of it (Error 4 if it is
/// not stored), else the one to show of the first table with any finished trial, if there is one.
std::optional<ProtocolRow> protocol_of_paper(const Store& store,
                                             const Paper& paper,
                                             const std::string& named);

/// Which numbers to show.
struct ViewOptions {
  std::string source = "measured";  ///< measured | published | both
  std::string protocol;             ///< empty: the newest complete one
  std::string paper = "sar2021";    ///< folder name in experiments/papers, or a path
};

/// An experiment as printed.
struct View {
  std::string text;     ///< in the format asked for
  Json json;            ///< the same in JSON
  bool filled = false;  ///< false: not one number is there
};

/// The rows of experiments/controls.toml: the controls and what they control.
TableSpec controls_of(const Catalog& catalog);

/// Throws Error 2 for a format that the experiment cannot be shown in.
void check_format(const Experiment& experiment, const CommonOptions& common);

/// How claims are judged: flags, else what the user's files and environment say, else Student's
/// test, corrected by Holm.
ClaimOptions claim_options(const Catalog& catalog, const CommonOptions& common);

/// How steps to convergence are tested, as the flags say.
CurveTests curve_tests(const CommonOptions& common);

/// Prints experiments of every kind from stored runs, from a paper, or both.
class Viewer {
 public:
  /// `store` may be null for published numbers.
  Viewer(const Catalog& catalog,
         const CommonOptions& common,
         const ViewOptions& options,
         const Store* store);

  /// Throws Error 2 for published numbers of a table that the paper does not have, Error 4 for a
  /// protocol that is not stored.
  [[nodiscard]] View view(const Experiment& experiment) const;

  /// Test, correction and level: flags, else the user's settings, else those of the protocol.
  [[nodiscard]] TableOptions table_options(const ProtocolRow* protocol) const;

  /// The protocol to show an experiment under, if any run of it is stored; of a collection that of
  /// the first part with one, tables of Dice before others.
  [[nodiscard]] std::optional<ProtocolRow> protocol(const Experiment& experiment) const;

 private:
  [[nodiscard]] View dice(const Experiment& experiment) const;
  [[nodiscard]] View data(const Experiment& experiment) const;
  [[nodiscard]] View curves(const Experiment& experiment) const;
  [[nodiscard]] View pretraining(const Experiment& experiment) const;
  [[nodiscard]] View collection(const Experiment& experiment) const;
  [[nodiscard]] View shown(const Document& document, bool filled) const;
  [[nodiscard]] View nothing(const Experiment& experiment, const std::string& why) const;
  [[nodiscard]] const Paper* paper() const;

  const Catalog& catalog_;
  const CommonOptions& common_;
  const ViewOptions& options_;
  const Store* store_;
  mutable std::optional<Paper> paper_;  ///< read when first asked for
};

}  // namespace sar::cli
