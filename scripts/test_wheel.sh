#!/usr/bin/env bash
# Installs the wheel in fresh virtual environments and runs `python/tests` in each, without a Rust toolchain on the path.
#
#     scripts/test_wheel.sh [PYTHON...]
#
# Without arguments: the oldest and the newest Python from 3.9 on that the machine has (pyenv's, and those on the path). The newest
# has scikit-learn, tables, boosters and what runs the notebooks beside it; the oldest numpy alone, as users do who train elsewhere.
# FHECTL_ALL_CHECKS=1 has each run everything: scikit-learn's checks of all estimators (half an hour), and CatBoost (100 MB).
# Checks also that the stubs say what the module has, that the package is typed as it says, that the wheel needs nothing but
# numpy, and how long it takes from installing it to a first encrypted answer.
set -euo pipefail
cd "$(dirname "$0")/.."
wheel="${WHEEL:-$(ls target/wheels/fhectl-*.whl | head -1)}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

found() {
  local candidate
  for candidate in "$HOME"/.pyenv/versions/3.*/bin/python /usr/bin/python3 /usr/local/bin/python3.*; do
    [ -x "$candidate" ] || continue
    "$candidate" -c 'import sys, venv, ensurepip; v = sys.version_info; assert v >= (3, 9); print(f"{v[0]}.{v[1]:02} {sys.executable}")' 2>/dev/null || true
  done | sort -u -k1,1
}
if [ $# -gt 0 ]; then
  pythons=("$@")
else
  mapfile -t all < <(found | cut -d' ' -f2)
  pythons=("${all[0]}")
  [ "${#all[@]}" -gt 1 ] && pythons+=("${all[-1]}")
fi

for python in "${pythons[@]}"; do
  version=$("$python" -c 'import sys; print(".".join(map(str, sys.version_info[:2])))')
  echo "== Python $version"
  own="$work/$version"
  "$python" -m venv "$own"
  # No cargo, no rustc: the tests use what is installed.
  alone() { env PATH="$own/bin" "$@"; }
  if alone cargo --version 2>/dev/null; then echo "cargo is on the path"; exit 1; fi
  install() { alone "$own/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
  install numpy
  before=$(date +%s.%N)
  install --no-deps "$wheel"
  cp -r compiled_model/tree-spam "$work/tree-spam-$version"
  (cd "$work" && alone "$own/bin/python" - "tree-spam-$version" <<'PY'
import sys
import numpy as np
import fhectl
model = fhectl.load(sys.argv[1])
with model.serve() as server:
    print("first encrypted answer:", fhectl.Client(server.url, model.name, keys="keys").predict(np.zeros((1, 57))))
PY
  )
  echo "$before $(date +%s.%N)" | awk '{printf "from installing to a first encrypted answer: %.1f s\n", $2 - $1}'
  install pytest
  if [ "$python" = "${pythons[-1]}" ] || [ -n "${FHECTL_ALL_CHECKS:-}" ]; then
    # What there is for this Python; tests that want what there is not are skipped.
    for package in mypy tqdm scikit-learn skl2onnx pandas polars pyarrow xgboost-cpu lightgbm matplotlib nbclient ipykernel ${FHECTL_ALL_CHECKS:+catboost}; do
      install --only-binary :all: "$package" 2>/dev/null || echo "no $package here"
    done
  fi
  # Outside of the checkout's `python`, so that what is installed is tested and not what lies there.
  cp -r python/tests python/pyproject.toml "$work/"
  (checkout="$PWD" && cd "$work" && FHECTL_CHECKOUT="$checkout" FHECTL_ALL_CHECKS="${FHECTL_ALL_CHECKS:-}" alone "$own/bin/python" -m pytest -q -p no:cacheprovider tests)
  if alone "$own/bin/python" -c "import mypy" 2>/dev/null; then
    (cd "$work" && alone "$own/bin/python" -m mypy --config-file pyproject.toml -p fhectl)
  fi
done
