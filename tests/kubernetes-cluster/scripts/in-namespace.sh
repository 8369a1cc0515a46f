#!/usr/bin/env bash
# Runs a command in a network namespace of its own, made on first use, so that the cluster's addresses exist nowhere else.
# nsenter, not `ip netns exec`: the latter hides the cgroup mounts that the kubelet needs.
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
