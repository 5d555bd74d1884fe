# The rows of kv-vs-rocksdb.sh. Sourced after kv-contenders.sh.

print_header() {
    say "$(printf '%s\t' name Ashlar rival ratio variant 'p50 A' 'p50 R' 'p99 A' 'p99 R' 'p99.9 A' 'p99.9 R' \
        'CPU A' 'CPU R' 'written A' 'written R' 'RSS A' 'RSS R')"
}

# Outputs lie in $work/out/ROW/CONTENDER.ROUND.
median_of() { # median_of ROW CONTENDER BENCHMARK FIELD
    local file values=()
    for file in "$work/out/$1/$2".[0-9]*; do values+=("$(value_of "$file" "$3" "$4")"); done
    median "${values[@]}"
}

rival_benchmark() { [ "$1" = fillasync ] && [ -z "$paired" ] && echo fillrandom || echo "$1"; }

# report NAME ROW BENCHMARK RIVAL...: the line of a row; the best rival counts.
report() {
    local name=$1 row=$2 benchmark=$3 rival best= best_rate=-1 rate field pair=()
    local rival_name
    rival_name=$(rival_benchmark "$benchmark")
    shift 3
    local ashlar_rate
    ashlar_rate=$(median_of "$row" ashlar "$benchmark" opsPerSecond)
    for rival in "$@"; do
        rate=$(median_of "$row" "$rival" "$rival_name" opsPerSecond)
        say "  $name: $rival $rate"
        awk -v a="$rate" -v b="$best_rate" 'BEGIN { exit !(a > b) }' && best=$rival best_rate=$rate
    done
    for field in p50 p99 p999 cpuMicrosPerOp writtenPerPut peakResidentBytes; do
        pair+=("$(median_of "$row" ashlar "$benchmark" $field)" "$(median_of "$row" "$best" "$rival_name" $field)")
    done
    printf '%s\n' "$name" "$ashlar_rate" "$best_rate" "$best" "${pair[@]}" | awk '
        { value[NR] = $0 }
        END {
            printf "%s\t%.0f\t%.0f\t%.2f\t%s", value[1], value[2], value[3], (value[3] > 0) ? value[2] / value[3] : 0, value[4]
            for (i = 5; i <= 14; i++) printf "\t%.2f", value[i]
            printf "\t%.0f\t%.0f\n", value[15] / 1048576, value[16] / 1048576
        }'
}

# figure NAME ASHLAR RIVAL VARIANT: a row where less is better.
figure() { awk -v n="$1" -v a="$2" -v r="$3" -v v="$4" 'BEGIN { printf "%s\t%.2f\t%.2f\t%.2f\t%s\n", n, a, r, (a > 0) ? r / a : 0, v }'; }

# alternate ROW BENCHMARKS "RIVAL..." [SETTING...]: every round runs Ashlar, then each rival.
alternate() {
    local row=$1 benchmarks=$2 rivals=$3 round contender
    for ((round = 1; round <= rounds; round++)); do
        for contender in ashlar $rivals; do
            sync -f "$work"
            drive "$contender" "$work/out/$row/$contender.$round" "$benchmarks" "${@:4}" || exit 1
        done
    done
}

# What the device got, whoever wrote it: others on the same disk must be quiet, or BENCH_DIR on a disk of its own.
device_written() {
    sync -f "$work"
    awk -v device="$(stat -c %Hd:%Ld "$work")" '$1 ":" $2 == device { printf "%.0f", $10 * 512 }' /proc/diskstats
}

# written_to_device: bytes that the device gets for each byte put by one thread, each put durable; less is better.
written_to_device() {
    local operations=20000 value=1000 contender before after
    $quick && operations=5000
    for contender in "$@"; do
        before=$(device_written)
        drive "$contender" "$work/out/device/$contender.1" fillrandom sync=true operations=$operations value=$value warm_up=0 || exit 1
        after=$(device_written)
        awk -v bytes="$((after - before))" -v put="$((operations * (16 + value)))" 'BEGIN { print bytes / put }' >"$work/out/device.$contender"
    done
    for contender in "${@:2}"; do
        figure "durable random put, 1 thread: bytes that the device gets per byte put (less is better)" \
            "$(cat "$work/out/device.ashlar")" "$(cat "$work/out/device.$contender")" "$contender"
    done
}

remove_data() { local contender; for contender in "$@"; do rm -rf "${work:?}/$contender"; done; }

