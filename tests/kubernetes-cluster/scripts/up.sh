#!/usr/bin/env bash
# Starts a Kubernetes cluster of one node from the built programs: control plane, containerd, kubelet and kube-proxy as processes.
# Needs root, containerd, runc, openssl, iproute2, curl, util-linux. Runs inside in-namespace.sh; state and logs are in $run.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
etcd_port=22379 api_port=26443 kubelet_port=20250
services=10.96.0.0/16 api_ip=10.96.0.1 dns_ip=10.96.0.10 pods=10.244.0.0/24
node=node1
if ls "$run"/pids/* >/dev/null 2>&1; then say 'the cluster is already running: tests/kubernetes-cluster/scripts/down.sh'; exit 1; fi
rm -rf "$run"
mkdir -p "$run"/{pids,began,log,pki,etcd,cni/net.d,containerd/{root,state},kubelet,podlogs,varlog,varlib-up,varlib-work}
chmod 700 "$run/pki"

# Starts a process and records its id and start time, so that down.sh stops no other process.
start() {
  local name=$1
  shift
  setsid "$@" >"$run/log/$name.log" 2>&1 </dev/null &
  echo $! >"$run/pids/$name"
  awk '{print $22}' "/proc/$!/stat" >"$run/began/$name"
}

authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" -keyout "$1.key" -out "$1.crt" 2>/dev/null
}
certificate() { # NAME AUTHORITY SUBJECT [ALTERNATIVE NAMES]
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$3" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 30 -out "$1.crt" \
    -extfile <(printf 'extendedKeyUsage=serverAuth,clientAuth\n%s\n' "${4:+subjectAltName=$4}") 2>/dev/null
}
cd "$run/pki"
authority ca
authority front
certificate apiserver ca /CN=kube-apiserver "IP:127.0.0.1,IP:$node_ip,IP:$api_ip,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
certificate front-client front /CN=front-proxy-client
certificate kubelet-client ca /O=system:masters/CN=apiserver-kubelet-client
openssl ecparam -name prime256v1 -genkey -noout -out sa.key 2>/dev/null
openssl ec -in sa.key -pubout -out sa.pub 2>/dev/null
token=$(openssl rand -hex 16)
printf '%s,admin,admin,"system:masters"\n' "$token" >tokens.csv
(umask 077; cat >"$KUBECONFIG" <<Y
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:$api_port", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: u, user: {token: $token}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
Y
)
cd "$run"

start etcd "$bin/etcd" --data-dir "$run/etcd" --unsafe-no-fsync --initial-cluster "default=http://127.0.0.1:$((etcd_port + 1))" \
  --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
  --listen-peer-urls "http://127.0.0.1:$((etcd_port + 1))" --initial-advertise-peer-urls "http://127.0.0.1:$((etcd_port + 1))"
waitfor etcd 30 curl -fsS "http://127.0.0.1:$etcd_port/health"
start kube-apiserver "$bin/kube-apiserver" --etcd-servers="http://127.0.0.1:$etcd_port" --bind-address=0.0.0.0 --secure-port=$api_port \
  --advertise-address=$node_ip --service-cluster-ip-range=$services --allow-privileged=true --authorization-mode=Node,RBAC \
  --tls-cert-file=pki/apiserver.crt --tls-private-key-file=pki/apiserver.key --client-ca-file=pki/ca.crt --token-auth-file=pki/tokens.csv \
  --service-account-key-file=pki/sa.pub --service-account-signing-key-file=pki/sa.key --service-account-issuer=https://kubernetes.default.svc \
  --requestheader-client-ca-file=pki/front.crt --requestheader-allowed-names=front-proxy-client --requestheader-username-headers=X-Remote-User \
  --requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group \
  --proxy-client-cert-file=pki/front-client.crt --proxy-client-key-file=pki/front-client.key --enable-aggregator-routing=true \
  --kubelet-preferred-address-types=InternalIP --kubelet-client-certificate=pki/kubelet-client.crt --kubelet-client-key=pki/kubelet-client.key
waitfor kube-apiserver 120 "$kubectl" get --raw /readyz
# The autoscaler keeps its default intervals, which the regimes assume (infra/deployment/regimes.ts: hpa).
start kube-controller-manager "$bin/kube-controller-manager" --kubeconfig="$KUBECONFIG" --leader-elect=false --bind-address=127.0.0.1 --secure-port=20257 \
  --cert-dir="$run/pki/kcm" --service-account-private-key-file=pki/sa.key --root-ca-file=pki/ca.crt --cluster-signing-cert-file=pki/ca.crt --cluster-signing-key-file=pki/ca.key
start kube-scheduler "$bin/kube-scheduler" --kubeconfig="$KUBECONFIG" --leader-elect=false --bind-address=127.0.0.1 --secure-port=20259 --cert-dir="$run/pki/scheduler"
waitfor kube-controller-manager 60 "$kubectl" get serviceaccount default

# The kubelet raises these; down.sh restores them.
for name in vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys kernel.keys.root_maxbytes; do
  echo "$name=$(sysctl -n $name)"
done >"$run/sysctl.saved"
cat >containerd/config.toml <<T
version = 2
root = "$run/containerd/root"
state = "$run/containerd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs","io.containerd.snapshotter.v1.btrfs","io.containerd.snapshotter.v1.zfs","io.containerd.snapshotter.v1.devmapper","io.containerd.internal.v1.opt"]
[grpc]
  address = "$run/containerd/c.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "local/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$cache/deb/x/usr/lib/cni"
    conf_dir = "$run/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
T
cat >cni/net.d/10-bridge.conflist <<J
{"cniVersion":"0.4.0","name":"fave","plugins":[
 {"type":"bridge","bridge":"fave-pods","isGateway":true,"ipMasq":false,"hairpinMode":true,
  "ipam":{"type":"host-local","dataDir":"$run/cni/ipam","ranges":[[{"subnet":"$pods"}]],"routes":[{"dst":"0.0.0.0/0"}]}}]}
J
# A private mount namespace keeps the files of containerd and the kubelet below /var in $run.
start containerd unshare -m --propagation private bash -c "mount --make-rshared / && mount --bind $run/varlog /var/log \
  && mount -t overlay overlay -o lowerdir=/var/lib,upperdir=$run/varlib-up,workdir=$run/varlib-work /var/lib && mkdir -p /var/lib/kubelet \
  && exec containerd --config $run/containerd/config.toml"
waitfor containerd 30 "${images[@]}" version
"$here/image.sh" local/pause:1 "$bin/k8s-pause" ''

cat >kubelet.yaml <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_ip
port: $kubelet_port
healthzPort: $((kubelet_port - 2))
readOnlyPort: 0
failCgroupV1: false
failSwapOn: false
cgroupDriver: cgroupfs
makeIPTablesUtilChains: false
containerRuntimeEndpoint: unix://$run/containerd/c.sock
podLogsDir: $run/podlogs
resolvConf: /etc/resolv.conf
clusterDNS: [$dns_ip]
clusterDomain: cluster.local
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $run/pki/ca.crt}}
authorization: {mode: AlwaysAllow}
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
maxPods: 110
Y
start kubelet nsenter -t "$(cat pids/containerd)" -m "$bin/kubelet" --config="$run/kubelet.yaml" --kubeconfig="$KUBECONFIG" \
  --root-dir="$run/kubelet" --cert-dir="$run/pki/kubelet" --hostname-override=$node --node-ip=$node_ip --v=2
waitfor node 90 "$kubectl" wait --for=condition=Ready "node/$node" --timeout=1s

cat >proxy.yaml <<Y
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
iptables: {localhostNodePorts: false}
clusterCIDR: $pods
healthzBindAddress: 127.0.0.1:20256
metricsBindAddress: 127.0.0.1:20255
clientConnection: {kubeconfig: $KUBECONFIG}
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
Y
sysctl -qw net.ipv4.ip_forward=1 # of this network namespace
start kube-proxy "$bin/kube-proxy" --config=proxy.yaml --hostname-override=$node
waitfor kube-proxy 30 curl -fsS http://127.0.0.1:20256/healthz
say "the cluster runs: export KUBECONFIG=$KUBECONFIG"
