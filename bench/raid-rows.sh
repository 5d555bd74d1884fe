# The rows about RAID sets under pools of block-floor.sh. Sourced after lib.sh, fio.sh and ashlar.sh.

raid_mib=512

rows_raid() {
    start_ashlar "$work/ours" 4GiB
    create_raid_pool striped 0 4
    create_raid_pool whole 6 6
    create_raid_pool lame 6 6
    local pool
    for pool in striped whole lame; do
        create_volume "$pool/bench" "${raid_mib}MiB"
        run_fio "$(raid_uri "$pool")" write 1m 8 --size="${raid_mib}m" --end_fsync=1 >/dev/null
    done

    side_pid=([ours]=$ashlar_pid [theirs]=$ashlar_pid)
    side_options=([ours]="--size=${raid_mib}m" [theirs]="--size=${raid_mib}m")
    put_beside whole striped
    compare "1 MiB sequential write, depth 8, RAID-6 of 6 files against RAID-0 of 4, MiB/s" 2 write 1m 8
    compare "4 KiB random read, depth 32, RAID-6 of 6 files against RAID-0 of 4, IOPS" 1 randread 4k 32
    compare "4 KiB random write, depth 32, RAID-6 of 6 files against RAID-0 of 4, IOPS" 1 randwrite 4k 32

    rm "$work/lame-2" "$work/lame-5"
    wait_for_raid lame degraded
    put_beside lame whole
    compare "4 KiB random read, depth 32, RAID-6 without 2 of 6 against whole, IOPS" 1 randread 4k 32
    compare "1 MiB sequential read, depth 8, RAID-6 without 2 of 6 against whole, MiB/s" 2 read 1m 8
    compare "4 KiB random write, depth 32, RAID-6 without 2 of 6 against whole, IOPS" 1 randwrite 4k 32

    measure_rebuild
}

create_raid_pool() { # create_raid_pool NAME LEVEL DEVICES
    local number
    local -a devices=()
    for ((number = 1; number <= $3; number++)); do devices+=(--device "$work/$1-$number"); done
    ask_pool create "$1" --raid "$2" "${devices[@]}" --size 1GiB >/dev/null || give_up "cannot create pool $1"
}

ask_pool() { "$ashlar_checkout/ashlar" pool "$@" --data "$ashlar_data"; }

raid_uri() { echo "nbd://127.0.0.1:$ashlar_nbd_port/$1/bench"; }

put_beside() { # put_beside OURS THEIRS: pools
    side_name=([ours]=$1 [theirs]=$2) side_uri=([ours]=$(raid_uri "$1") [theirs]=$(raid_uri "$2"))
}

wait_for_raid() { # wait_for_raid POOL STATE
    local round
    for ((round = 0; round < 600; round++)); do
        if ask_pool show "$1" | grep -qE "RAID.*$2"; then return; fi
        sleep 0.2
    done
    ask_pool show "$1" >&2
    give_up "pool $1 does not become $2"
}

# Two spares for what is missing: alone, and again beside a client, which is compared with itself on a whole set just before.
measure_rebuild() {
    local from uri before during rebuilt_mib=$raid_mib
    from=$EPOCHREALTIME
    ask_pool add-device lame --spare --device "$work/lame-7" --size 1GiB >/dev/null || give_up "cannot add a spare"
    ask_pool add-device lame --spare --device "$work/lame-8" --size 1GiB >/dev/null || give_up "cannot add a spare"
    wait_for_raid lame healthy
    printf 'two devices of a RAID-6 with %s MiB in use rebuilt, seconds\t%.1f\n' "$rebuilt_mib" "$(seconds_since "$from")"

    uri=$(raid_uri lame)
    before=$(run_fio "$uri" randwrite 4k 32 --size="${raid_mib}m" --time_based --runtime=10)
    rm "$work/lame-3"
    wait_for_raid lame degraded
    ask_pool add-device lame --spare --device "$work/lame-9" --size 1GiB >/dev/null || give_up "cannot add a spare"
    from=$EPOCHREALTIME
    during=$(run_fio "$uri" randwrite 4k 32 --size="${raid_mib}m" --time_based --runtime=10)
    print_row "4 KiB random write, depth 32, while a device is rebuilt against whole, IOPS" "${during% *}" "${before% *}"
    wait_for_raid lame healthy
    printf 'one device of it rebuilt beside these writes, seconds\t%.1f\n' "$(seconds_since "$from")"
}
