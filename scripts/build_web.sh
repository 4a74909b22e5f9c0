#!/usr/bin/env bash
# Builds what browsers load: build_web.sh [client | check]
#
# web/client/dist is the npm package. Without an argument the page is built too, and what the binary embeds is written to web/dist,
# with the compiler and the sources that it came from. `check` builds all of it elsewhere and compares it with web/dist, byte for
# byte, where the compiler is the recorded one. It needs Node with npm, and a compiler that scripts/wasm_cargo.sh finds.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
what=${1:-all}
case $what in
  all | client | check) ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
target=$CARGO_TARGET_DIR
client=$root/web/client
glue=$client/src/glue
toolchain=${FHECTL_WASM_TOOLCHAIN:-any}
compiler=$(WASM_STD=1 scripts/wasm_cargo.sh "$toolchain" | sed -n 's/^\(rustc\|LLVM\|host\).* *: *//p; s/^rustc [0-9].*/&/p' | tr '\n' ' ' | sed 's/ *$//')

if [ "$what" = check ] && [ "$compiler" != "$(sed -n 's/^compiler: //p' web/dist/BUILD)" ]; then
  echo "left out: web/dist was built by $(sed -n 's/^compiler: //p' web/dist/BUILD), here is $compiler"
  exit 0
fi

# Glue and module come from one wasm file, by the version of wasm-bindgen that the crate has.
(cd web/bindgen && cargo build --release --locked --quiet)

# Most of the code reads JSON once. Of that little is wanted: small, and without inlining. What computes is inlined by its
# attributes, and in WebAssembly its own vectors are used, whatever the level.
small=()
for crate in serde serde_core serde_json rawzip miniz_oxide libm wasm-bindgen js-sys hex zmij core alloc std dlmalloc fhectl-wasm; do
  small+=(--config "profile.release.package.$crate.opt-level=\"z\"")
done
small+=(--config 'profile.release.package.fhectl-core.opt-level="s"')
shared="-Zunstable-options -Cpanic=immediate-abort -Cllvm-args=-inline-threshold=10 -Cllvm-args=-inlinehint-threshold=20"
# What is named in the files has no folder of this machine.
shared+=" --remap-path-prefix=$root=fhectl --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
shared+=" --remap-path-prefix=$(rustc --print sysroot 2>/dev/null || echo /usr)/lib/rustlib/src/rust=rust"

# Builds one variant: NAME FLAGS ARGUMENTS...
wasm() {
  local name=$1 flags=$2 out=$target/web-$1
  shift 2
  # Fat LTO miscompiles: a trap in the allocator. The profile in Cargo.toml is left alone: native builds share what they have.
  WASM_STD=1 CARGO_TARGET_DIR=$out RUSTFLAGS="$flags $shared" \
    CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
    scripts/wasm_cargo.sh "$toolchain" build --release --locked --quiet --package fhectl-wasm "${small[@]}" "$@"
  [ -d "$out" ] || out+=-debian
  rm -rf "$target/web-glue-$name"
  "$target/release/fhectl-bindgen" "$out/wasm32-unknown-unknown/release/fhectl_wasm.wasm" "$target/web-glue-$name"
}
# Engines without vectors are old: there the module is small before it is fast.
wasm plain "" --config 'profile.release.package.fhectl-core.opt-level="z"'
wasm simd "-C target-feature=+simd128"
cmp "$target"/web-glue-{plain,simd}/fhectl_wasm.js || { echo "the two builds want different glue" >&2; exit 1; }
rm -rf "$glue" "$client/dist"
mkdir -p "$glue" "$client/dist"
cp "$target"/web-glue-plain/fhectl_wasm.{js,d.ts} "$glue"
cp "$target/web-glue-plain/fhectl_wasm_bg.wasm" "$client/dist/fhectl.wasm"
cp "$target/web-glue-simd/fhectl_wasm_bg.wasm" "$client/dist/fhectl-simd.wasm"

cd "$client"
npm ci --no-audit --no-fund --silent
npx tsc --noEmit false --emitDeclarationOnly
# Nothing is made short beyond recognition: what a browser runs can be read.
bundle() {
  npx esbuild "$1" --bundle --format=esm --target=es2022 --charset=utf8 --external:node:fs/promises --log-level=warning --outfile="$2"
}
for entry in index worker; do
  bundle "src/$entry.ts" "dist/$entry.js"
done
[ "$what" != client ] || exit 0

# The page, and what goes into the binary: the client by itself, too, for pages of others.
out=$root/web/dist
[ "$what" != check ] || out=$(mktemp -d)
mkdir -p "$out"
npx tsc -p ../page
bundle ../page/src/main.ts "$out/page.js"
cp dist/{worker.js,fhectl.wasm,fhectl-simd.wasm} ../page/{index.html,page.css} "$out"
cp dist/index.js "$out/client.js"
cd "$root"

# What it was made of: the files that the compiler read, those of TypeScript, and the crates of others.
{
  tr ' ' '\n' <"$(ls -d "$target"/web-plain*/wasm32-unknown-unknown/release/libfhectl_wasm.d "$target"/web-plain*/wasm32-unknown-unknown/release/fhectl_wasm.d 2>/dev/null | head -1)" |
    sed -n "s|^$root/||p" | sed 's/:$//' | grep '\.rs$'
  find web/client web/page web/bindgen scripts/build_web.sh scripts/wasm_cargo.sh -type f \
    -not -path '*/node_modules/*' -not -path '*/target/*' -not -path 'web/client/dist/*' -not -path 'web/client/src/glue/*' \
    -not -name '*.md' -not -path '*/tests/*'
  echo crates/fhectl-core/Cargo.toml
} | LC_ALL=C sort -u | xargs sha256sum >"$out/SOURCES"
{
  echo "compiler: $compiler"
  cargo tree --locked --package fhectl-wasm --target wasm32-unknown-unknown --edges normal --prefix none --no-dedupe --format '{p}' |
    sed -n 's/^\([^ ]*\) v\([^ ]*\)$/crate: \1 \2/p' | LC_ALL=C sort -u
} >"$out/BUILD"

if [ "$what" = check ]; then
  diff -r "$out" web/dist
  rm -rf "$out"
  echo "ok    web/dist is what its sources give, byte for byte"
fi
