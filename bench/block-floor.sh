#!/usr/bin/env bash
# Block storage where it is strained: more volume than the map cache holds, many connections, a flush beside a stream, a crash,
# snapshots, RAID sets.
# usage: bench/block-floor.sh [--quick] [--rows GROUP,...] [--rounds N] [--program CHECKOUT]
#   groups: map-cache connections flush crash snapshots raid (all are the default)
#   --program  measures the Ashlar of another checkout, such as an earlier state
# stdout: one line per work, tab-separated: name, figure, what it is compared with (the name says), ratio. Above 1 is better for
#   Ashlar: the ratio is turned round where less is better. Rows of the crash have a name and a figure.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$repository/bench/fio.sh"
. "$repository/bench/ashlar.sh"
. "$repository/bench/block-rows.sh"
. "$repository/bench/snapshot-rows.sh"
. "$repository/bench/raid-rows.sh"

quick=false groups=map-cache,connections,flush,crash,snapshots,raid rows=
while [ $# -gt 0 ]; do
    case $1 in
        --quick) quick=true rounds=2 seconds=1 ramp=0.5 ;;
        --rows) groups=$2; shift ;;
        --rounds) rounds=$2; shift ;;
        --program) ashlar_checkout=$(cd "$2" && pwd) || exit 2; shift ;;
        *) sed -n '2,8s/^# //p' "$0" >&2; exit 2 ;;
    esac
    shift
done

install_tools
need_fio
need qemu-nbd qemu-io dotnet
make_work_directory

describe_machine
say "program: $ashlar_checkout; $(qemu-nbd --version | head -1), fio: $(fio --version), $rounds rounds of $seconds s"
for group in ${groups//,/ }; do
    case $group in
        map-cache) rows_map_cache ;;
        connections) rows_connections ;;
        flush) rows_flush ;;
        crash) rows_crash ;;
        snapshots) rows_snapshots ;;
        raid) rows_raid ;;
        *) give_up "no such group of rows: $group" ;;
    esac
    end_servers
    rm -rf "${work:?}"/*
done
