#!/usr/bin/env bash
# The second implementation of docs/src/reference/formats.md: reads tests/vectors and the committed bundles (scripts/check_vectors.py), is
# tried on damage, and asks a real server, where target/release/fhectl is built (scripts/ask_server.py). Wants python3
# with numpy, or with venv, and PyPI the first time.
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

fhectl=${CARGO_TARGET_DIR:-target}/release/fhectl
if [ -x "$fhectl" ]; then
  "$python" scripts/ask_server.py "$fhectl" compiled_model/{tree-spam,boost-spam,boost-spam-cmux-forest,linreg-diabetes} \
    tests/vectors/{leaf-sum,table,network,linear-public,path-cost-sum-copies}
else
  echo "no server is asked: $fhectl is not built"
fi
