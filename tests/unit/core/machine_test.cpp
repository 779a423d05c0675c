#include "harness/core/machine.h"

#include <catch2/catch.hpp>
#include <sched.h>

#include <cstdlib>

namespace {

TEST_CASE("a processor is named by its model and the vector extensions that choose kernels") {
  CHECK(sar::processor_description("processor\t: 0\n"
                                   "vendor_id\t: AuthenticAMD\n"
                                   "cpu family\t: 25\n"
                                   "model\t\t: 17\n"
                                   "model name\t: AMD EPYC\n"
                                   "flags\t\t: fpu sse4_1 fma avx avx2 avx512f clwb\n"
                                   "\n"
                                   "processor\t: 1\n"
                                   "model name\t: another\n") ==
        "AMD EPYC, family 25, model 17 (sse4_1 avx avx2 fma avx512f)");
  CHECK(sar::processor_description("processor\t: 0\n"
                                   "Features\t: fp asimd asimddp\n"
                                   "CPU implementer\t: 0x41\n"
                                   "CPU part\t: 0xd0c\n") ==
        "implementer 0x41, part 0xd0c (asimd asimddp)");
  CHECK(sar::processor_description("") == "unknown processor");
  CHECK(sar::processor_description("bogomips\t: 50\nmodel name\t:\n") == "unknown processor");
}

TEST_CASE("this machine is named with its C library") {
  CHECK(sar::machine_description().find(", glibc ") != std::string::npos);
}

TEST_CASE("only cores that the process may use are counted") {
  cpu_set_t before;
  REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &before)) {
      CPU_SET(core, &one);
      break;
    }
  }
  REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
  CHECK(sar::usable_cores() == 1);
  REQUIRE(::sched_setaffinity(0, sizeof before, &before) == 0);
  CHECK(sar::usable_cores() >= 1);
  CHECK(sar::usable_cores() <= CPU_COUNT(&before));
  ::setenv("SLURM_CPUS_PER_TASK", "1", 1);
  CHECK(sar::usable_cores() == 1);
  ::unsetenv("SLURM_CPUS_PER_TASK");
}

}  // namespace
