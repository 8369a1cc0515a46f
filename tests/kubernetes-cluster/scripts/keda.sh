#!/usr/bin/env bash
# CoreDNS, and KEDA by its own manifests: operator, metrics server, admission webhooks, as pods that rotate their own certificates.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
"$here/image.sh" local/coredns:1 "$bin/coredns" ''
for name in operator adapter webhooks; do "$here/image.sh" "local/keda-$name:1" "$bin/keda-$name" 1000; done

"$kubectl" apply -f "$here/coredns.yaml" >/dev/null
"$kubectl" -n kube-system rollout status deployment/coredns --timeout=120s >/dev/null

# The manifests' containers start the programs by name; the images here hold nothing else.
"$kubectl" kustomize "$cache/keda/src/config/default" | sed -E \
  -e 's#image: .*/keda:.*#image: local/keda-operator:1#' \
  -e 's#image: .*/keda-metrics-apiserver:.*#image: local/keda-adapter:1#' \
  -e 's#image: .*/keda-admission-webhooks:.*#image: local/keda-webhooks:1#' \
  -e 's#^( *)- /keda(-adapter|-admission-webhooks)?$#\1- /main#' \
  -e 's#imagePullPolicy: Always#imagePullPolicy: Never#' >"$run/keda.yaml"
# Twice: custom resources of a kind cannot be made in the moment that makes the kind.
"$kubectl" apply --server-side -f "$run/keda.yaml" >/dev/null 2>&1 || { sleep 3; "$kubectl" apply --server-side -f "$run/keda.yaml" >/dev/null; }
for name in keda-operator keda-metrics-apiserver keda-admission; do
  "$kubectl" -n keda rollout status "deployment/$name" --timeout=180s >/dev/null
done
"$kubectl" wait --for=condition=Available apiservice/v1beta1.external.metrics.k8s.io --timeout=120s >/dev/null
say 'KEDA is ready'
