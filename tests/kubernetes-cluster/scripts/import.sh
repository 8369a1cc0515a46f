#!/usr/bin/env bash
# import.sh ARCHIVE …: imports archives of `docker save` into the cluster's containerd.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
for archive in "$@"; do "${images[@]}" images import "$archive" >/dev/null; done