rows_durable() {
    local seconds=5 warm_up=3 rivals=$(rivals levelled pipelined)
    $quick && seconds=2 warm_up=1 rivals=$(rivals pipelined)
    alternate durable-1 fillrandom "$rivals" sync=true duration=$seconds warm_up=$warm_up
    report "durable random put, 1 thread, ops/s" durable-1 fillrandom $rivals
    remove_data ashlar $rivals
    written_to_device ashlar $rivals
    alternate durable-16 fillrandom "$rivals" sync=true threads=16 duration=$seconds warm_up=$warm_up
    report "durable random put, 16 threads, ops/s" durable-16 fillrandom $rivals
    alternate durable-64 fillasync "$rivals" sync=true outstanding=64 duration=$seconds warm_up=$warm_up
    report "durable random put, 64 outstanding (rival: 64 threads), ops/s" durable-64 fillasync $rivals
    remove_data ashlar $rivals
}

rows_fill() {
    local num=2000000 rivals=$(rivals levelled blob blob-pipelined)
    $quick && num=200000 rivals=$(rivals blob-pipelined)
    if ! $quick; then
        alternate fill-seq fillseq,waitforcompaction "$rivals" num=$num
        report "sequential fill, unflushed, to the end of background work, ops/s" fill-seq fillseq+waitforcompaction $rivals
        alternate fill-random filluniquerandom,waitforcompaction "$rivals" num=$num
        report "random fill, unflushed, to the end of background work, ops/s" fill-random filluniquerandom+waitforcompaction $rivals
    else
        alternate fill-random filluniquerandom "$rivals" num=$num warm_up=1.5
        report "random fill of 200 MB, unflushed, ops/s" fill-random filluniquerandom $rivals
    fi
    remove_data ashlar $rivals
}

# Everything in the cache: filled and merged once for each, read through before every round, twice as the clock may end the first.
rows_cached() {
    local num=1000000 seconds=4 warm_up=4 rivals=$(rivals levelled blob) contender
    $quick && num=200000 seconds=1 warm_up=2 rivals=$(rivals levelled)
    for contender in ashlar $rivals; do
        drive "$contender" "$work/out/prepare" filluniquerandom,compact num=$num cache=2G warm_up=0 || exit 1
    done
    local common="num=$num cache=2G existing=true duration=$seconds warm_up=$warm_up"
    alternate cached-1 readseq,readseq,readrandom "$rivals" $common
    report "random get, cached, 1 thread, ops/s" cached-1 readrandom $rivals
    if ! $quick; then
        alternate cached-2 readseq,readseq,readrandom,readmissing "$rivals" $common threads=2
        report "random get, cached, 2 threads, ops/s" cached-2 readrandom $rivals
        report "get of absent keys, cached, 2 threads, ops/s" cached-2 readmissing $rivals
    fi
    alternate seek readseq,readseq,seekrandom "$rivals" $common
    report "seek, cached, 1 thread, ops/s" seek seekrandom $rivals
    if ! $quick; then
        alternate seek-100 readseq,readseq,seekrandom "$rivals" $common nexts=100
        report "seek and 100 next, cached, 1 thread, ops/s" seek-100 seekrandom $rivals
        alternate seek-back readseq,readseq,seekrandom "$rivals" $common nexts=10 reverse=true
        report "seek and 10 back, cached, 1 thread, ops/s" seek-back seekrandom $rivals
    fi
    remove_data ashlar $rivals
}

# Values of 100 bytes: RocksDB keeps them in its tables in either variant.
rows_small() {
    local rivals=$(rivals levelled pipelined)
    alternate small-1 fillrandom "$rivals" value=100 sync=true duration=4
    report "100 B values: durable random put, 1 thread, ops/s" small-1 fillrandom $rivals
    alternate small-16 fillrandom "$rivals" value=100 sync=true threads=16 duration=4
    report "100 B values: durable random put, 16 threads, ops/s" small-16 fillrandom $rivals
    alternate small-fill filluniquerandom,waitforcompaction "$rivals" value=100 num=3000000
    report "100 B values: random fill, unflushed, to the end of background work, ops/s" small-fill filluniquerandom+waitforcompaction $rivals
    alternate small-get readseq,readrandom "$rivals" value=100 num=3000000 cache=2G existing=true duration=4
    report "100 B values: random get, cached, 1 thread, ops/s" small-get readrandom $rivals
    remove_data ashlar $rivals
}

