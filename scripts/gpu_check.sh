#!/usr/bin/env bash
# Checks a machine with a GPU, and measures it: gpu_check.sh [quick] [RESULT.json]
#
# Runs in the folder that gpu_folder.sh makes. It compares kernels with exact arithmetic and with the processor, has the models
# computed end to end through `fhectl serve`, for one client and for 64, watches short runs with compute-sanitizer where that is
# installed, and lets the device fail under load for three minutes. The result is one JSON document; the exit code is 1 where
# anything is wrong. It takes about five minutes, and a `quick` one a minute on a GPU.
set -uo pipefail
cd "$(dirname "$0")"
quick=
case ${1:-} in
  quick) quick=1; shift ;;
  -*) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
result=${1:-result.json}
for program in fhectl gpu_check load; do
  [ -x "./$program" ] || { echo "$program is missing here: make the folder with gpu_folder.sh" >&2; exit 2; }
done
seconds=8 faults=180 clients=64 models=(mlp-mnist cnn-digits cnn-mnist tree-spam-leaf-sum)
check=()
if [ -n "$quick" ]; then seconds=3 faults=10 clients=8 check=(--quick); fi
# For machines that are slower still: the names of the models, and how many clients.
[ -z "${GPU_CHECK_MODELS:-}" ] || read -ra models <<<"$GPU_CHECK_MODELS"
clients=${GPU_CHECK_CLIENTS:-$clients}

scratch=$(mktemp -d)
server=
stop() { [ -z "$server" ] || { kill "$server"; wait "$server"; } 2>/dev/null; server=; }
trap 'stop; rm -rf "$scratch"' EXIT
export XDG_DATA_HOME=$scratch/data NO_COLOR=1
failed=0
step() { printf '== %s (%s s)\n' "$1" "$SECONDS" >&2; }
# Runs a program whose standard output is JSON, into a file; what fails leaves its reason in the result.
into() {
  local out=$1
  shift
  if ! "$@" >"$out" 2>"$scratch/errors"; then
    failed=1
    echo "FAIL  $*" >&2
    tail -5 "$scratch/errors" >&2
    [ -s "$out" ] || printf '{"failed": "%s"}\n' "$(tail -1 "$scratch/errors" | tr -d '"\\' | tr -c '[:print:]' ' ')" >"$out"
  fi
}

step "kernels"
into "$scratch/kernels" ./gpu_check "${check[@]}"

step "compute-sanitizer"
sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer 2>/dev/null | tail -1)
for tool in memcheck racecheck; do
  if [ -z "$sanitizer" ]; then
    echo '"not installed"' >"$scratch/$tool"
  elif "$sanitizer" --tool "$tool" --error-exitcode 7 ./gpu_check --sanitize >"$scratch/errors" 2>&1; then
    echo '"clean"' >"$scratch/$tool"
  else
    failed=1
    echo "FAIL  compute-sanitizer --tool $tool" >&2
    grep '=========' "$scratch/errors" | tail -20 >&2
    echo '"errors"' >"$scratch/$tool"
  fi
done

step "models through a server"
for model in "${models[@]}"; do
  ./fhectl serve "$model" --listen 127.0.0.1:0 --store memory: --device cuda:0 >"$scratch/listening" 2>"$scratch/log" &
  server=$!
  for _ in $(seq 600); do
    grep -q '^listening on ' "$scratch/listening" && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  url=$(sed -n 's/^listening on //p' "$scratch/listening")
  if [ -z "$url" ]; then
    failed=1
    echo "FAIL  no server for $model" >&2
    tail -5 "$scratch/log" >&2
    server=
    echo '{"failed": "no server"}' | tee "$scratch/one-$model" >"$scratch/many-$model"
    continue
  fi
  into "$scratch/one-$model" ./load --url "$url" --model "$model" --clients 1 --seconds "$seconds"
  into "$scratch/many-$model" ./load --url "$url" --model "$model" --clients "$clients" --seconds "$seconds"
  stop
done

step "load while the device fails"
arguments=()
for model in "${models[@]}"; do arguments+=(--model "$model"); done
into "$scratch/faults" ./load --fault-every 5 "${arguments[@]}" --clients "$(((clients + 3) / 4))" --seconds "$faults"

step "done"
{
  printf '{\n"commit": "%s",\n"driver": "%s",\n' "$(cat COMMIT)" \
    "$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | head -1)"
  printf '"processor": "%s", "cores": %s,\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)"
  printf '"kernels": %s,\n' "$(cat "$scratch/kernels")"
  printf '"memcheck": %s,\n"racecheck": %s,\n"models": {\n' "$(cat "$scratch/memcheck")" "$(cat "$scratch/racecheck")"
  separator=
  for model in "${models[@]}"; do
    printf '%s"%s": {"one_client": %s, "clients": %s}' "$separator" "$model" "$(cat "$scratch/one-$model")" "$(cat "$scratch/many-$model")"
    separator=$',\n'
  done
  printf '\n},\n"load_with_faults": %s,\n"seconds": %s,\n"right": %s\n}\n' "$(cat "$scratch/faults")" "$SECONDS" \
    "$([ "$failed" = 0 ] && echo true || echo false)"
} >"$result"
echo "$result" >&2
exit "$failed"
