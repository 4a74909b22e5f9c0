#!/usr/bin/env bash
# Builds the Python wheel into target/wheels: one file for every Python from 3.9 (abi3).
#
#     scripts/build_wheel.sh            for this machine's C library or newer
#     scripts/build_wheel.sh manylinux  for glibc 2.28 or newer (manylinux_2_28), linked with zig against that version's symbols
#
# PYTHON names the interpreter that maturin and zig are installed for (a virtual environment is made), TARGET another
# architecture (aarch64-unknown-linux-gnu; zig has its C library, too), PROFILE another profile (dist).
# No `target-cpu`: the code runs on any x86-64-v2 machine and picks wider vectors at run time.
set -euo pipefail
cd "$(dirname "$0")/.."

python="${PYTHON:-python3}"
tools=target/wheel_tools
[ -x "$tools/bin/python" ] || "$python" -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check "maturin>=1.7,<2"

options=(--manifest-path python/Cargo.toml --locked --profile "${PROFILE:-release}" --out target/wheels)
if [ "${1:-}" = manylinux ]; then
  "$tools/bin/pip" install --quiet --disable-pip-version-check ziglang
  options+=(--zig --compatibility manylinux_2_28 --target "${TARGET:-x86_64-unknown-linux-gnu}")
fi
rm -f target/wheels/fhectl-*.whl
# maturin looks for zig as `python -m ziglang` of the environment that it is in.
PATH="$PWD/$tools/bin:$PATH" VIRTUAL_ENV="$PWD/$tools" "$tools/bin/maturin" build "${options[@]}"
ls -l target/wheels
