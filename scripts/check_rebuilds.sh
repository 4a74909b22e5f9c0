#!/usr/bin/env bash
# `cargo test --release` must not compile again what `cargo run --release` has compiled: development dependencies that turn
# on a feature of a shared package would do that, and everything above that package. Compares what cargo plans to
# compile for both commands; compiles nothing. Wants python3.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The stable cargo prints its plan if told to.
export RUSTC_BOOTSTRAP=1
cargo build --release --locked --unit-graph -Z unstable-options >"$work/first.json"
cargo test --release --locked --no-run --unit-graph -Z unstable-options >"$work/second.json"

python3 - "$work/first.json" "$work/second.json" <<'PYTHON'
import json, sys

def plan(path):
    """Units by all that decides whether cargo takes one for the other: features, profile, and the same of what is below."""
    units, keys = json.load(open(path))["units"], {}
    def key(at):
        if at not in keys:
            unit = units[at]
            own = [unit[name] for name in ("pkg_id", "target", "mode", "features", "profile", "platform")]
            below = sorted((below["extern_crate_name"], key(below["index"])) for below in unit["dependencies"])
            keys[at] = hash((json.dumps(own, sort_keys=True), tuple(below)))
        return keys[at]
    sys.setrecursionlimit(10_000)
    return {key(at): unit for at, unit in enumerate(units)}

first, second = (plan(path) for path in sys.argv[1:])
name = lambda unit: (unit["pkg_id"], unit["target"]["name"], unit["mode"], unit["platform"])
before = {}
for unit in first.values():
    before.setdefault(name(unit), []).append(unit)
again = [unit for key, unit in second.items() if key not in first and name(unit) in before]
for unit in sorted(again, key=name):
    features = set(unit["features"]).symmetric_difference(before[name(unit)][0]["features"])
    print("FAIL ", unit["pkg_id"].rsplit("/", 1)[-1], ", ".join(sorted(features)) or "because of what it depends on")
if again:
    sys.exit(f"cargo test compiles {len(again)} units again; the features named above are turned on for tests alone")
print(f"ok    cargo test adds {len(second.keys() - first.keys())} units to the {len(first)} of cargo build, and none is built twice")
PYTHON
