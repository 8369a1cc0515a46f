#!/usr/bin/env bash
# Builds the programs of the cluster that the cache lacks, from Go modules: 10–25 minutes on two cores, once per machine.
# `build.sh kubectl` builds only kubectl.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
KUBERNETES=1.34.2 KEDA=2.18.1 ETCD=3.6.4 COREDNS=1.12.4 PROMETHEUS_OPERATOR=0.85.0
export CGO_ENABLED=0 GOFLAGS=-mod=mod
mkdir -p "$bin"
# One build at a time; a second process finds the programs built.
exec 9>"$cache/.lock"
flock 9

build() { # NAME LDFLAGS PACKAGE, in the current directory
  say "building $1 …"
  go build -trimpath -ldflags "-s -w $2" -o "$bin/.$1" "$3"
  mv "$bin/.$1" "$bin/$1" # never a partial file
}
missing() { local name; for name in "$@"; do [ -x "$bin/$name" ] || return 0; done; return 1; }
folder_of() { # MODULE@VERSION
  go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p'
}
# Copies a module into the cache: `replace` directives apply only in the main module.
source_of() { # FOLDER MODULE@VERSION
  [ -d "$cache/$1/src" ] && return
  mkdir -p "$cache/$1"
  dir=$(folder_of "$2")
  cp -r "$dir" "$cache/$1/.src" && chmod -R u+w "$cache/$1/.src" && mv "$cache/$1/.src" "$cache/$1/src"
}

programs=(kubectl)
[ "${1:-}" = kubectl ] || programs+=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy)
if missing "${programs[@]}"; then
  # Unstamped servers call themselves v0.0.0-master, and KEDA complains.
  for package in component-base client-go/pkg; do
    stamps+=" -X k8s.io/$package/version.gitVersion=v$KUBERNETES -X k8s.io/$package/version.gitMajor=1 -X k8s.io/$package/version.gitMinor=34"
  done
  mkdir -p "$cache/kubernetes"
  cp "$here"/modules/kubernetes/go.* "$cache/kubernetes/"
  printf '//go:build tools\npackage tools\nimport _ "k8s.io/kubernetes/cmd/kube-proxy"\n' >"$cache/kubernetes/tools.go"
  cd "$cache/kubernetes"
  for name in "${programs[@]}"; do missing "$name" && build "$name" "$stamps" "k8s.io/kubernetes/cmd/$name"; done
fi
[ "${1:-}" = kubectl ] && exit

if missing etcd; then
  mkdir -p "$cache/etcd" && cd "$cache/etcd"
  printf 'module local/etcd\ngo 1.24\nrequire go.etcd.io/etcd/server/v3 v%s\n' $ETCD >go.mod
  printf '//go:build tools\npackage tools\nimport _ "go.etcd.io/etcd/server/v3"\n' >tools.go
  build etcd '' go.etcd.io/etcd/server/v3
fi
source_of keda "github.com/kedacore/keda/v2@v$KEDA" # its manifests are needed at every start
for name in operator adapter webhooks; do
  missing keda-$name || continue
  (cd "$cache/keda/src" && build keda-$name "-X=github.com/kedacore/keda/v2/version.Version=$KEDA" ./cmd/$name)
done
if missing coredns; then
  source_of coredns "github.com/coredns/coredns@v$COREDNS"
  cd "$cache/coredns/src"
  # Only what coredns.yaml names: all plugins together link the libraries of three clouds, and take three times as long.
  {
    printf 'package plugin\nimport (\n'
    for name in cache errors health kubernetes ready reload; do printf '_ "github.com/coredns/coredns/plugin/%s"\n' $name; done
    printf ')\n'
  } >core/plugin/zplugin.go
  build coredns '' .
fi
# Only the custom resource definitions: the monitors need them, but no operator runs.
if [ ! -d "$cache/prometheus-operator" ]; then
  dir=$(folder_of "github.com/prometheus-operator/prometheus-operator@v$PROMETHEUS_OPERATOR")/example/prometheus-operator-crd
  mkdir -p "$cache/.prometheus-operator" && chmod u+w "$cache/.prometheus-operator"
  cp --no-preserve=mode "$dir"/monitoring.coreos.com_{podmonitors,servicemonitors,prometheusrules}.yaml "$cache/.prometheus-operator/"
  mv "$cache/.prometheus-operator" "$cache/prometheus-operator"
fi
missing k8s-pause && (cd "$here/pause" && build k8s-pause '' .)
# The Debian package is unpacked, not installed.
if [ ! -d "$cache/deb/x/usr/lib/cni" ]; then
  mkdir -p "$cache/deb" && cd "$cache/deb"
  apt-get download containernetworking-plugins && for package in *.deb; do dpkg -x "$package" x; done
fi
