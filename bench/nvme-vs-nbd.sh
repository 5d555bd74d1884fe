#!/usr/bin/env bash
# NVMe/TCP of Ashlar beside its NBD, by one load generator that differs in nothing but the protocol, on one volume of one server; and both
# beside a bare loop that serves the same protocol from a file without checksums; and NBD beside qemu-nbd and nbdkit.
# usage: bench/nvme-vs-nbd.sh [--quick] [--rows PATTERN] [--rounds N] [--no-pin]
#   --rows    only rows whose name the regular expression matches
#   --no-pin  servers and clients share all processors; else servers have the first, and the generator the others
# stdout: one line per work, tab-separated: name, the first named, what it is compared with, ratio (above 1 is better for the first).
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$repository/bench/fio.sh"

size_mib=1024 rounds=5 seconds=3 ramp=1 rows= pins=true
while [ $# -gt 0 ]; do
    case $1 in
        --quick) rounds=2 seconds=1 ramp=0.3 size_mib=256 ;;
        --rows) rows=$2; shift ;;
        --rounds) rounds=$2; shift ;;
        --no-pin) pins=false ;;
        *) sed -n '2,7s/^# //p' "$0" >&2; exit 2 ;;
    esac
    shift
done

need dotnet
make_work_directory
. "$repository/bench/ashlar.sh"
export DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
if [ -z "${BENCH_BUILT:-}" ]; then
    (cd "$repository" && dotnet build bench/Ashlar.Nvme.Bench -c Release --nologo -v q) >&2 ||
        give_up "cannot build bench/Ashlar.Nvme.Bench"
fi
generator=$repository/artifacts/bin/Ashlar.Nvme.Bench/release/nvme-bench
if $pins && { ! command -v taskset >/dev/null || [ "$(nproc)" -lt 2 ]; }; then pins=false; fi
client_pin=()
if $pins; then client_pin=(taskset -c "1-$(($(nproc) - 1))"); fi

# Sides: where each is, which process serves it, and options of the generator that belong to it.
declare -A side_protocol side_port side_name side_pid side_options

side() { # side SIDE PROTOCOL PORT NAME PID [OPTION...]
    side_protocol[$1]=$2 side_port[$1]=$3 side_name[$1]=$4 side_pid[$1]=$5 side_options[$1]=${*:6}
}

start_bare() { # start_bare SIDE PROTOCOL
    local port
    port=$(free_port)
    "$generator" bare "$2" "$port" "$work/bare.img" >"$work/$1.log" 2>&1 &
    ends_with_script "$!"
    side "$1" "$2" "$port" "$work/bare.img" "$!"
    wait_for_port "$port" "${side_pid[$1]}" "$work/$1.log"
}

load() { # load SIDE WORK [OPTION...]: what the generator prints
    # shellcheck disable=SC2086 # Options are words.
    "${client_pin[@]}" timeout -k 5 120 "$generator" load "${side_protocol[$1]}" "${side_port[$1]}" "${side_name[$1]}" "$2" \
        --size-mib "$size_mib" --seconds "$seconds" --ramp "$ramp" "${@:3}" ${side_options[$1]} || give_up "the generator failed: $*"
}

# contest NAME COLUMN DIGITS OURS THEIRS WORK [OPTION...]: alternating, the medians of a column (1 requests/s, 2 MiB/s, 3 p50 us; us are
# better where they are less); leaves microseconds of the server's processors for each request in cpu_ours and cpu_theirs.
contest() {
    local name=$1 column=$2 digits=$3 ours=$4 theirs=$5 round each before result
    wanted "$name" || return 1
    shift 5
    local -A values=() ticks=() requests=()
    for ((round = 0; round < rounds; round++)); do
        for each in $(if ((round % 2)); then echo theirs ours; else echo ours theirs; fi); do
            sync -f "$work"
            before=$(cpu_ticks "${side_pid[${!each}]}")
            result=$(load "${!each}" "$@") || exit 1
            ticks[$each]=$((${ticks[$each]:-0} + $(cpu_ticks "${side_pid[${!each}]}") - before))
            values[$each]+=" $(cut -f"$column" <<<"$result")"
            requests[$each]=$(awk -v s="${requests[$each]:-0}" -v r="$(cut -f1 <<<"$result")" -v t="$seconds" -v u="$ramp" \
                'BEGIN { print s + r * (t + u) }')
        done
    done
    cpu_ours=$(cpu_of "${ticks[ours]}" "${requests[ours]}") cpu_theirs=$(cpu_of "${ticks[theirs]}" "${requests[theirs]}")
    # shellcheck disable=SC2086 # Values are words.
    say "$name: $ours $(spread ${values[ours]}) ($cpu_ours us of the server each), $theirs $(spread ${values[theirs]}) ($cpu_theirs us)"
    local print=print_row
    [ "$column" = 3 ] && print=print_less
    # shellcheck disable=SC2086
    "$print" "$name" "$(median ${values[ours]})" "$(median ${values[theirs]})" "$digits"
}

