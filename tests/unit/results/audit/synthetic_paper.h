#pragma once

#include "harness/core/rng.h"
#include "results/paper/claims.h"
#include "results/paper/paper.h"

#include <string>
#include <vector>

namespace sar::test {

/// A paper with invented numbers that hold together: trial means of every method are drawn, the
/// whole of a bucket group is their case-weighted mean in each trial, and means and SDs over the
/// trials are rounded as a paper prints them.
struct SyntheticPaper {
  Paper paper;
  std::vector<Claim> claims;
  std::vector<long> split;  ///< test cases per part of the bucket group; the true weights
};

/// Draws a paper; one with two equal means or two equal SDs in a column is drawn again. The cells
/// of its table of data sets are named "data/SET/cases" and "data/SET/cubes", the numbers in its
/// text "text/CLAIM".
SyntheticPaper draw_paper(const Rng& rng);

/// Clean papers of another kind, whose numbers are right but easily taken for wrong: "stated number
/// of cases off" by one or two, "plain average" of the parts as the whole, "target of a second
/// table" that the average does not include, "coarse digits" (none or one decimal), "saturated
/// pair" (0±0 in two rows of a column).
std::vector<std::string> clean_designs();
SyntheticPaper draw_clean(const Rng& rng, const std::string& design);

/// A fault put into a paper.
struct PlantedFault {
  std::string kind;                ///< "copied pair"
  std::string check;               ///< of the audit that should find it
  std::vector<std::string> cells;  ///< where it is
};
/// The kinds that `plant` knows.
std::vector<std::string> fault_kinds();

/// Puts one to three faults of different kinds into different rows, so that at least four rows stay
/// clean. Each is made so large that it shows above rounding, by arithmetic of its own on the
/// printed digits: a mean is off for every split that the clean rows allow, and any split that it
/// fits suits fewer rows than stay clean; an SD is out of Minkowski's bound for each of these
/// splits; and no weights of any kind fit more rows than the best split, as else no row could be
/// accused. `first` is among the kinds, if the paper has room for it.
std::vector<PlantedFault> plant(SyntheticPaper& synthetic,
                                const Rng& rng,
                                const std::string& first);

}  // namespace sar::test
