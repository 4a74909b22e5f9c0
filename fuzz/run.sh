#!/usr/bin/env bash
# Runs every fuzz target for so many seconds (600 unless said otherwise), one after the other, and stops at the first
# finding: fuzz/run.sh [SECONDS] [TARGET ...]
set -euo pipefail
shopt -s globstar
cd "$(dirname "$0")"
seconds=${1:-600}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo fuzz list)

# The releases that are shipped are those that are fuzzed.
cp ../Cargo.lock Cargo.lock
# The stable compiler takes the coverage flags; overflow checks and debug assertions are on in Cargo.toml.
export RUSTC_BOOTSTRAP=1 RUSTC_WRAPPER="$PWD/rustc.sh"

mkdir -p artifacts
for target in "${targets[@]}"; do
  mkdir -p "corpus/$target" "seeds/$target"
  case $target in
    import_onnx) fixtures=(../tests/fixtures/{import,boosters,glm,pipelines}/**/*.onnx) length=65536 ;;
    import_xgboost) fixtures=(../tests/fixtures/import/**/*.{json,ubj} ../tests/fixtures/boosters/**/xgboost-*.{json,ubj}) length=65536 ;;
    import_lightgbm) fixtures=(../tests/fixtures/boosters/**/*.txt) length=65536 ;;
    import_catboost) fixtures=(../tests/fixtures/boosters/**/catboost-*.json) length=65536 ;;
    tables) fixtures=(../tests/fixtures/tables/*) length=65536 ;;
    bundle_*) fixtures=() length=16384 ;;
    *) fixtures=() length=4096 ;;
  esac
  first="artifacts/first-$target"
  rm -rf "$first" && mkdir "$first"
  for file in "seeds/$target"/* "${fixtures[@]}"; do
    # Fixtures of several folders have the same names.
    [ ! -f "$file" ] || cp "$file" "$first/$(printf '%s' "${file#../}" | tr / -)"
  done
  if [ "$target" = bundle_documents ]; then
    for folder in ../tests/vectors/*/; do
      [ ! -f "$folder/client.json" ] || cat "$folder/client.json" "$folder/model.json" >"$first/$(basename "$folder")"
    done
  fi
  printf '== %s: %s s\n' "$target" "$seconds"
  if ! cargo fuzz run -s none "$target" "corpus/$target" "$first" -- -max_total_time="$seconds" -max_len="$length" \
    -rss_limit_mb=2048 -malloc_limit_mb=2048 -timeout=20 -print_final_stats=1; then
    printf '\n%s found something: its input is in %s, and what it did stands above.\n' "$target" "fuzz/artifacts/$target"
    printf 'Run it again with: RUSTC_BOOTSTRAP=1 cargo fuzz run -s none %s FILE\n' "$target"
    exit 1
  fi
  rm -rf "$first"
done
printf '\nno findings in %s\n' "${targets[*]}"
