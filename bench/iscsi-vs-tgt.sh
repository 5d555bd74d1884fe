#!/usr/bin/env bash
# iSCSI: Ashlar against tgt, both acknowledging from their cache, on the same file system, over libiscsi.
# usage: bench/iscsi-vs-tgt.sh [--quick] [--default-tgt] [--rows PATTERN] [--rounds N] [--paired CHECKOUT]
#   --default-tgt  tgt as installed; otherwise it is given the burst lengths of Ashlar, which makes it faster
#   --rows         only rows whose name the regular expression matches
#   --paired       against the Ashlar of another checkout instead, such as an earlier state
# stdout: one line per work, tab-separated: name, Ashlar, rival, ratio (above 1 is faster than the rival).
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=3 scale=1 size_mib=512 tuned=true rows= paired=
while [ $# -gt 0 ]; do
    case $1 in
        --quick) rounds=1 scale=0.25 ;;
        --default-tgt) tuned=false ;;
        --rows) rows=$2; shift ;;
        --rounds) rounds=$2; shift ;;
        --paired) paired=$2; shift ;;
        *) sed -n '2,7s/^# //p' "$0" >&2; exit 2 ;;
    esac
    shift
done

install_tools
[ -n "$paired" ] || install_package tgtd tgt
need qemu-img iscsi-perf dotnet
[ -n "$paired" ] || need tgtd tgtadm
make_work_directory
. "$repository/bench/ashlar.sh"

# Two volumes each: iscsi-perf picks any block, so its blocks must be 4 KiB; QEMU 7.2 fails an assertion of its own
# (iscsi_co_block_status) on thin volumes with such blocks, so it gets 512 bytes, the default.
start_side() { # start_side DIRECTORY: sets url and url_4k
    start_ashlar "$work/$1"
    create_volume bench "${size_mib}MiB"
    create_volume bench4k "${size_mib}MiB" --block-size 4096
    local target=iscsi://127.0.0.1:$ashlar_iscsi_port/iqn.2026-11.io.ashlar:main
    url=$target.bench/0 url_4k=$target.bench4k/0
}

tgt() { tgtadm -C "$control" --lld iscsi "$@" >&2 || give_up "tgtadm failed: $*"; }

start_tgt() { # sets url and url_4k
    local port pid setting
    truncate -s "${size_mib}M" "$work/rival.img" "$work/rival4k.img"
    port=$(free_port) control=$((RANDOM % 20000 + 100))
    tgtd -f -C "$control" --iscsi portal=127.0.0.1:"$port" >"$work/tgtd.log" 2>&1 &
    pid=$!
    ends_with_script "$pid"
    wait_for_port "$port" "$pid" "$work/tgtd.log"
    tgt --op new --mode target --tid 1 -T iqn.2026-11.io.ashlar:rival
    tgt --op new --mode logicalunit --tid 1 --lun 1 -b "$work/rival.img"
    tgt --op new --mode logicalunit --tid 1 --lun 2 -b "$work/rival4k.img" --blocksize 4096
    tgt --op bind --mode target --tid 1 -I 127.0.0.1
    if $tuned; then
        for setting in MaxRecvDataSegmentLength=262144 FirstBurstLength=262144 MaxBurstLength=1048576 InitialR2T=No MaxOutstandingR2T=8; do
            tgt --op update --mode target --tid 1 --name "${setting%=*}" --value "${setting#*=}"
        done
    fi
    url=iscsi://127.0.0.1:$port/iqn.2026-11.io.ashlar:rival/1
    url_4k=${url%/1}/2
}

start_side ours
ashlar_url=$url ashlar_4k_url=$url_4k
if [ -n "$paired" ]; then
    start_paired "$paired" start_side theirs
    rival=$paired
else
    start_tgt
    rival="tgt $(tgtd --version), $($tuned && echo tuned || echo as installed)"
fi
rival_url=$url rival_4k_url=$url_4k

describe_machine
say "rival:   $rival, size ${size_mib} MiB, $rounds rounds"

say "filling both with random bytes"
head -c "${size_mib}M" /dev/urandom >"$work/random"
for url in "$ashlar_url" "$rival_url" "$ashlar_4k_url" "$rival_4k_url"; do
    timeout 300 qemu-img convert -n -f raw -O raw -S 0 "$work/random" "$url" || give_up "cannot fill $url"
done
rm "$work/random"
sync -f "$work"

requests() { # requests URL COUNT DEPTH BYTES [OPTION...]: requests per second of a sequential run
    local url=$1 count=$2 depth=$3 bytes=$4
    shift 4
    timeout 120 qemu-img bench -f raw -t none -c "$count" -d "$depth" -s "$bytes" "$@" "$url" |
        awk -v count="$count" '/Run completed in/ { printf "%.1f\n", count / $4; found = 1 } END { exit !found }' ||
        give_up "qemu-img bench failed at $url"
}
random_reads() { # random_reads URL DEPTH: the mean that iscsi-perf ends with
    timeout 60 iscsi-perf -m "$2" -b 1 -r -t "$(awk -v s="$scale" 'BEGIN { print (s < 1) ? 2 : 5 }')" "$1" 2>&1 | tr '\r' '\n' |
        awk '/iops average/ { for (i = 1; i < NF; i++) if ($i == "average") value = $(i + 1) } END { print value + 0; exit !value }' ||
        give_up "iscsi-perf failed at $1"
}

compare() { # compare NAME FACTOR COMMAND COUNT-OR-DEPTH...: the URL goes in as the first argument of COMMAND
    local name=$1 factor=$2 command=$3 round side value ours=$ashlar_url theirs=$rival_url
    local -A values=([ours]='' [theirs]='')
    wanted "$name" || return 0
    [ "$command" != random_reads ] || ours=$ashlar_4k_url theirs=$rival_4k_url
    shift 3
    for ((round = 0; round < rounds; round++)); do
        for side in $(sides_of_round "$round"); do
            sync -f "$work"
            value=$("$command" "${!side}" "$@") || exit 1
            values[$side]+=" $(awk -v v="$value" -v f="$factor" 'BEGIN { print v * f }')"
        done
    done
    # shellcheck disable=SC2086 # Values are words.
    say "$name: ashlar $(spread ${values[ours]}), rival $(spread ${values[theirs]})"
    # shellcheck disable=SC2086
    print_row "$name" "$(median ${values[ours]})" "$(median ${values[theirs]})"
}
scaled() { awk -v n="$1" -v s="$scale" 'BEGIN { printf "%d", n * s }'; }

compare "4 KiB random read, depth 1, IOPS" 1 random_reads 1
compare "4 KiB random read, depth 32, IOPS" 1 random_reads 32
compare "4 KiB sequential read, depth 1, IOPS" 1 requests "$(scaled 40000)" 1 4096
compare "4 KiB sequential read, depth 32, IOPS" 1 requests "$(scaled 160000)" 32 4096
compare "4 KiB sequential write, depth 1, IOPS" 1 requests "$(scaled 40000)" 1 4096 -w --pattern=165
compare "4 KiB sequential write, depth 32, IOPS" 1 requests "$(scaled 160000)" 32 4096 -w --pattern=165
compare "1 MiB sequential read, depth 8, MiB/s" 1 requests "$(scaled 4000)" 8 1048576
compare "1 MiB sequential write, depth 8, MiB/s" 1 requests "$(scaled 4000)" 8 1048576 -w --pattern=165
