#!/usr/bin/env bash
# The store of immutable files in one process: put, the same content again, get, and ranges that are in memory, with one copy and with three,
# against the speed of SHA-256 and of the disk. About three minutes, and up to 10 GiB of the disk.
# With --names: very many small files in one directory, made, listed, read and deleted when there are 100,000 and when all are there
# (1,000,000 unless another number is given), and the ratio of the two.
# The files lie in the directory that is given, or in that for temporary files.
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet build bench/Ashlar.Files.Bench -c Release --nologo -v q >&2
export DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
exec artifacts/bin/Ashlar.Files.Bench/release/files-bench "$@"
