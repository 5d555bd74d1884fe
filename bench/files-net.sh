#!/usr/bin/env bash
# Files over S3 and REST on loopback, against servers that run: one with one storage node, one with three of which two acknowledge, beside
# a plain web server that is asked for the same bytes by the same client. Prints a table; about half an hour with 1024 MiB and 3 rounds,
# and up to 40 GiB of the disk.
#   bench/files-net.sh [--quick] [--rows small,list,large,range,memory,nbd] [DIRECTORY [MEBIBYTES [ROUNDS]]]
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$repository/bench/fio.sh"

quick=false groups=small,list,large,range,memory,nbd
while [ $# -gt 0 ]; do
    case $1 in
        --quick) quick=true ;;
        --rows) groups=$2; shift ;;
        -*) sed -n '2,5s/^# *//p' "$0" >&2; exit 2 ;;
        *) break ;;
    esac
    shift
done
BENCH_DIR=${1:-${BENCH_DIR:-/var/tmp}} mebibytes=${2:-1024} rounds=${3:-3} small=20000 names=1000000 ranges=1000 seconds=5 ramp=1
if $quick; then mebibytes=${2:-96} rounds=${3:-1} small=2000 names=20000 ranges=100 seconds=1 ramp=0.5; fi

need dotnet sync
cd "$repository" || exit 1
export DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
if [ -z "${BENCH_BUILT:-}" ]; then
    dotnet build bench/Ashlar.Files.Bench -c Release --nologo -v q >&2 || give_up "cannot build bench/Ashlar.Files.Bench"
fi
program=$repository/ashlar
"$program" version >&2 || give_up "cannot build the program"
files_bench=$repository/artifacts/bin/Ashlar.Files.Bench/release/files-bench
make_work_directory
describe_machine

start_server() { # start_server NAME COPIES: sets server to what files-bench calls it, and nbd_port
    local api s3
    api=$(free_port) s3=$(free_port) nbd_port=$(free_port)
    "$program" up --data "$work/$1" --pool-size 8GiB --api-port "$api" --s3-port "$s3" --nbd-port "$nbd_port" \
        --iscsi-port 0 --nvme-port 0 \
        >"$work/$1.log" 2>&1 &
    server_pid=$!
    ends_with_script "$server_pid"
    wait_for_port "$s3" "$server_pid" "$work/$1.log"
    server=$server_pid:$api:$s3:$2:$work/$1
}

add_node() { # add_node DATA NAME: in a failure domain of its own, though there is one disk
    "$program" node add "$2" "$1/files/nodes/$2" --domain "$2" --data "$1" >/dev/null || give_up "cannot add a storage node"
}

start_server one 1
if [[ ,$groups, == *,list,* ]]; then
    end_servers
    say "making $names names"
    "$files_bench" fill "$work/one" "$names" >&2 || exit 1
    start_server one 1
fi
one=$server
start_server three 3
three=$server three_nbd=$nbd_port
"$program" node set main --domain main --data "$work/three" >/dev/null || give_up "cannot label a storage node"
add_node "$work/three" second
add_node "$work/three" third
mkdir "$work/plain"
port=$(free_port)
"$files_bench" plain "$port" "$work/plain" >"$work/plain.log" 2>&1 &
plain=$!
ends_with_script "$plain"
wait_for_port "$port" "$plain" "$work/plain.log"

"$files_bench" wire "$one" "$three" "$plain:$port:0:1:$work/plain" "$work" \
    "$mebibytes" "$rounds" "$small" "$names" "$ranges" "$groups" || exit 1

# Block storage beside uploads: the same server, and the same disk.
nbd_beside_uploads() {
    local loader round with alone=() beside=() mode=$1
    for ((round = 0; round < rounds; round++)); do
        alone+=("$(timed_run "$uri" "$mode" 4k 32 --size=512m | cut -d' ' -f1)")
        "$files_bench" load "$three" 4 64 >"$work/load.log" 2>&1 &
        loader=$!
        ends_with_script "$loader"
        sleep 1
        with=$(run_fio "$uri" "$mode" 4k 32 --size=512m --time_based --runtime="$seconds" --ramp_time="$ramp" | cut -d' ' -f1)
        kill -0 "$loader" 2>/dev/null || { cat "$work/load.log" >&2; give_up "the uploads ended"; }
        kill "$loader"
        beside+=("$with")
    done
    awk -v mode="$mode" -v ours="$(median "${beside[@]}")" -v theirs="$(median "${alone[@]}")" 'BEGIN {
        printf "| NBD 4 KiB %s, depth 32, beside 4 uploads, IOPS | %d | alone: %d | %.2f | 0.5 |\n", mode, ours, theirs, ours / theirs }'
}

if [[ ,$groups, == *,nbd,* ]]; then
    if command -v fio >/dev/null && fio --enghelp 2>/dev/null | grep -qw nbd; then
        "$program" volume create bench --size 512MiB --data "$work/three" >/dev/null || give_up "cannot create a volume"
        uri=nbd://127.0.0.1:$three_nbd/bench
        run_fio "$uri" write 1m 8 --size=512m --end_fsync=1 >/dev/null
        nbd_beside_uploads randread
        nbd_beside_uploads randwrite
    else
        say "no fio with an nbd engine: the row of NBD is left out"
    fi
fi
