#!/bin/sh
# run.sh NAME [ARGUMENT …]: runs an npm script (scripts/run.mjs) with a Node.js that can run FAVE.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/node.sh"
if [ "$node" != node ]; then
  [ -x "$node" ] || fetch_node
  # For npm, and for everything that starts `node`.
  export PATH="$node_dir/bin:$PATH"
fi
exec "$node" "$root/scripts/run.mjs" "$@"
