# Every third-party library, the oldest version that is tried, and what it is for.
# All of them are packages of Debian 12; nothing is downloaded while configuring.
list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})

find_package(Threads REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)       # JSON: worker protocol, stored settings, output
find_package(tomlplusplus 3.3 REQUIRED)         # TOML: experiments, profiles, configuration
find_package(fmt 9 REQUIRED)                    # text formatting
find_package(CLI11 2.1 REQUIRED)                # command line
find_package(SQLiteCpp 3 REQUIRED)              # SQLite wrapper (results/ only)
find_package(SQLite3 3.40 REQUIRED)             # the database
find_package(Boost 1.74 REQUIRED)               # Boost.Math distributions (results/ only)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)  # SHA-256 content keys
find_path(KAINJOW_MUSTACHE_INCLUDE_DIR kainjow/mustache.hpp REQUIRED)  # templates of the report
find_package(pugixml REQUIRED)                  # XML: SVG of the figures (results/ only)
find_package(ZLIB REQUIRED)                     # gzip integrity of image files
find_package(PNG 1.6 REQUIRED)                  # example slices (harness/io only)
# Random123 (counter-based random numbers) is header-only and ships no CMake package.
find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)
add_library(random123 INTERFACE)
target_include_directories(random123 SYSTEM INTERFACE ${RANDOM123_INCLUDE_DIR})
add_library(Random123::Random123 ALIAS random123)

# ITK reads and writes medical images (harness/io and datasets only).
find_package(ITK 5.2 REQUIRED COMPONENTS ITKCommon ITKIOImageBase ITKIONIFTI ITKIOMeta)

# LibTorch trains the networks (harness/nn, methods, the worker). Debian's package by default;
# another one is found through CMAKE_PREFIX_PATH. Its compile flags must not leak elsewhere.
set(saved_cxx_flags "${CMAKE_CXX_FLAGS}")
# Nothing here is compiled by nvcc. Any named architecture keeps the CMake files of LibTorch for CUDA
# from building a program that looks for GPUs, which CMake 3.25 cannot do as they ask for it.
if(NOT DEFINED TORCH_CUDA_ARCH_LIST AND NOT DEFINED ENV{TORCH_CUDA_ARCH_LIST})
  set(TORCH_CUDA_ARCH_LIST 8.0)
endif()
find_package(Torch 1.13 REQUIRED)
set(CMAKE_CXX_FLAGS "${saved_cxx_flags}")
add_library(sar_torch INTERFACE)
target_link_libraries(sar_torch INTERFACE ${TORCH_LIBRARIES})
# What LibTorch itself links is found by its own paths when the program starts; an older copy of such
# a library (NCCL of a CUDA toolkit) must not fail the build.
target_link_options(sar_torch INTERFACE -Wl,--allow-shlib-undefined)
if(TORCH_CXX_FLAGS)
  separate_arguments(torch_flags NATIVE_COMMAND "${TORCH_CXX_FLAGS}")
  target_compile_options(sar_torch INTERFACE ${torch_flags})
endif()
