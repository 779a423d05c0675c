#pragma once

#include "harness/config/settings.h"

namespace sar {

/// Every configuration key except those that a method or a data set declares for itself.
Schema core_schema();

}  // namespace sar
