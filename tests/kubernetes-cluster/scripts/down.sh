#!/usr/bin/env bash
# Stops the processes that up.sh recorded, by id and start time, and all containers; removes cgroups, mounts and the namespace.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
alive() { [ -r "/proc/$1/stat" ] && awk -v began="$2" '{exit !($3 != "Z" && $22 == began)}' "/proc/$1/stat" 2>/dev/null; }
stop() {
  local file=$run/pids/$1 pid began
  [ -f "$file" ] || return 0
  pid=$(cat "$file") began=$(cat "$run/began/$1")
  alive "$pid" "$began" && kill "$pid"
  for _ in $(seq 100); do alive "$pid" "$began" || break; sleep .1; done
  alive "$pid" "$began" && kill -9 "$pid"
  rm -f "$file"
}
stop kube-proxy
stop kubelet
if [ -f "$run/pids/containerd" ]; then
  inside=(nsenter -t "$(cat "$run/pids/containerd")" -m)
  containers=$("${images[@]}" containers ls -q 2>/dev/null)
  for id in $containers; do "${images[@]}" tasks kill -a -s SIGKILL "$id" >/dev/null 2>&1; done
  for id in $containers; do
    waitfor "end of $id" 10 bash -c "! ${images[*]} tasks ls | grep -q '^$id .*RUNNING'"
    "${images[@]}" tasks delete -f "$id" >/dev/null 2>&1
    "${images[@]}" containers delete "$id" >/dev/null 2>&1
  done
  for name in $("${inside[@]}" ls /run/netns 2>/dev/null | grep '^cni-'); do
    "${inside[@]}" umount "/run/netns/$name" 2>/dev/null
    "${inside[@]}" rm -f "/run/netns/$name"
  done
  stop containerd
fi
for name in kube-scheduler kube-controller-manager kube-apiserver etcd; do stop $name; done
[ -f "$run/sysctl.saved" ] && while read -r setting; do sysctl -qw "$setting"; done <"$run/sysctl.saved"
for root in /sys/fs/cgroup/*/kubepods /sys/fs/cgroup/kubepods; do
  [ -d "$root" ] && find "$root" -depth -type d -exec rmdir {} \; 2>/dev/null
done
# Mounts of the kubelet in pods, deepest first.
awk -v run="$run/" 'index($2, run) == 1 {print $2}' /proc/mounts | sort -r | while read -r mount; do umount "$mount"; done
[ -e "/run/netns/$netns" ] && ip netns del "$netns"
# Keeps the directory if something is still mounted in it.
grep -q " $run/" /proc/mounts || rm -rf "$run"
say 'the cluster is down'
