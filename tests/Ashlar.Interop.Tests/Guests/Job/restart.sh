# The server is killed and started again, and killed or stopped (LAST_END) and started, under file systems that are mounted. Each
# write is durable before it is answered (FUA: O_DIRECT, O_DSYNC, onto blocks that have been written): what rests in a volatile cache goes
# with a server that is killed, and a flush that is repeated afterwards finds nothing amiss.
. ./common.sh
stop_multipath
start_initiator
modprobe nvme-tcp
target=$IQN:main.restart
node() { iscsiadm -m node -T "$target" -p "$HOST:$FIRST_ISCSI_PORT" "$@"; }
node -o new
node -o update -n node.session.timeo.replacement_timeout -v 600
node --login
nqn=$NQN:main.nrestart
nvme connect -t tcp -a "$HOST" -s "$FIRST_NVME_PORT" -n "$nqn" --hostnqn="$NQN:guest" --ctrl-loss-tmo=600 --reconnect-delay=1
await find_disk "$target"
scsi_disk=$disk disks=$disk
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
begin_counting "$scsi_disk"
write --sync=dsync --rate_iops=,16 &
writer=$!
await have_written 24
helper kill
helper start
# It goes on, and is cut off again.
await have_written 48
helper "$LAST_END"
helper start
wait $writer
for disk in $disks; do
    umount "/mnt/${disk##*/}"
    e2fsck -fn "$disk"
    mount "$disk" "/mnt/${disk##*/}"
done
write --verify_only=1
for disk in $disks; do umount "/mnt/${disk##*/}"; done
did Linux 'ext4 over iSCSI and NVMe goes on when the server is killed and started again, twice'
node --logout
nvme disconnect -n "$nqn"
