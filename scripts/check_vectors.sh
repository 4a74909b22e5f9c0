#!/usr/bin/env bash
# Runs scripts/check_vectors.py: tests/vectors and the committed bundles, read by a second implementation; then that it sees
# damage. Wants python3 with numpy, or with venv, and PyPI the first time.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${FHECTL_VECTORS_VENV:-${TMPDIR:-/tmp}/fhectl-check-vectors}
export PYTHONDONTWRITEBYTECODE=1

python=python3
if ! python3 -c "import numpy" 2>/dev/null; then
  python="$venv/bin/python"
  if ! "$python" -c "import numpy" 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "numpy>=1.26,<3"
  fi
fi
"$python" scripts/check_vectors.py
"$python" scripts/check_vectors.py --self-test
