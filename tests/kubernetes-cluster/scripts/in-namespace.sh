#!/usr/bin/env bash
# Runs a command in the cluster's network namespace and creates it on first use. The host's network is not changed.
# nsenter, because `ip netns exec` hides the cgroup mounts that the kubelet needs.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
if [ ! -e "/run/netns/$netns" ]; then
  ip netns add "$netns"
  inside() { ip -n "$netns" "$@"; }
  inside link set lo up
  inside link add node0 type veth peer name node0peer
  inside addr add "$node_ip/24" dev node0
  inside link set node0 up && inside link set node0peer up
  inside route add default dev node0
fi
exec nsenter --net="/run/netns/$netns" "$@"
