#!/usr/bin/env bash
# NBD: Ashlar against qemu-nbd, both acknowledging from their cache (writeback), on the same file system.
# usage: bench/nbd-vs-qemu.sh [--quick] [--fsync]
# stdout: one line per work, tab-separated: name, Ashlar, qemu-nbd, ratio (above 1 is faster than qemu-nbd).
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=3 seconds=5 ramp=1 size_mib=1024 fsync=true
for argument in "$@"; do
    case $argument in
        --quick) rounds=2 seconds=1 ramp=0.3 size_mib=512 fsync=false ;;
        --fsync) fsync=true ;;
        *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
    esac
done

install_tools
need fio qemu-nbd dotnet
fio --enghelp 2>/dev/null | grep -qw nbd || give_up "cannot run: this fio has no nbd engine"
make_work_directory
. "$repository/bench/ashlar.sh"

start_ashlar "$work/ashlar"
create_volume bench "${size_mib}MiB"
ashlar_uri=nbd://127.0.0.1:$ashlar_nbd_port/bench

truncate -s "${size_mib}M" "$work/rival.img"
rival_port=$(free_port)
qemu-nbd -t -f raw -e 0 --cache=writeback --discard=unmap -b 127.0.0.1 -p "$rival_port" "$work/rival.img" >"$work/qemu-nbd.log" 2>&1 &
rival_pid=$!
ends_with_script "$rival_pid"
wait_for_port "$rival_port" "$rival_pid" "$work/qemu-nbd.log"
rival_uri=nbd://127.0.0.1:$rival_port/

describe_machine
say "rival:   $(qemu-nbd --version | head -1), fio: $(fio --version), size ${size_mib} MiB, $rounds rounds of $seconds s"

# fio's terse format, version 3: bandwidth in KiB/s is field 7 (read) or 48 (write), IOPS the next one.
run_fio() { # run_fio URI MODE BLOCK DEPTH [OPTION...]: prints "IOPS KiB/s"
    local uri=$1 mode=$2 block=$3 depth=$4 field=7
    shift 4
    [[ $mode == *write ]] && field=48
    timeout 120 fio --name=work --ioengine=nbd --uri="$uri" --rw="$mode" --bs="$block" --iodepth="$depth" \
        --size="${size_mib}m" --refill_buffers --randrepeat=0 --norandommap --thread \
        --output-format=terse --terse-version=3 "$@" 2>>"$work/fio.err" |
        awk -F';' -v field="$field" '/^3;/ && $5 == 0 { print $(field + 1), $field; found = 1 } END { exit !found }' ||
        { cat "$work/fio.err" >&2; give_up "fio failed: $mode $block depth $depth at $uri"; }
}

say "filling both with random bytes"
for uri in "$ashlar_uri" "$rival_uri"; do run_fio "$uri" write 1m 8 --end_fsync=1 >/dev/null; done
# Nobody pays for the other's write-back, and both have met the small requests before the clock runs.
sync -f "$work"
for uri in "$ashlar_uri" "$rival_uri"; do run_fio "$uri" randrw 4k 32 --time_based --runtime=3 >/dev/null; done

timed_run() { # timed_run URI MODE BLOCK DEPTH [OPTION...]: on a file system with nothing left to write back
    sync -f "$work"
    run_fio "$@" --time_based --runtime="$seconds" --ramp_time="$ramp"
}

compare() { # compare NAME COLUMN(1 IOPS, 2 bandwidth) MODE BLOCK DEPTH [OPTION...]
    local name=$1 column=$2 round before after result ashlar=() rival=() ashlar_cpu=0 rival_cpu=0
    shift 2
    for ((round = 0; round < rounds; round++)); do
        before=$(cpu_ticks "$ashlar_pid")
        result=$(timed_run "$ashlar_uri" "$@") || exit 1
        after=$(cpu_ticks "$ashlar_pid")
        ashlar_cpu=$((ashlar_cpu + after - before))
        ashlar+=("$(awk -v c="$column" '{ print (c == 1) ? $1 : $2 / 1024 }' <<<"$result")")
        before=$(cpu_ticks "$rival_pid")
        result=$(timed_run "$rival_uri" "$@") || exit 1
        after=$(cpu_ticks "$rival_pid")
        rival_cpu=$((rival_cpu + after - before))
        rival+=("$(awk -v c="$column" '{ print (c == 1) ? $1 : $2 / 1024 }' <<<"$result")")
    done
    say "$name: ashlar $(spread "${ashlar[@]}") (server $ashlar_cpu ticks), qemu-nbd $(spread "${rival[@]}") (server $rival_cpu ticks)"
    awk -v name="$name" -v a="$(median "${ashlar[@]}")" -v r="$(median "${rival[@]}")" \
        'BEGIN { printf "%s\t%.0f\t%.0f\t%.2f\n", name, a, r, (r > 0) ? a / r : 0 }'
}

compare "4 KiB random read, depth 1, IOPS" 1 randread 4k 1
compare "4 KiB random read, depth 32, IOPS" 1 randread 4k 32
compare "4 KiB random write, depth 1, IOPS" 1 randwrite 4k 1
compare "4 KiB random write, depth 32, IOPS" 1 randwrite 4k 32
compare "1 MiB sequential read, depth 8, MiB/s" 2 read 1m 8
compare "1 MiB sequential write, depth 8, MiB/s" 2 write 1m 8
if $fsync; then
    compare "4 KiB random write, flush after each, depth 1, IOPS" 1 randwrite 4k 1 --fsync=1
    compare "4 KiB random write, flush after 32, depth 32, IOPS" 1 randwrite 4k 32 --fsync=32
fi
