#!/usr/bin/env bash
# Key-value engine: Ashlar against RocksDB (db_bench), in the same directory, with the same cache, memory tables, filters and flushes.
# usage: bench/kv-vs-rocksdb.sh [--quick] [--rows GROUP,...] [--data SIZE] [--memory SIZE] [--cache SIZE] [--memtable SIZE]
#        [--rounds N] [--dir DIR] [--paired CHECKOUT]
#   --paired: against the Ashlar of another checkout instead, such as an earlier state
#   groups: durable fill cached small steady crash (all but the next are the default), hot, queue and hundred-million (Ashlar alone)
# stdout: one line per work, tab-separated: name, Ashlar, rival, ratio (above 1: Ashlar is better), the rival's variant, and then
#   for Ashlar and rival: p50, p99, p99.9 in us, CPU us per operation, bytes written per byte put, peak resident MiB.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$repository/bench/kv-contenders.sh"
. "$repository/bench/kv-rows.sh"

quick=false rounds= rows=durable,fill,cached,small,steady,crash data=10GB keys=100000000 memory=all cache_size=512M memtable_size=64M paired=
while [ $# -gt 0 ]; do
    case $1 in
        --quick) quick=true rows=durable,fill,cached ;;
        --rows) rows=$2; shift ;;
        --data) data=$2; shift ;;
        --keys) keys=$(numfmt --from=si "$2"); shift ;; # of hundred-million; hot and queue: a tenth
        --memory) memory=${2%B}; shift ;;
        --cache) cache_size=${2%B}; shift ;;
        --memtable) memtable_size=${2%B}; shift ;;
        --rounds) rounds=$2; shift ;;
        --paired) paired=$2; shift ;;
        --dir) BENCH_DIR=$2; shift ;;
        *) sed -n '2,8s/^# //p' "$0" >&2; exit 2 ;;
    esac
    shift
done
data_bytes=$(numfmt --from=si "${data%B}") || exit 2
rounds=${rounds:-$($quick && echo 1 || echo 2)}

[ -n "$paired" ] || install_package db_bench rocksdb-tools
[ -n "$paired" ] || need db_bench
need dotnet numfmt stdbuf du
make_work_directory
trap 'remove_memory_limit; clean_up' EXIT
build_driver "$repository"
driver=$(driver_of "$repository")
[ -z "$paired" ] || build_driver "$paired"

describe_machine
describe_contenders
print_header
for group in ${rows//,/ }; do
    case $group in
        durable | fill | cached | small | steady | crash | hot | queue) "rows_$group" ;;
        hundred-million) rows_hundred_million ;;
        *) give_up "no such group of rows: $group" ;;
    esac
done
