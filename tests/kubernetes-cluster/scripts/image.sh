#!/usr/bin/env bash
# image.sh NAME:TAG PROGRAM USER: imports an image of one static program into the cluster's containerd, without a Docker daemon.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
name=$1 program=$2 user=$3
dir=$(mktemp -d "$run/image.XXXXXX")
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/root/etc" "$dir/root/tmp" "$dir/out"
chmod 1777 "$dir/root/tmp"
printf 'root:x:0:0:root:/:/none\nnobody:x:65534:65534:nobody:/:/none\n' >"$dir/root/etc/passwd"
cp "$program" "$dir/root/main"
tar -C "$dir/root" --owner=0 --group=0 --sort=name --mtime=@0 -cf "$dir/out/layer.tar" .
layer=$(sha256sum <"$dir/out/layer.tar" | cut -d' ' -f1)
cat >"$dir/out/config.json" <<J
{"architecture":"amd64","os":"linux","created":"2020-01-01T00:00:00Z",
 "config":{"Entrypoint":["/main"],"Env":["PATH=/"],"WorkingDir":"/","User":"$user"},
 "rootfs":{"type":"layers","diff_ids":["sha256:$layer"]}}
J
config=$(sha256sum <"$dir/out/config.json" | cut -d' ' -f1)
mv "$dir/out/config.json" "$dir/out/$config.json"
printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$config" "$name" >"$dir/out/manifest.json"
tar -C "$dir/out" -cf "$dir/image.tar" .
"${images[@]}" images import "$dir/image.tar" >/dev/null
