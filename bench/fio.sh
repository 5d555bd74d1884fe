# Runs fio's nbd engine against one server or two by turns. Sourced after lib.sh, when $work exists.

# The two sides of a comparison: how they are called, where they are, whose CPU time counts, options of fio for one of them, and what is
# done before each of its runs.
declare -A side_name side_uri side_pid side_options=([ours]='' [theirs]='') side_before=()
rounds=3 seconds=5 ramp=1
qemu_nbd_options=() qemu_nbd_cache=writeback
fio_pin=() # What fio is started by.
fio_home= # Where libnbd looks for certificates, below .pki/libnbd: fio does not let an address name them.

need_fio() {
    need fio
    fio --enghelp 2>/dev/null | grep -qw nbd || give_up "cannot run: this fio has no nbd engine"
}

start_qemu_nbd() { # start_qemu_nbd IMAGE SIZE_MIB: as a rival that acknowledges from its cache; sets rival_pid, rival_port and rival_uri
    truncate -s "${2}M" "$1"
    local port
    port=$(free_port)
    qemu-nbd -t -f raw -e 0 --cache="$qemu_nbd_cache" --discard=unmap -b 127.0.0.1 -p "$port" "${qemu_nbd_options[@]}" "$1" >"$1.log" 2>&1 &
    rival_pid=$! rival_port=$port rival_uri=nbd://127.0.0.1:$port/
    ends_with_script "$rival_pid"
    wait_for_port "$port" "$rival_pid" "$1.log"
}

start_nbdkit() { # start_nbdkit PLUGIN IMAGE SIZE_MIB: as start_qemu_nbd; the plugin memory has no image
    local port
    local -a what=("size=${3}M")
    port=$(free_port)
    if [ "$1" = file ]; then
        truncate -s "${3}M" "$2"
        what=("$2")
    fi
    nbdkit -f -i 127.0.0.1 -p "$port" "$1" "${what[@]}" >"$2.log" 2>&1 &
    rival_pid=$! rival_port=$port
    ends_with_script "$rival_pid"
    wait_for_port "$port" "$rival_pid" "$2.log"
}

# Every write carries random bytes of its own.
fio_options=(--name=work --ioengine=nbd --refill_buffers --randrepeat=0 --norandommap --thread --group_reporting)

cpu_of() { awk -v t="$1" -v n="$2" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f", (n > 0) ? t / hz * 1e6 / n : 0 }'; }

fio_nbd() { # fio_nbd URI MODE BLOCK DEPTH [OPTION...]
    HOME=${fio_home:-$HOME} "${fio_pin[@]}" timeout -k 5 300 fio "${fio_options[@]}" --uri="$1" --rw="$2" --bs="$3" --iodepth="$4" "${@:5}" 2>>"$work/fio.err" ||
        { cat "$work/fio.err" >&2; give_up "fio failed: $2 $3 depth $4 at $1"; }
}

# fio's terse format, version 3: bandwidth in KiB/s is field 7 (read) or 48 (write), IOPS the next one.
run_fio() { # run_fio URI MODE BLOCK DEPTH [OPTION...]: prints "IOPS KiB/s"
    local field=7
    [[ $2 == *write* ]] && field=48
    fio_nbd "$@" --output-format=terse --terse-version=3 |
        awk -F';' -v field="$field" '/^3;/ && $5 == 0 { print $(field + 1), $field; found = 1 } END { exit !found }' ||
        give_up "fio failed: $2 $3 depth $4 at $1"
}

timed_run() { # timed_run URI MODE BLOCK DEPTH [OPTION...]: on a file system with nothing left to write back
    sync -f "$work"
    run_fio "$@" --time_based --runtime="$seconds" --ramp_time="$ramp"
}

# compare NAME COLUMN(1 IOPS, 2 bandwidth) MODE BLOCK DEPTH [OPTION...]; leaves the medians in ours and theirs, and microseconds of the
# servers' processors for each request in cpu_ours and cpu_theirs.
compare() {
    local name=$1 column=$2 round side before result key
    local -A values=([ours]='' [theirs]='') ticks=([ours]=0 [theirs]=0) requests=([ours]=0 [theirs]=0)
    cpu_ours='' cpu_theirs=''
    wanted "$name" || return 0
    shift 2
    for ((round = 0; round < rounds; round++)); do
        for side in $(sides_of_round "$round"); do
            [ -z "${side_before[$side]:-}" ] || "${side_before[$side]}"
            before=$(cpu_ticks "${side_pid[$side]}")
            # shellcheck disable=SC2086 # Options are words.
            result=$(timed_run "${side_uri[$side]}" "$@" ${side_options[$side]}) || exit 1
            ticks[$side]=$((ticks[$side] + $(cpu_ticks "${side_pid[$side]}") - before))
            requests[$side]=$(awk -v n="${requests[$side]}" -v t="$seconds" -v u="$ramp" '{ print n + $1 * (t + u) }' <<<"$result")
            values[$side]+=" $(awk -v c="$column" '{ print (c == 1) ? $1 : $2 / 1024 }' <<<"$result")"
        done
    done
    for key in ours theirs; do
        # shellcheck disable=SC2086 # Values are words.
        say "$name: ${side_name[$key]} $(spread ${values[$key]}) (server ${ticks[$key]} ticks)"
    done
    # shellcheck disable=SC2086
    ours=$(median ${values[ours]}) theirs=$(median ${values[theirs]})
    print_row "$name" "$ours" "$theirs"
    cpu_ours=$(cpu_of "${ticks[ours]}" "${requests[ours]}") cpu_theirs=$(cpu_of "${ticks[theirs]}" "${requests[theirs]}")
}
