# Shared by quickstart.sh and test.sh: installs what is missing and finds LibTorch. Sourced, not run.
# Works on Debian 12 (tested); written for Debian 13 and Ubuntu 24.04 too. Asks nothing.

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'sar-bench: %s\n' "$*" >&2; exit 1; }

BUILD_PACKAGES="g++ cmake ninja-build git ca-certificates pkg-config
  libinsighttoolkit5-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libfmt-dev
  libsqlitecpp-dev libsqlite3-dev librandom123-dev libssl-dev libboost-dev libboost-math-dev zlib1g-dev
  libpng-dev libkainjow-mustache-dev libpugixml-dev libutfcpp-dev libopenblas0-pthread
  gnuplot-nox"
TEST_PACKAGES="catch2 libbenchmark-dev clang-format mricron-data invesalius-examples sqlite3
  chromium-headless-shell texlive-latex-recommended"

# missing_packages NAME...: those that are not installed
missing_packages() {
  local name
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$name"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    die "installing packages needs root or sudo; or install them yourself and say --no-install: $MISSING"
  fi
}

# install_packages NAME...: does nothing if all are there
install_packages() {
  MISSING=$(missing_packages "$@")
  [ -n "$MISSING" ] || return 0
  if [ "${NO_INSTALL:-0}" = 1 ]; then
    die "missing packages (--no-install was given): $MISSING"
  fi
  say "installing: $MISSING"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $MISSING >/dev/null ||
    die "apt-get could not install: $MISSING"
}

# choose_torch: sets TORCH_ARGUMENTS for CMake from SARBENCH_TORCH=auto|system|wheel|DIR
choose_torch() {
  local choice=${SARBENCH_TORCH:-auto}
  if [ "$choice" = auto ]; then
    if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then choice=wheel
    elif [ -n "$(apt-cache policy libtorch-dev 2>/dev/null)" ] || [ -z "$(missing_packages libtorch-dev)" ]; then choice=system
    else choice=wheel; fi
  fi
  case $choice in
    system) install_packages libtorch-dev; TORCH_ARGUMENTS= ;;
    wheel)
      install_packages python3 python3-venv
      local venv=$PWD/build/torch-wheel
      if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import torch' 2>/dev/null; then
        [ "${NO_INSTALL:-0}" = 1 ] && die "the torch wheel is not installed in $venv (--no-install was given)"
        say "installing the torch wheel into $venv"
        python3 -m venv "$venv" && "$venv/bin/pip" install -q torch numpy || die "pip could not install torch"
      fi
      # Its libraries, too, so that those of an installed libtorch-dev are not found instead.
      TORCH_ARGUMENTS="-DCMAKE_PREFIX_PATH=$("$venv/bin/python" -c '
import os, torch
print(torch.utils.cmake_prefix_path + ";" + os.path.dirname(torch.__file__))')" ;;
    *)
      [ -d "$choice" ] || die "SARBENCH_TORCH is '$choice': neither auto, system, wheel nor a folder"
      TORCH_ARGUMENTS="-DCMAKE_PREFIX_PATH=$choice" ;;
  esac
  say "LibTorch: $choice"
}

# build PRESET [TARGET...]: configures and builds with all cores
build() {
  local preset=$1; shift
  local log=build/configure-$preset.log
  mkdir -p build
  # shellcheck disable=SC2086
  cmake --preset "$preset" $TORCH_ARGUMENTS -DSARBENCH_WERROR="${WARNINGS_ARE_ERRORS:-OFF}" >"$log" 2>&1 || { cat "$log" >&2; die "configuring failed"; }
  cmake --build --preset "$preset" ${1:+--target "$@"} >&2 || die "building failed"
}
