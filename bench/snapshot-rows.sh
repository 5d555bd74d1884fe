# The rows about snapshots of block-floor.sh. Sourced after lib.sh, fio.sh and ashlar.sh.

snapshot_mib=1024

rows_snapshots() {
    start_ashlar "$work/ours" 32GiB
    local volume
    for volume in plain kept many; do
        create_volume "$volume" "${snapshot_mib}MiB"
        run_fio "$(uri_of "$volume")" write 1m 8 --size="${snapshot_mib}m" --end_fsync=1 >/dev/null
    done

    side_name=([ours]="after a snapshot" [theirs]="without") side_pid=([ours]=$ashlar_pid [theirs]=$ashlar_pid)
    side_uri=([ours]=$(uri_of kept) [theirs]=$(uri_of plain))
    side_options=([ours]="--size=${snapshot_mib}m" [theirs]="--size=${snapshot_mib}m")
    side_before=([ours]=renew_snapshot)
    compare "4 KiB random write, depth 32, right after a snapshot against without one, IOPS" 1 randwrite 4k 32
    compare "4 KiB random write, depth 1, right after a snapshot against without one, IOPS" 1 randwrite 4k 1
    compare_with_qcow2
    side_before=()

    say "taking 100 snapshots, with 4 MiB of random writes before each"
    local number
    for ((number = 0; number < 100; number++)); do
        run_fio "$(uri_of many)" randwrite 4k 32 --size="${snapshot_mib}m" --io_size=4m >/dev/null
        take_snapshot many "s$number"
    done
    side_name=([ours]="100 snapshots" [theirs]="none") side_uri=([ours]=$(uri_of many) [theirs]=$(uri_of plain))
    compare "4 KiB random read, depth 32, through 100 snapshots against none, IOPS" 1 randread 4k 32
    compare "1 MiB sequential read, depth 8, through 100 snapshots against none, MiB/s" 2 read 1m 8
    measure_space
    measure_stall
}

uri_of() { echo "nbd://127.0.0.1:$ashlar_nbd_port/$1"; }

take_snapshot() { # take_snapshot VOLUME NAME
    "$ashlar_checkout/ashlar" snapshot create "main/$1@$2" --data "$ashlar_data" >/dev/null || give_up "cannot take a snapshot of $1"
}

renew_snapshot() { # The snapshot of before goes, and what was kept for it.
    "$ashlar_checkout/ashlar" snapshot delete main/kept@last --yes --data "$ashlar_data" >/dev/null 2>&1
    take_snapshot kept last
}

# qcow2 behind qemu-nbd, with a snapshot within the image, taken while nothing serves it.
compare_with_qcow2() {
    local image=$work/rival.qcow2
    qemu-img create -q -f qcow2 "$image" "${snapshot_mib}M"
    serve_qcow2 "$image"
    run_fio "$rival_uri" write 1m 8 --size="${snapshot_mib}m" --end_fsync=1 >/dev/null
    side_name[theirs]="qcow2 after a snapshot" side_before[theirs]=renew_qcow2_snapshot
    compare "4 KiB random write, depth 32, right after a snapshot, against qcow2, IOPS" 1 randwrite 4k 32
    kill "$rival_pid"
}

serve_qcow2() { # serve_qcow2 IMAGE: sets rival_pid and rival_uri
    local port
    port=$(free_port)
    qemu-nbd -t -f qcow2 -e 0 --cache=writeback --discard=unmap -b 127.0.0.1 -p "$port" "$1" >"$1.log" 2>&1 &
    rival_pid=$! rival_uri=nbd://127.0.0.1:$port/
    ends_with_script "$rival_pid"
    wait_for_port "$port" "$rival_pid" "$1.log"
    side_uri[theirs]=$rival_uri side_pid[theirs]=$rival_pid
}

renew_qcow2_snapshot() {
    kill "$rival_pid"
    timeout 30 tail --pid="$rival_pid" -f /dev/null
    qemu-img snapshot -d last "$work/rival.qcow2" 2>/dev/null
    qemu-img snapshot -c last "$work/rival.qcow2" || give_up "cannot take a snapshot of the image"
    serve_qcow2 "$work/rival.qcow2"
}

allocated_bytes() { # allocated_bytes VOLUME
    "$ashlar_checkout/ashlar" volume show "$1" -o json --data "$ashlar_data" | sed -nE 's/.*"allocatedBytes": ?([0-9]+).*/\1/p' | head -1
}

# Pool space taken by random overwrites of distinct blocks after the first snapshot of a volume: nothing is being given back meanwhile.
measure_space() {
    local before after written_mib=256
    create_volume fresh "${snapshot_mib}MiB"
    run_fio "$(uri_of fresh)" write 1m 8 --size="${snapshot_mib}m" --end_fsync=1 >/dev/null
    take_snapshot fresh first
    before=$(allocated_bytes fresh)
    fio_nbd "$(uri_of fresh)" randwrite 4k 32 --size="${snapshot_mib}m" --io_size="${written_mib}m" --norandommap=0 --end_fsync=1 >/dev/null
    sleep 2 # A commit.
    after=$(allocated_bytes fresh)
    print_less "pool space taken by $written_mib MiB of random 4 KiB overwrites after a snapshot, against these, MiB, less is better" \
        "$(awk -v b="$before" -v a="$after" 'BEGIN { print (a - b) / 1048576 }')" "$written_mib"
}

longest_write() { # longest_write URI: of fio's JSON, in milliseconds
    fio_nbd "$1" randwrite 4k 32 --size="${snapshot_mib}m" --time_based --runtime=4 --ramp_time=1 --output-format=json |
        awk -F'[:,]' '/"write" : \{/ { write = 1 } write && /"clat_ns"/ { clat = 1 } clat && /"max"/ { print $2 / 1000000; exit }'
}

measure_stall() {
    local -A values=([ours]='' [theirs]='')
    local round
    for ((round = 0; round < rounds; round++)); do
        values[theirs]+=" $(longest_write "$(uri_of plain)")"
        longest_write "$(uri_of plain)" >"$work/longest" &
        local writing=$!
        sleep 3
        take_snapshot plain "stall$round"
        wait "$writing"
        values[ours]+=" $(cat "$work/longest")"
    done
    # shellcheck disable=SC2086 # Values are words.
    print_less "longest 4 KiB write of depth 32 while a snapshot is taken, against without one, ms, less is better" \
        "$(median ${values[ours]})" "$(median ${values[theirs]})"
}
