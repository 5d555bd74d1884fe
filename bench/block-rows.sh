# The groups of rows of block-floor.sh. Sourced after lib.sh, fio.sh and ashlar.sh; each group starts its own servers.

# One pool holds 64 GiB of volume and more; of its file the disk only keeps what was written.
sparse_pool=160GiB

# Writes one 4 KiB block in each STRIDE of a volume. Later work aligned to STRIDE meets these blocks and no others.
touch_every() { # touch_every URI SIZE_GIB STRIDE_KIB
    fio_nbd "$1" "write:$(($3 - 4))k" 4k 32 --size="${2}g" --io_size=$(($2 * 1048576 / $3 * 4))k --end_fsync=1 >/dev/null
}

# Both volumes have equally many blocks with data, so that page cache and disk do the same for both; only the map is 8 times as large
# as what is cached of it, or not. The map cache of 256 MiB holds the map of some 128 GiB.
# All of the map of 64 GiB fits in the cache; of that of 256 GiB less than half does.
rows_map_cache() {
    local large
    for large in 64 256; do
        map_cache_beside_8_gib "$large"
        end_servers
        rm -rf "${work:?}"/*
    done
}

map_cache_beside_8_gib() { # map_cache_beside_8_gib LARGE_GIB
    start_ashlar "$work/ours" "$sparse_pool"
    local large=$1 small=8 stride_kib=1024
    create_volume large "${large}GiB"
    create_volume small "${small}GiB"
    side_name=([ours]="$large GiB" [theirs]="$small GiB") side_pid=([ours]=$ashlar_pid [theirs]=$ashlar_pid)
    side_uri=([ours]=nbd://127.0.0.1:$ashlar_nbd_port/large [theirs]=nbd://127.0.0.1:$ashlar_nbd_port/small)
    side_options[ours]="--size=${large}g --blockalign=${stride_kib}k"
    side_options[theirs]="--size=${small}g --blockalign=$((stride_kib * small / large))k"
    say "writing a block of 4 KiB in every $stride_kib KiB of ${large} GiB, and as many in ${small} GiB"
    touch_every "${side_uri[ours]}" "$large" "$stride_kib"
    touch_every "${side_uri[theirs]}" "$small" "$((stride_kib * small / large))"
    compare "4 KiB random read, depth 32, $large GiB against $small GiB, IOPS" 1 randread 4k 32
    compare "4 KiB random write, depth 32, $large GiB against $small GiB, IOPS" 1 randwrite 4k 32
}

rows_connections() {
    local size_mib=512 side mode many
    start_ashlar "$work/ours"
    create_volume bench "${size_mib}MiB"
    start_qemu_nbd "$work/rival.img" "$size_mib"
    side_name=([ours]=ashlar [theirs]=qemu-nbd) side_pid=([ours]=$ashlar_pid [theirs]=$rival_pid)
    side_uri=([ours]=nbd://127.0.0.1:$ashlar_nbd_port/bench [theirs]=$rival_uri)
    side_options=([ours]="--size=${size_mib}m" [theirs]="--size=${size_mib}m")
    for side in ours theirs; do
        run_fio "${side_uri[$side]}" write 1m 8 --size="${size_mib}m" --end_fsync=1 >/dev/null
    done
    for mode in read write; do
        compare "4 KiB random $mode, 64 connections of depth 1, against qemu-nbd, IOPS" 1 "rand$mode" 4k 1 --numjobs=64
        many=$ours
        compare "4 KiB random $mode, 1 connection of depth 64, against qemu-nbd, IOPS" 1 "rand$mode" 4k 64
        print_row "4 KiB random $mode, 64 connections of depth 1 against 1 of depth 64, IOPS" "$many" "$ours"
    done
}

# What it takes to flush after each write of 4 KiB, from fio's JSON, in microseconds.
flush_latency() { # flush_latency URI SIZE_MIB: prints "median p99"
    fio_nbd "$1" randwrite 4k 1 --size="${2}m" --fsync=1 --time_based --runtime="$seconds" --ramp_time="$ramp" --output-format=json |
        awk -F'[:,]' '/"sync" : \{/ { sync = 1 } sync && /"50.000000"/ { median = $2 } sync && /"99.000000"/ { p99 = $2; exit }
            END { print median / 1000, p99 / 1000; exit !p99 }' || give_up "fio told no latency of flushes at $1"
}

rows_flush() {
    local flush_mib=512 stream_mib=2048 side
    start_ashlar "$work/ours"
    create_volume flush "${flush_mib}MiB"
    create_volume stream "${stream_mib}MiB"
    local -A flush_uri=([ours]=nbd://127.0.0.1:$ashlar_nbd_port/flush) stream_uri=([ours]=nbd://127.0.0.1:$ashlar_nbd_port/stream)
    start_qemu_nbd "$work/rival.img" "$flush_mib"
    flush_uri[theirs]=$rival_uri
    start_qemu_nbd "$work/rival-stream.img" "$stream_mib"
    stream_uri[theirs]=$rival_uri
    for side in ours theirs; do
        run_fio "${flush_uri[$side]}" write 1m 8 --size="${flush_mib}m" --end_fsync=1 >/dev/null
        run_fio "${stream_uri[$side]}" write 1m 8 --size="${stream_mib}m" --end_fsync=1 >/dev/null
    done

    local -A median_us p99_us stream_mibs
    measure_flush alone
    measure_flush "beside 200 MiB/s" --rate=200m
    measure_flush "beside a stream"
    measure_flush "beside a stalled client"
}

# Reads of 256 KiB, as many at a time as the server takes, by a client that stops in the middle and takes no reply off.
start_stalled() { # start_stalled URI SIZE_MIB: sets stalled_pid
    fio "${fio_options[@]}" --uri="$1" --rw=randread --bs=256k --iodepth=128 --size="${2}m" --time_based --runtime=600 >/dev/null 2>&1 &
    stalled_pid=$!
    ends_with_script "$stalled_pid"
    sleep 1
    kill -STOP "$stalled_pid"
}

measure_flush() { # measure_flush NAME [OPTION...]: with a stream unless NAME says otherwise; options are those of the stream
    local name=$1 round side key streaming result
    local -A medians=() tails=() streams=()
    shift
    for ((round = 0; round < rounds; round++)); do
        for side in $(sides_of_round "$round"); do
            sync -f "$work"
            if [ "$name" = "beside a stalled client" ]; then
                start_stalled "${flush_uri[$side]}" "$flush_mib"
            elif [ "$name" != alone ]; then
                run_fio "${stream_uri[$side]}" write 1m 8 --size="${stream_mib}m" --time_based \
                    --runtime="$(awk -v s="$seconds" -v r="$ramp" 'BEGIN { print s + r + 2 }')" "$@" >"$work/stream" &
                streaming=$!
                sleep 1
            fi
            result=$(flush_latency "${flush_uri[$side]}" "$flush_mib") || exit 1
            medians[$side]+=" ${result% *}" tails[$side]+=" ${result#* }"
            [ "$name" = alone ] && continue
            if [ "$name" = "beside a stalled client" ]; then
                kill -KILL "$stalled_pid"
                wait "$stalled_pid" 2>/dev/null
                continue
            fi
            wait "$streaming" || exit 1
            streams[$side]+=" $(awk '{ print $2 / 1024 }' "$work/stream")"
        done
    done
    # shellcheck disable=SC2086 # Values are words.
    for side in ours theirs; do
        key="$name $side"
        say "flush $name, $side: median ${medians[$side]}; p99 ${tails[$side]} us; stream ${streams[$side]:-none} MiB/s"
        median_us[$key]=$(median ${medians[$side]}) p99_us[$key]=$(median ${tails[$side]})
        stream_mibs[$key]=$(median ${streams[$side]:-0})
    done
    local flush="flush after each 4 KiB, $name"
    print_less "$flush, against qemu-nbd, median us, less is better" "${median_us[$name ours]}" "${median_us[$name theirs]}"
    print_less "$flush, against qemu-nbd, p99 us, less is better" "${p99_us[$name ours]}" "${p99_us[$name theirs]}"
    [ "$name" = alone ] && return
    print_less "$flush, against alone, median us, less is better" "${median_us[$name ours]}" "${median_us[alone ours]}"
    print_less "$flush, against alone, p99 us, less is better" "${p99_us[$name ours]}" "${p99_us[alone ours]}"
    print_less "qemu-nbd: $flush, against alone, median us, less is better" "${median_us[$name theirs]}" "${median_us[alone theirs]}"
    print_less "qemu-nbd: $flush, against alone, p99 us, less is better" "${p99_us[$name theirs]}" "${p99_us[alone theirs]}"
    [ "$name" = "beside a stalled client" ] && return
    print_row "the stream meanwhile, $name, against qemu-nbd, MiB/s" "${stream_mibs[$name ours]}" "${stream_mibs[$name theirs]}"
}

# SIGKILL while blocks all over a large volume are being overwritten, and a start on the same directory. The blocks were flushed
# before, so each overwrite is one that may be torn. The first read comes from a client that is started when the port answers.
rows_crash() {
    local size_gib=64 stride_kib=1024 load_seconds=20 rate=5000 cache round
    $quick && size_gib=4 load_seconds=3
    start_ashlar "$work/ours" "$sparse_pool"
    create_volume bench "${size_gib}GiB"
    local uri=nbd://127.0.0.1:$ashlar_nbd_port/bench
    say "writing a block of 4 KiB in every $stride_kib KiB of $size_gib GiB"
    touch_every "$uri" "$size_gib" "$stride_kib"
    for cache in kept dropped; do
        local listens='' reads='' sweeps=''
        for ((round = 0; round < rounds; round++)); do crash_once "$cache"; done
        # shellcheck disable=SC2086 # Values are words.
        {
            say "page cache $cache: listens $(spread $listens), first read $(spread $reads), check $(spread $sweeps) s"
            print_seconds "from the start after SIGKILL to listening, page cache $cache" $listens
            print_seconds "from the start after SIGKILL to the first answered read, page cache $cache" $reads
            print_seconds "from the start after SIGKILL to the end of the check, page cache $cache" $sweeps
        }
    done
}

print_seconds() { printf '%s, seconds\t%.2f\n' "$1" "$(median "${@:2}")"; }

crash_once() { # crash_once kept|dropped: adds to listens, reads and sweeps
    local load from written log=$ashlar_data.log ending='the check of what was being overwritten'
    fio "${fio_options[@]}" --uri="$uri" --rw=randwrite --bs=4k --iodepth=32 --size="${size_gib}g" --blockalign="${stride_kib}k" \
        --rate_iops="$rate" --time_based --runtime=600 --output-format=terse --terse-version=3 --status-interval=1 >"$work/load" 2>&1 &
    load=$!
    disown "$load"
    sleep "$load_seconds"
    kill -9 "$ashlar_pid"
    timeout 30 tail --pid="$ashlar_pid" -f /dev/null || give_up "the server does not die" # Until then its port still answers.
    server_pids=()
    kill -9 "$load" 2>/dev/null # It may wait for its server for ever.
    written=$(awk -F';' '/^3;/ { value = $49 } END { print value }' "$work/load")
    [ "$1" = kept ] || drop_caches

    from=$EPOCHREALTIME
    run_ashlar
    until (exec 3<>"/dev/tcp/127.0.0.1/$ashlar_nbd_port") 2>/dev/null; do
        kill -0 "$ashlar_pid" 2>/dev/null || { cat "$log" >&2; give_up "the server did not start again"; }
        sleep 0.005
    done
    listens+=" $(seconds_since "$from")"
    until qemu-io -r -f raw -c "read $((RANDOM % (size_gib * 1024)))M 4k" "$uri" 2>/dev/null | grep -q 'read 4096/4096'; do
        kill -0 "$ashlar_pid" 2>/dev/null || { cat "$log" >&2; give_up "the server ended before it answered"; }
        sleep 0.005
    done
    reads+=" $(seconds_since "$from")"
    until grep -q "$ending" "$log"; do
        kill -0 "$ashlar_pid" 2>/dev/null || { cat "$log" >&2; give_up "the server ended during the check"; }
        # An Ashlar that checks before it listens has no such line.
        awk -v s="$(seconds_since "$from")" 'BEGIN { exit !(s > 120) }' && break
        sleep 0.02
    done
    sweeps+=" $(seconds_since "$from")"
    say "page cache $1, after ${written:-?} writes a second: listens after ${listens##* } s, first read after ${reads##* } s," \
        "$(grep -o "$ending.*" "$log" || echo 'no check in the log')"
}
