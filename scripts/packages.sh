# Sourced by scripts that want programs of the system: `get COMMAND PACKAGE...`, `has_node`.

# Installs the packages that a command comes with, where it is not there and apt-get is.
get() {
  local command=$1 root=
  shift
  command -v "$command" >/dev/null && return
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" = 0 ] || root=sudo
  { $root apt-get update -q && $root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"; } >&2
}

# Whether there is Node 20 or later, with npm.
has_node() { command -v npm >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" -ge 20 ]; }
