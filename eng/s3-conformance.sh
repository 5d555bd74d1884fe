#!/usr/bin/env bash
# Runs the cases of S3 against a server, and prints the table of docs/s3-conformance.md.
# usage: eng/s3-conformance.sh URL KEY-FILE OTHER-KEY-FILE [NAME...]
# A key file has one line, ID:SECRET; the two are of two customers. With NAMEs only cases whose names contain one.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 3 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
export ENDPOINT=$1 AWS_EC2_METADATA_DISABLED=true
IFS=: read -r KEY SECRET <"$2"
IFS=: read -r OTHER_KEY OTHER_SECRET <"$3"
export KEY SECRET OTHER_KEY OTHER_SECRET
shift 3
echo '| group | case | outcome | why |'
echo '|---|---|---|---|'
/usr/bin/python3 tests/Ashlar.Interop.Tests/S3/Conformance/cases.py "$@"
