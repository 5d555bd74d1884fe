# Two portals of the server, by two paths of which the first is cut while data are written that are verified: dm-multipath with multipathd
# over iSCSI, and the kernel's own multipath over NVMe.
. ./common.sh
start_initiator
modprobe -a dm_multipath dm_service_time nvme-tcp
[ "$(cat /sys/module/nvme_core/parameters/multipath)" = Y ]

# This kernel has no scsi_dh_alua, so multipathd asks for the states of paths by itself. Events and names of disks come from udev.
cat >/etc/multipath.conf <<'CONF'
defaults {
    find_multipaths no
    polling_interval 1
    max_polling_interval 1
}
blacklist {
    devnode "^(vd|nbd|nvme)"
}
devices {
    device {
        vendor "ASHLAR"
        product "VOLUME"
        path_grouping_policy group_by_prio
        prio alua
        failback immediate
        no_path_retry queue
        hardware_handler "0"
    }
}
CONF
mkdir -p /run/udev
/lib/systemd/systemd-udevd --daemon
multipathd
target=$IQN:main.paths
for port in "$FIRST_ISCSI_PORT" "$SECOND_ISCSI_PORT"; do
    iscsiadm -m node -T "$target" -p "$HOST:$port" -o new
    iscsiadm -m node -T "$target" -p "$HOST:$port" -o update -n node.session.timeo.replacement_timeout -v 1
    iscsiadm -m node -T "$target" -p "$HOST:$port" --login
done
nqn=$NQN:main.npaths
for port in "$FIRST_NVME_PORT" "$SECOND_NVME_PORT"; do
    nvme connect -t tcp -a "$HOST" -s "$port" -n "$nqn" --hostnqn="$NQN:guest" --ctrl-loss-tmo=60 --reconnect-delay=1
done

priorities() { multipathd show paths raw format '%p' | sort -n | xargs; }
have_priorities() { [ "$(priorities)" = "$1" ]; }
are_active() { [ "$(multipathd show paths raw format '%t' | grep -c active)" = "$1" ]; }
ana_states() { cat "$subsystem"/nvme*/nvme*c*n1/ana_state | sort | xargs; }
have_states() { [ "$(ana_states)" = "$1" ]; }
are_live() { [ "$(cat "$subsystem"/nvme*/state | grep -c live)" = "$1" ]; }
find_map() { map=$(multipathd show maps raw format '%n') && map=/dev/mapper/$map && [ -b "$map" ]; }
await find_map
await find_subsystem "$nqn"
await are_live 2

# One path is as good as the other, until the server says otherwise.
await have_priorities "50 50"
await have_states "optimized optimized"
request PATCH /v1/portals/2 '{"access":"non-optimized"}'
await have_priorities "10 50"
await have_states "non-optimized optimized"
did multipath-tools 'priorities of ALUA that change while it looks'
did Linux 'states of ANA that change while it is connected'
multipath -ll

write() {
    fio --rw=randwrite --bs=16k --size=4m --ioengine=libaio --direct=1 --iodepth=4 --rate_iops=,64 --verify=crc32c --verify_fatal=1 \
        --minimal "$@" --name=iscsi --filename="$map" --name=nvme --filename="$disk" >/dev/null
}
begin_counting "$(multipathd show maps raw format '%d' | xargs)"
write &
await have_written 40
helper cut
wait $!
dmesg | grep -F 'Failing path'
helper mend
await are_active 2
await are_live 2
did multipath-tools 'a path of iSCSI is cut while fio writes, and comes back'
did Linux 'a path of NVMe is cut while fio writes, and comes back'

# Through a path that is said to wait nothing goes; the other one has it all.
request PATCH /v1/portals/1 '{"access":"standby"}'
await have_priorities "1 10"
await have_states "inaccessible non-optimized"
write --verify_only=1
did Linux 'all of it is read by the other path while one is standby'
request PATCH /v1/portals/1 '{"access":"optimized"}'
request PATCH /v1/portals/2 '{"access":"optimized"}'
await have_priorities "50 50"
await have_states "optimized optimized"

stop_multipath
iscsiadm -m node -T "$target" --logout
nvme disconnect -n "$nqn"
