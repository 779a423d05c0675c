#pragma once

#include <string>
#include <string_view>

namespace sar {

/// What the bits of a result depend on besides the program and its libraries: the processor with
/// those of its vector extensions that oneDNN, OpenBLAS and LibTorch choose their kernels by, and
/// the C library with its mathematical functions. E.g. "AMD EPYC, family 25, model 17 (avx2 fma
/// avx512f), glibc 2.36". Two machines with the same text are taken to give the same bits.
std::string machine_description();

/// The part about the processor, from the text of /proc/cpuinfo; "unknown processor" if it says
/// nothing known. All processors of a machine are taken to be alike.
std::string processor_description(std::string_view cpuinfo);

/// Cores that this process may use, at least 1: those that it is bound to, no more than the quota
/// of its control group (cgroup v2, rounded up) and than SLURM_CPUS_PER_TASK. Not what the machine
/// has.
int usable_cores();

}  // namespace sar
