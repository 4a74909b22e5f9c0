#!/usr/bin/env bash
# Checks deploy/kubernetes and deploy/Containerfile as far as that goes without a cluster and an image registry: manifests
# against the schemas of several Kubernetes releases, unknown fields refused; every variable that is set is one that is
# read; references among the manifests; paths that the Containerfile copies. Wants python3 with venv, and PyPI the first time.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=deploy/kubernetes
venv=${FHECTL_MANIFESTS_VENV:-${TMPDIR:-/tmp}/fhectl-check-manifests}
# `preStop.sleep` came with 1.30; the newest that this release of the validator knows.
releases="1.30 1.32 1.34 1.37"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! "$venv/bin/kubernetes-validate" --version >/dev/null 2>&1; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate==1.37.0
fi

if command -v kubectl >/dev/null; then
  kubectl kustomize "$folder" >"$work/all.yaml"
  files=("$work/all.yaml" "$folder/secrets.example.yaml")
else
  echo "no kubectl: the files are checked one by one, and not what kustomize makes of them"
  files=()
  for file in "$folder"/*.yaml; do
    [ "$(basename "$file")" = kustomization.yaml ] || files+=("$file")
  done
fi
for release in $releases; do
  "$venv/bin/kubernetes-validate" --strict --quiet -k "$release" "${files[@]}"
  echo "ok    schemas of Kubernetes $release"
done

# FHECTL_THREADS and the like: as `serve` declares them, and FHECTL_LOG, which it reads itself.
known=$(grep -rhoE '(env = |try_from_env\()"FHECTL_[A-Z_]+"' src/commands/serve* | grep -oE 'FHECTL_[A-Z_]+' | sort -u)
for name in $(grep -rhoE 'FHECTL_[A-Z]+(_[A-Z]+)*' "$folder" deploy/Containerfile | sort -u); do
  grep -qx "$name" <<<"$known" || { echo "FAIL  $name is no variable of fhectl serve"; exit 1; }
done
echo "ok    variables of fhectl serve"

"$venv/bin/python" - "${files[@]}" <<'PYTHON'
"""What schemas do not see: names that must agree from one object to the next."""
import sys, yaml

objects = [o for path in sys.argv[1:] for o in yaml.safe_load_all(open(path)) if o]
of = lambda kind: [o for o in objects if o["kind"] == kind]
named = lambda kind, name: next(o for o in of(kind) if o["metadata"]["name"] == name)
deployment = of("Deployment")[0]["spec"]
pod = deployment["template"]["spec"]
labels = deployment["template"]["metadata"]["labels"].items()
container = pod["containers"][0]
ports = {port["name"] for port in container["ports"]}

selectors = [deployment["selector"]["matchLabels"], named("PodDisruptionBudget", "fhectl")["spec"]["selector"]["matchLabels"],
             named("NetworkPolicy", "fhectl")["spec"]["podSelector"]["matchLabels"]]
selectors += [service["spec"]["selector"] for service in of("Service")]
selectors += [spread["labelSelector"]["matchLabels"] for spread in pod["topologySpreadConstraints"]]
assert all(selector.items() <= labels for selector in selectors), selectors

used = [port["targetPort"] for service in of("Service") for port in service["spec"]["ports"]]
used += [port["port"] for rule in of("NetworkPolicy")[0]["spec"]["ingress"] for port in rule["ports"]]
used += [container[probe]["httpGet"]["port"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
assert set(used) <= ports, used
for rule in (rule for ingress in of("Ingress") for rule in ingress["spec"]["rules"]):
    for backend in (path["backend"]["service"] for path in rule["http"]["paths"]):
        assert backend["port"]["name"] in {port["name"] for port in named("Service", backend["name"])["spec"]["ports"]}
assert of("HorizontalPodAutoscaler")[0]["spec"]["scaleTargetRef"]["name"] == of("Deployment")[0]["metadata"]["name"]

secrets = {o["metadata"]["name"]: o["stringData"] for o in of("Secret")}
for ref in (env["valueFrom"]["secretKeyRef"] for env in container["env"] if "secretKeyRef" in env["valueFrom"]):
    assert ref["key"] in secrets[ref["name"]], ref
settings = {}
for config in of("ConfigMap"):
    assert container["envFrom"] == [{"configMapRef": {"name": config["metadata"]["name"]}}]
    settings = config["data"]
if settings:
    mount = container["volumeMounts"][0]["mountPath"]
    volume = pod["volumes"][0]["secret"]
    folder, _, file = settings["FHECTL_TOKEN_FILE"].rpartition("/")
    assert folder == mount and file in secrets[volume["secretName"]], settings
    by_name = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert settings["FHECTL_LISTEN"] == f"0.0.0.0:{by_name['http']}"
    assert settings["FHECTL_METRICS_LISTEN"] == f"0.0.0.0:{by_name['metrics']}"
    mib = lambda text: int(text[:-3]) * {"MiB": 1, "GiB": 1024}[text[-3:]]
    # As in deployment.yaml: connections, then models and inferences.
    needed = mib(settings["FHECTL_CACHE_SIZE"]) + mib(settings["FHECTL_BODY_MEMORY"]) + 600
    needed += 128 + 256 * int(container["resources"]["limits"]["cpu"])
    limit = int(container["resources"]["limits"]["memory"].removesuffix("Gi")) * 1024
    assert needed * 1.3 <= limit, f"{needed} MiB do not fit {limit} MiB"

# 1 s of notice and 30 s of draining, which is looked up below.
assert pod["terminationGracePeriodSeconds"] > container["lifecycle"]["preStop"]["sleep"]["seconds"] + 31
security = container["securityContext"]
assert security == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
assert pod["automountServiceAccountToken"] is False and pod["enableServiceLinks"] is False
print("ok    references among the manifests, memory, time to drain, pod security")
PYTHON

for time in 'notice: Duration::from_secs(1)' 'drain: Duration::from_secs(30)'; do
  grep -rqF "$time" crates/fhectl-server/src/server ||
    { echo "FAIL  deployment.yaml counts on \`$time\`, which fhectl-server does not have"; exit 1; }
done

# What the Containerfile copies must be there, and what its first stage copies be all that the binary is built from. Always in one
# place: cargo keeps what it makes of a folder by the folder's name.
target=${CARGO_TARGET_DIR:-$PWD/target}
context=$target/container-context
rm -rf "$context"
grep -E '^(FROM|COPY [^-])' deploy/Containerfile | sed 's/${MODEL}/tree-spam/g' >"$work/copies"
stage=0
while read -r instruction words; do
  if [ "$instruction" = FROM ]; then
    stage=$((stage + 1))
    continue
  fi
  read -ra paths <<<"$words"
  for path in "${paths[@]::${#paths[@]}-1}"; do
    [ -e "$path" ] || { echo "FAIL  the Containerfile copies $path, which is not there"; exit 1; }
    [ "$stage" = 1 ] || continue
    mkdir -p "$context/$(dirname "$path")"
    cp -r "$path" "$context/$(dirname "$path")"
  done
done <"$work/copies"
if command -v cargo >/dev/null; then
  # With the packages that clippy has checked already.
  (cd "$context" && CARGO_TARGET_DIR=$target cargo check --release --locked --quiet --package fhectl --bin fhectl)
fi
echo "ok    paths of deploy/Containerfile"
