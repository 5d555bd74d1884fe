# What the steps share. HOST is the machine of the server.

# request METHOD PATH BODY: to its REST server, which knows itself by the loopback; the guest has no curl.
request() {
    exec 9<>"/dev/tcp/$HOST/$API_PORT"
    printf '%s %s HTTP/1.0\r\nHost: 127.0.0.1:%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
        "$1" "$2" "$API_PORT" "${#3}" "$3" >&9
    read -r -t 180 _ status _ <&9
    exec 9>&-
    [[ $status = 2* ]]
}

did() { # CLIENT WHAT: a row of docs/conformance.md, reached only when all before it succeeded.
    local -
    set +x
    echo "| $1 | $2 | pass | |"
}

refused() { # COMMAND...: has to fail
    if "$@"; then
        echo "succeeded: $*"
        return 1
    fi
}

await() { # COMMAND...: until it succeeds; an emulated processor of a busy machine takes its time
    local end=$((SECONDS + 180)) -
    set +x
    until "$@" >/dev/null 2>&1; do
        if [ $SECONDS -ge $end ]; then
            echo "did not come: $*"
            return 1
        fi
        sleep 0.1
    done
}

is_as_large() { [ "$(blockdev --getsize64 "$1")" = "$2" ]; }

# A file system on the disk, and data that fio verifies, before and after it was taken off.
use_file_system() { # TYPE DISK
    local quick=-F
    [ "$1" = xfs ] && quick=-f
    "mkfs.$1" -q $quick "$2"
    mkdir -p /mnt
    mount "$2" /mnt
    verify_files --do_verify=1
    fstrim -v /mnt
    umount /mnt
    mount "$2" /mnt
    verify_files --verify_only=1
    rm /mnt/*.0
    fstrim -v /mnt
    umount /mnt
}

verify_files() {
    fio --name=files --directory=/mnt --rw=randwrite --bsrange=4k-64k --blockalign=4k --size=6m --ioengine=libaio --direct=1 --iodepth=8 \
        --fsync=32 --verify=crc32c --verify_fatal=1 --minimal "$@" >/dev/null
}

helper() { # WORD: what only the machine of the server can do
    local answer
    exec 8<>"/dev/tcp/$HOST/$HELPER_PORT"
    echo "$1" >&8
    read -r -t 180 answer <&8
    exec 8>&-
    echo "$1: $answer"
    [ "$answer" = "done" ]
}

start_initiator() {
    modprobe -a iscsi_tcp sd_mod sg
    pidof iscsid >/dev/null && return
    echo "InitiatorName=$IQN:guest" >/etc/iscsi/initiatorname.iscsi
    iscsid
}

# What multipath.sh has started, whether it came to its end or not: it would take the disks of others.
stop_multipath() {
    pidof systemd-udevd || return 0
    ! pidof fio || kill $(pidof fio)
    if pidof multipathd; then
        kill $(pidof multipathd)
        await refused pidof multipathd
    fi
    await timeout 20 multipath -F # Which waits for udevd.
    kill $(pidof systemd-udevd)
    await refused pidof systemd-udevd
}

# How many writes a disk has been answered, by its own count.
begin_counting() { # DISK
    counted=$1
    written_before=0
    written_before=$(count_writes)
}
count_writes() {
    local writes
    read -r _ _ _ _ writes _ <"/sys/block/${counted##*/}/stat"
    echo $((writes - written_before))
}
have_written() { [ "$(count_writes)" -ge "$1" ]; }

# The disk of an iSCSI session, by the names of target and initiator.
find_disk() { # TARGET [INITIATOR]
    local session
    for session in /sys/class/iscsi_session/session*; do
        [ "$(cat "$session/targetname")" = "$1" ] || continue
        [ -z "${2-}" ] || [ "$(cat "$session/initiatorname")" = "$2" ] || continue
        disk=$(ls -d "$session"/device/target*/*/block/*) && disk=/dev/${disk##*/} && [ -b "$disk" ] && return
    done
    return 1
}

# The subsystem of an NQN, and its disk, which stands for all paths to it.
find_subsystem() { # NQN
    for subsystem in /sys/class/nvme-subsystem/*; do
        [ "$(cat "$subsystem/subsysnqn")" = "$1" ] || continue
        disk=$(ls -d "$subsystem"/nvme*n1) && disk=/dev/${disk##*/} && [ -b "$disk" ] && return
    done
    return 1
}
