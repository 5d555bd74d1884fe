#!/usr/bin/env bash
# What volumes cost over the device that they lie on, within one process: thick against the bare device, first writes against overwriting,
# a map that is larger than its cache, a volume of 64 TiB. About two minutes.
# The files lie in the directory that is given, or in that for temporary files.
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet build bench/Ashlar.Blocks.Bench -c Release --nologo -v q >&2
export DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
exec artifacts/bin/Ashlar.Blocks.Bench/release/blocks-bench volumes "$@"
