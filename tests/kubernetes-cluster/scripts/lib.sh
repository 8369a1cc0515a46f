# Paths and functions of the scripts. Sourced, never run.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/fave/kubernetes # infra/process/paths.ts: cacheDir
bin=$cache/bin
run=${FAVE_KUBERNETES_RUN:-${TMPDIR:-/tmp}/fave-kubernetes}
netns=${FAVE_KUBERNETES_NETNS:-fave-kubernetes}
node_ip=10.200.0.1
export KUBECONFIG=$run/admin.kubeconfig KUBECACHEDIR=$run/kubecache
kubectl=$bin/kubectl
images=(ctr -a "$run/containerd/c.sock" -n k8s.io)

say() { printf '%s\n' "$*" >&2; }

# waitfor NAME SECONDS COMMAND…: probes five times per second.
waitfor() {
  local name=$1 tries=$(($2 * 5))
  shift 2
  for ((i = 0; i < tries; i++)); do
    "$@" >/dev/null 2>&1 && return 0
    sleep .2
  done
  say "$name did not become ready; the logs are in $run/log"
  return 1
}
