#!/usr/bin/env bash
# What the redundancy of RAID sets costs: parity beside memcpy, and sequential writes over four files beside RAID-0. About a minute.
# The files lie in the directory that is given, or in that for temporary files.
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet build bench/Ashlar.Blocks.Bench -c Release --nologo -v q >&2
export DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
exec artifacts/bin/Ashlar.Blocks.Bench/release/blocks-bench raid "$@"
