#!/usr/bin/env bash
# The page and the client in Chromium and in Firefox against real servers (web/tests): every circuit, keys, drawings, files,
# failures, accessibility, copies of the page on other hosts. Wants target/release/fhectl. Node and the browsers are installed
# where apt-get can.
#
#   scripts/test_browser.sh [FILE...]     only these files of web/tests
set -euo pipefail
cd "$(dirname "$0")/.."
fhectl=${FHECTL:-${CARGO_TARGET_DIR:-$PWD/target}/release/fhectl}
[ -x "$fhectl" ] || { echo "FAIL  $fhectl is not built: cargo build --release"; exit 1; }
export FHECTL=$fhectl
. scripts/packages.sh
has_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

get npm nodejs npm || true
if ! has_node; then
  echo "left out: browser tests want Node 20 or later, with npm"
  exit 0
fi
(cd web/tests && npm ci --no-audit --no-fund --silent) || { echo "left out: packages of web/tests cannot be had here"; exit 0; }
get nginx nginx-light || true
cd web/tests
run() { node --test --test-concurrency=1 --test-reporter=spec "$@"; }
ran=0
has_chromium >/dev/null || get chromium chromium fonts-dejavu-core || npx playwright-core install --with-deps chromium || true
if has_chromium >/dev/null || ls "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}"/chromium* >/dev/null 2>&1; then
  echo "in Chromium"
  run ${@:+"$@"}
  ran=1
else
  echo "left out: there is no Chromium here, and neither apt-get nor npm brings one"
fi
has_firefox() { command -v firefox-esr || command -v firefox; }
has_firefox >/dev/null || get firefox-esr firefox-esr fonts-dejavu-core || true
# WebDriver BiDi is young: not every release of Firefox suits every release of Playwright.
starts() { FHECTL_BROWSER=firefox node --input-type=module -e 'import { launch } from "./support/browser.mjs"; await (await launch()).close();'; }
if has_firefox >/dev/null && ! starts; then
  echo "left out: this Firefox ($(firefox-esr --version 2>/dev/null || firefox --version)) does not start through WebDriver BiDi"
elif has_firefox >/dev/null; then
  echo "in Firefox"
  FHECTL_BROWSER=firefox run ${@:+"$@"}
  ran=1
else
  echo "left out: there is no Firefox here, and apt-get brings none"
fi
[ "$ran" = 1 ] || echo "NO BROWSER: nothing was tested"
