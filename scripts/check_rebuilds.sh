#!/usr/bin/env bash
# Neither `cargo test --release` nor the Python package may compile again what `cargo run --release` has compiled: dependencies
# that turn on a feature of a shared package would do that, and everything above that package. Compares what cargo plans
# to compile for each command; compiles nothing. Wants python3.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The stable cargo prints its plan if told to.
export RUSTC_BOOTSTRAP=1
cargo build --release --locked --unit-graph -Z unstable-options >"$work/first.json"
cargo test --release --locked --no-run --unit-graph -Z unstable-options >"$work/second.json"
cargo build --release --locked -p fhectl-python --unit-graph -Z unstable-options >"$work/third.json"

python3 - "$work/first.json" "cargo test=$work/second.json" "the Python package=$work/third.json" <<'PYTHON'
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

first = plan(sys.argv[1])
name = lambda unit: (unit["pkg_id"], unit["target"]["name"], unit["mode"], unit["platform"])
before = {}
for unit in first.values():
    before.setdefault(name(unit), []).append(unit)
for command, path in (argument.split("=", 1) for argument in sys.argv[2:]):
    second = plan(path)
    again = [unit for key, unit in second.items() if key not in first and name(unit) in before]
    for unit in sorted(again, key=name):
        features = set(unit["features"]).symmetric_difference(before[name(unit)][0]["features"])
        print("FAIL ", unit["pkg_id"].rsplit("/", 1)[-1], ", ".join(sorted(features)) or "because of what it depends on")
    if again:
        sys.exit(f"{command} compiles {len(again)} units again; the features named above are turned on for it alone")
    print(f"ok    {command} adds {len(second.keys() - first.keys())} units to the {len(first)} of cargo build, none is built twice")
PYTHON