# One contender after the other, each with all its work, so that the disk holds one copy of the data at a time.
rows_steady() {
    local rounds=1 num=$((data_bytes / 1000)) rivals=$(rivals levelled blob) contender
    for contender in ashlar $rivals; do
        steady_work "$contender" || exit 1
        remove_data "$contender"
    done
    report "$data: random load, unflushed, to the end of background work, ops/s" load filluniquerandom+waitforcompaction $rivals
    report "$data: overwrite, unflushed, to the end of background work, ops/s" overwrite overwrite+waitforcompaction $rivals
    for contender in $rivals; do
        figure "$data: bytes written per byte put, overwrite (less is better)" \
            "$(median_of overwrite ashlar overwrite+waitforcompaction writtenPerPut)" \
            "$(median_of overwrite "$contender" overwrite+waitforcompaction writtenPerPut)" "$contender"
        figure "$data: space on disk per byte of live data, after overwrite (less is better)" \
            "$(cat "$work/out/space.ashlar")" "$(cat "$work/out/space.$contender")" "$contender"
    done
    report "$data: random get, cold, 1 thread, ops/s" cold-1 readrandom $rivals
    report "$data: random get, cold, 16 threads, ops/s" cold-16 readrandom $rivals
    report "$data: get, 2 threads, beside durable puts of 10 MB/s, ops/s" mixed-paced readwhilewriting $rivals
    report "$data: get, 2 threads, beside unflushed puts without limit, ops/s" mixed readwhilewriting $rivals
    report "$data: seek, cold, 1 thread, ops/s" cold-seek seekrandom $rivals
    report "$data: seek and 100 next, cold, 1 thread, ops/s" cold-seek-100 seekrandom $rivals
}

steady_work() { # steady_work CONTENDER
    local contender=$1 out=$work/out common="num=$num existing=true warm_up=2" seconds=$((data_bytes < 5000000000 ? 3 : 12))
    drive "$contender" "$out/load/$contender.1" filluniquerandom,waitforcompaction num="$num" || return 1
    # The first pass leaves what a store that has run for long looks like; the second is measured.
    drive "$contender" "$out/age/$contender.1" overwrite,waitforcompaction $common operations="$num" warm_up=0 || return 1
    drive "$contender" "$out/overwrite/$contender.1" overwrite,waitforcompaction $common operations=$((num / 2)) || return 1
    awk -v space="$(space_of "$work/$contender")" -v live=$((num * 1016)) 'BEGIN { print space / live }' >"$out/space.$contender"
    [ "$memory" = all ] || limit_memory "$(numfmt --from=iec "$memory")"
    drop_caches
    drive "$contender" "$out/cold-1/$contender.1" readrandom $common duration=$seconds || return 1
    drop_caches
    drive "$contender" "$out/cold-16/$contender.1" readrandom $common threads=16 duration=$seconds || return 1
    drop_caches
    drive "$contender" "$out/cold-seek/$contender.1" seekrandom $common duration=$seconds || return 1
    drop_caches
    drive "$contender" "$out/cold-seek-100/$contender.1" seekrandom $common nexts=100 duration=$seconds || return 1
    drive "$contender" "$out/mixed-paced/$contender.1" readwhilewriting $common threads=2 sync=true rate=10485760 duration=$seconds || return 1
    drive "$contender" "$out/mixed/$contender.1" readwhilewriting $common threads=2 duration=$seconds || return 1
    remove_memory_limit
}

# 512 MB that are in the log alone, then SIGKILL; opening must read them all.
rows_crash() {
    local rival=$(rivals levelled) ashlar_seconds=() rival_seconds=() round
    for ((round = 1; round <= rounds; round++)); do
        open_after_crash ashlar
        ashlar_seconds+=("$seconds")
        open_after_crash "$rival"
        rival_seconds+=("$seconds")
    done
    figure "open after a crash with 512 MB unflushed, process start to first get, s (less is better)" \
        "$(median "${ashlar_seconds[@]}")" "$(median "${rival_seconds[@]}")" "$rival"
    say "  of it, opening the store: $(median_of reopen ashlar readrandom openSeconds) s"
    remove_data ashlar "$rival"
}

