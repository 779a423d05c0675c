#pragma once

// LibTorch's logging library and Catch2 both define CHECK, and the header that comes last wins:
// with the wrong order a failed check would abort the whole run. Tests of LibTorch code include
// this header only.
#include <torch/torch.h>

#undef CHECK
#include <catch2/catch.hpp>
