#pragma once

#include "results/claims/judge.h"

#include <vector>

namespace sar {

/// Judges a claim whose `number` is that of one cell, or the difference of two. Printed numbers
/// agree digit by digit or within their roundings; measured ones are the number if two one-sided
/// tests place them within the margin of it, the number being taken as exact.
void judge_number(Judge& judge, const std::vector<ComparedNumber>& sides);

}  // namespace sar