open_after_crash() { # open_after_crash CONTENDER: leaves what it took in $seconds
    local contender=$1 writes=528000 start
    # Killing itself is how our driver ends here.
    if [ "$contender" = levelled ]; then fill_and_kill_rival $writes
    else drive "$contender" "$work/out/crash/$contender.$round" fillrandom,crash num=$writes memtable=1G warm_up=0 2>/dev/null; fi
    start=$EPOCHREALTIME
    drive "$contender" "$work/out/reopen/$contender.$round" readrandom num=$writes memtable=1G warm_up=0 existing=true operations=1 || exit 1
    seconds=$(seconds_since "$start")
}

fill_and_kill_rival() { # It never ends by itself; it is killed once it has filled.
    db_bench --db="$work/levelled" --benchmarks=fillrandom,readrandom --num="$1" --key_size=16 --value_size=1000 --compression_type=none \
        --compression_ratio=1 --write_buffer_size=1073741824 --seed=42 --duration=0 --reads=1000000000 >"$work/rival.out" 2>/dev/null &
    local pid=$!
    ends_with_script "$pid"
    until grep -q '^fillrandom' "$work/rival.out"; do
        kill -0 "$pid" 2>/dev/null || give_up "db_bench ended before it was killed"
        sleep 0.2
    done
    kill -9 "$pid"
    timeout 10 tail --pid="$pid" -f /dev/null
}

# One key, overwritten again and again: what its store takes on disk, as soon as the last put has returned.
rows_hot() {
    local rivals=$(rivals levelled blob) contender writes=$((keys / 10)) value
    for value in 100 1000; do
        for contender in ashlar $rivals; do
            drive "$contender" "$work/out/hot-$value/$contender.1" overwrite num=1 operations=$writes value=$value warm_up=0 || exit 1
            space_of "$work/$contender" >"$work/out/hot-$value.$contender"
            remove_data "$contender"
        done
        report "one key, overwritten $writes times with $value B, unflushed, ops/s" hot-$value overwrite $rivals
        for contender in $rivals; do
            figure "one key, overwritten $writes times with $value B: space on disk, MiB (less is better)" \
                "$(mebibytes_in "$work/out/hot-$value.ashlar")" "$(mebibytes_in "$work/out/hot-$value.$contender")" "$contender"
        done
    done
}

mebibytes_in() { awk '{ print $1 / 1048576 }' "$1"; }

# Put at one end, found and deleted at the other, a thousand waiting; ten pauses of a second, in which tables are merged.
rows_queue() {
    local entries=$((keys / 10)) field contender
    for contender in ashlar ${paired:+earlier}; do
        drive "$contender" "$work/out/queue/$contender.1" queue num=$entries value=100 warm_up=0 || exit 1
        for field in p50 p99 p999 max; do
            print_figure "$contender: queue of $entries entries, its next entry found, $field us" \
                "$(value_of "$work/out/queue/$contender.1" queue $field)"
        done
        remove_data "$contender"
    done
}

rows_hundred_million() {
    local num=$keys out=$work/out/hundred-million common field
    common="num=$num value=100 existing=true"
    drive ashlar "$out/load" filluniquerandom,waitforcompaction num=$num value=100 warm_up=3 || exit 1
    print_figure "$keys keys, 100 B values, in random order: load, unflushed, ops/s" "$(value_of "$out/load" filluniquerandom opsPerSecond)"
    print_figure "$keys keys: load, to the end of background work, ops/s" "$(value_of "$out/load" filluniquerandom+waitforcompaction opsPerSecond)"
    print_figure "$keys keys: bytes written per byte put" "$(value_of "$out/load" filluniquerandom+waitforcompaction writtenPerPut)"
    print_figure "$keys keys: peak resident memory while loading, bytes" "$(value_of "$out/load" filluniquerandom+waitforcompaction peakResidentBytes)"
    print_figure "$keys keys: space on disk, bytes" "$(space_of "$work/ashlar")"
    drop_caches
    drive ashlar "$out/cold" readrandom $common duration=15 || exit 1
    print_figure "$keys keys: open, s" "$(value_of "$out/cold" readrandom openSeconds)"
    drive ashlar "$out/warm" readrandom,readrandom $common duration=15 || exit 1
    for field in opsPerSecond p50 p99 p999 peakResidentBytes; do
        print_figure "$keys keys: get after dropping caches, 1 thread, $field" "$(value_of "$out/cold" readrandom $field)"
        print_figure "$keys keys: get, warm, 1 thread, $field" "$(value_of "$out/warm" readrandom $field)"
    done
    remove_data ashlar
}

print_figure() { printf '%s\t%s\n' "$1" "$2"; }
