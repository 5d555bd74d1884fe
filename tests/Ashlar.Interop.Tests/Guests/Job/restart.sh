# The server is killed and started again, and stopped and started, under file systems that are mounted. Each
# write is durable before it is answered (FUA: O_DIRECT, O_DSYNC, onto blocks that have been written): what rests in a volatile cache goes
# with a server that is killed, and a flush that is repeated afterwards finds nothing amiss.
. ./common.sh
start_initiator
modprobe nvme-tcp
target=$IQN:main.restart
iscsiadm -m node -T "$target" -p "$HOST:$FIRST_ISCSI_PORT" -o new
iscsiadm -m node -T "$target" -p "$HOST:$FIRST_ISCSI_PORT" --login
nqn=$NQN:main.nrestart
nvme connect -t tcp -a "$HOST" -s "$FIRST_NVME_PORT" -n "$nqn" --hostnqn="$NQN:guest" --ctrl-loss-tmo=120 --reconnect-delay=1
await find_disk "$target"
disks=$disk
await find_subsystem "$nqn"
disks="$disks $disk"
for disk in $disks; do
    mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$disk"
    mkdir -p "/mnt/${disk##*/}"
    mount -o noatime "$disk" "/mnt/${disk##*/}"
done
write() {
    local disk jobs=()
    for disk in $disks; do jobs+=(--name="${disk##*/}" --directory="/mnt/${disk##*/}"); done
    fio --rw=randwrite --bs=16k --size=2m --direct=1 --overwrite=1 --verify=crc32c --verify_fatal=1 --minimal "$@" "${jobs[@]}" >/dev/null
}
write --rw=write --verify=0 --end_fsync=1
sync
write --sync=dsync --rate_iops=,16 &
writer=$!
sleep 3
helper kill
helper start
sleep 3
helper stop
helper start
wait $writer
for disk in $disks; do
    umount "/mnt/${disk##*/}"
    e2fsck -fn "$disk"
    mount "$disk" "/mnt/${disk##*/}"
done
write --verify_only=1
for disk in $disks; do umount "/mnt/${disk##*/}"; done
iscsiadm -m node -T "$target" --logout
nvme disconnect -n "$nqn"
