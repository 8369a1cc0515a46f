#!/usr/bin/env bash
# Installs CoreDNS, and KEDA from its own manifests: operator, metrics server and admission webhooks.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
"$here/image.sh" local/coredns:1 "$bin/coredns" ''
for name in operator adapter webhooks; do "$here/image.sh" "local/keda-$name:1" "$bin/keda-$name" 1000; done

"$kubectl" apply -f "$here/coredns.yaml" >/dev/null
"$kubectl" -n kube-system rollout status deployment/coredns --timeout=120s >/dev/null

# The images contain only the program /main, so the commands of the manifests change.
"$kubectl" kustomize "$cache/keda/src/config/default" | sed -E \
  -e 's#image: .*/keda:.*#image: local/keda-operator:1#' \
  -e 's#image: .*/keda-metrics-apiserver:.*#image: local/keda-adapter:1#' \
  -e 's#image: .*/keda-admission-webhooks:.*#image: local/keda-webhooks:1#' \
  -e 's#^( *)- /keda(-adapter|-admission-webhooks)?$#\1- /main#' \
  -e 's#imagePullPolicy: Always#imagePullPolicy: Never#' >"$run/keda.yaml"
# Applied twice: a custom resource cannot be created together with its definition.
"$kubectl" apply --server-side -f "$run/keda.yaml" >/dev/null 2>&1 || { sleep 3; "$kubectl" apply --server-side -f "$run/keda.yaml" >/dev/null; }
for name in keda-operator keda-metrics-apiserver keda-admission; do
  "$kubectl" -n keda rollout status "deployment/$name" --timeout=180s >/dev/null
done
"$kubectl" wait --for=condition=Available apiservice/v1beta1.external.metrics.k8s.io --timeout=120s >/dev/null
say 'KEDA is ready'