cpu_of() { awk -v t="$1" -v n="$2" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f", (n > 0) ? t / hz * 1e6 / n : 0 }'; }

resident_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }

ashlar_nvme_port=$(free_port)
start_ashlar "$work/ours"
wait_for_port "$ashlar_nvme_port" "$ashlar_pid" "$work/ours.log"
create_volume bench "${size_mib}MiB"
subsystem=nqn.2026-11.io.ashlar:main.bench
side nvme nvme "$ashlar_nvme_port" "$subsystem" "$ashlar_pid"
side nvme-digests nvme "$ashlar_nvme_port" "$subsystem" "$ashlar_pid" --digests 3
side nvme-no-sqflow nvme "$ashlar_nvme_port" "$subsystem" "$ashlar_pid" --flow-control 0
side nvme-64 nvme "$ashlar_nvme_port" "$subsystem" "$ashlar_pid" --connections 64
side nvme-4 nvme "$ashlar_nvme_port" "$subsystem" "$ashlar_pid" --connections 4
side nbd nbd "$ashlar_nbd_port" bench "$ashlar_pid"
side nbd-64 nbd "$ashlar_nbd_port" bench "$ashlar_pid" --connections 64
truncate -s "${size_mib}M" "$work/bare.img"
start_bare bare-nvme nvme
start_bare bare-nbd nbd
if $pins; then
    for each in nvme bare-nvme bare-nbd; do taskset -acp 0 "${side_pid[$each]}" >/dev/null; done
fi

describe_machine
if $pins; then where="servers on processor 0, clients on the others"; else where="not pinned"; fi
say "size $size_mib MiB, $rounds rounds of $seconds s, $where"
say "checking that each side reads what it has written"
for each in nvme nvme-digests nbd bare-nvme bare-nbd; do
    load "$each" check --depth 32 --seconds 1 --ramp 0 >&2
    load "$each" check --block 1048576 --depth 8 --structured 1 --seconds 1 --ramp 0 >&2
done
say "filling with random bytes"
for each in nvme bare-nvme; do load "$each" fill --block 1048576 --depth 8; done
for each in nvme nbd bare-nvme bare-nbd; do load "$each" randread --depth 32 >/dev/null; load "$each" randwrite --depth 32 >/dev/null; done
sync -f "$work"

six_rows() { # six_rows OURS THEIRS WHAT
    local mode depth
    for mode in read write; do
        for depth in 1 32; do
            contest "$3, 4 KiB random $mode, depth $depth, IOPS" 1 0 "$1" "$2" "rand$mode" --depth "$depth"
        done
    done
    for mode in read write; do
        contest "$3, 1 MiB sequential $mode, depth 8, MiB/s" 2 0 "$1" "$2" "$mode" --block 1048576 --depth 8 --structured 1
    done
}

six_rows nvme nbd "NVMe against NBD"
six_rows nvme bare-nvme "NVMe against a bare loop"
six_rows nbd bare-nbd "NBD against a bare loop"
six_rows bare-nvme bare-nbd "bare loops, NVMe against NBD"

if contest "server's processor time, 4 KiB random read, depth 32, NVMe against NBD, IOPS" 1 0 nvme nbd randread --depth 32; then
    print_less "us of the server for each 4 KiB read, depth 32, NVMe against NBD, less is better" "$cpu_ours" "$cpu_theirs" 2
fi

contest "NVMe with digests against without, 4 KiB random read, depth 32, IOPS" 1 0 nvme-digests nvme randread --depth 32
contest "NVMe with digests against without, 4 KiB random write, depth 32, IOPS" 1 0 nvme-digests nvme randwrite --depth 32
contest "NVMe with digests against without, 1 MiB sequential read, depth 8, MiB/s" 2 0 nvme-digests nvme read --block 1048576 --depth 8
contest "NVMe with digests against without, 1 MiB sequential write, depth 8, MiB/s" 2 0 nvme-digests nvme write --block 1048576 --depth 8

contest "NVMe without flow control of queues against with, 4 KiB random read, depth 32, IOPS" 1 0 nvme-no-sqflow nvme randread --depth 32

