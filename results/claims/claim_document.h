#pragma once

#include "results/claims/claim_verdicts.h"
#include "results/document/document.h"

#include <string>

namespace sar {

/// "supported", "not testable": a verdict as it is printed.
std::string word_of(Verdict verdict);

/// Plain text by section of the paper, with the parts of a claim that fail or are open and the
/// closest that hold; `all` lists every part of every claim. Otherwise one row per claim; JSON:
/// shape of the product contract, section 6.
Document document_of(const ClaimReport& report, bool all = false);

}  // namespace sar
