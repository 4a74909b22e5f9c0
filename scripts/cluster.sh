#!/usr/bin/env bash
# A whole cluster on this machine, of real parts: an S3 server, two `fhectl serve`, nginx with deploy/nginx/fhectl.conf.
#
#   scripts/cluster.sh play        `fhectl play` through it, and with either server gone
#   scripts/cluster.sh soak [MIN]  MIN minutes (2 unless said) of 16 clients while servers are killed and the store stops
#   scripts/cluster.sh memory      the most memory that a server takes: 400 keys, 32 clients at once
#   scripts/cluster.sh             all of it
#
# The S3 server is s3s-fs; FHECTL_TEST_GARAGE=/path/to/garage (`cargo install garage --locked`) takes Garage instead.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-all} minutes=${2:-2}
case $what in
  play) filter=play_goes ;;
  soak) filter=answers_stay ;;
  memory) filter=memory_stays ;;
  all) filter= ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
if ! command -v nginx >/dev/null; then
  root=; [ "$(id -u)" = 0 ] || root=sudo
  $root apt-get update -q && $root apt-get install -qy nginx-light
fi
source scripts/s3_server.sh
FHECTL_SOAK_SECONDS=$((minutes * 60)) cargo test --release --locked --test cluster -- --ignored --nocapture --test-threads 1 $filter