contest "flush after each 4 KiB, depth 1, NVMe against NBD, us, less is better" 3 0 nvme nbd randwrite --flush 1
contest "flush after each 4 KiB, depth 1, NVMe against a bare loop, us, less is better" 3 0 nvme bare-nvme randwrite --flush 1
flush_32="flush after each 4 KiB, 32 connections"
contest "$flush_32, NVMe against NBD, flushes/s" 1 0 nvme nbd randwrite --flush 1 --connections 32
contest "$flush_32, NVMe against a bare loop, flushes/s" 1 0 nvme bare-nvme randwrite --flush 1 --connections 32

for mode in read write; do
    contest "4 KiB random $mode, NVMe, 64 connections of depth 32 against 4, IOPS" 1 0 nvme-64 nvme-4 "rand$mode" --depth 32
    contest "4 KiB random $mode, 64 connections of depth 32, NVMe against NBD, IOPS" 1 0 nvme-64 nbd-64 "rand$mode" --depth 32
done

# rival SIDE COMMAND...: six rows of NBD against a server of others, which COMMAND starts, and what both take of the processors
rival() {
    local name="NBD against $1"
    wanted "$name, 4 KiB random read, depth 1, IOPS" || wanted "$name, 1 MiB sequential write, depth 8, MiB/s" ||
        wanted "$name, 4 KiB random read, depth 32, IOPS" || return 0
    "${@:2}"
    side "$1" nbd "$rival_port" "" "$rival_pid"
    if $pins; then taskset -acp 0 "$rival_pid" >/dev/null; fi
    load "$1" fill --block 1048576 --depth 8
    load "$1" randwrite --depth 32 >/dev/null
    six_rows nbd "$1" "$name"
    contest "server's processor time, $name, 4 KiB random read, depth 32, IOPS" 1 0 nbd "$1" randread --depth 32 &&
        print_less "us of the server for each 4 KiB read, depth 32, $name, less is better" "$cpu_ours" "$cpu_theirs" 2
    contest "$name, flush after each 4 KiB, depth 1, flushes/s" 1 0 nbd "$1" randwrite --flush 1
    contest "$name, $flush_32, flushes/s" 1 0 nbd "$1" randwrite --flush 1 --connections 32
    kill "$rival_pid" 2>/dev/null
}
if command -v qemu-nbd >/dev/null; then
    rival qemu-nbd start_qemu_nbd "$work/qemu.img" "$size_mib"
    qemu_nbd_cache=none
    rival "qemu-nbd, cache none" start_qemu_nbd "$work/qemu2.img" "$size_mib"
fi
if command -v nbdkit >/dev/null; then
    rival "nbdkit file" start_nbdkit file "$work/nbdkit.img" "$size_mib"
    rival "nbdkit memory" start_nbdkit memory "$work/nbdkit-memory" "$size_mib"
fi

memory_of() { # memory_of SIDE: KiB that the server has more, at most, for each of 64 connections with 32 reads under way
    local rest most now
    rest=$(resident_kib "${side_pid[$1]}") most=$rest
    load "$1" randread --depth 32 >/dev/null &
    local running=$!
    while kill -0 "$running" 2>/dev/null; do
        now=$(resident_kib "${side_pid[$1]}")
        ((now <= most)) || most=$now
        sleep 0.05
    done
    wait "$running"
    echo $(((most - rest) / 64))
}

# A server of its own: memory that other work has left would hide what connections take.
name="KiB of memory for each of 64 connections of depth 32, NVMe against NBD, less is better"
if wanted "$name"; then
    end_servers
    for each in nvme-64 nbd-64; do
        ashlar_nvme_port=$(free_port)
        run_ashlar
        wait_for_port "$ashlar_nbd_port" "$ashlar_pid" "$work/ours.log"
        wait_for_port "$ashlar_nvme_port" "$ashlar_pid" "$work/ours.log"
        side nvme-64 nvme "$ashlar_nvme_port" "$subsystem" "$ashlar_pid" --connections 64
        side nbd-64 nbd "$ashlar_nbd_port" bench "$ashlar_pid" --connections 64
        side warm "${side_protocol[$each]}" "${side_port[$each]}" "${side_name[$each]}" "$ashlar_pid"
        load warm randread --depth 32 >/dev/null
        printf -v "kib_${each%-64}" %s "$(memory_of "$each")"
        end_servers
    done
    # shellcheck disable=SC2154 # Set by printf.
    print_less "$name" "$kib_nvme" "$kib_nbd" 0
fi
