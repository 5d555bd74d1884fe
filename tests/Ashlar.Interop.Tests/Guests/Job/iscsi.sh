. ./common.sh
start_initiator
target=$IQN:main.iscsi
# Discovery tells the address by which the server was reached, behind QEMU's translation; the targets are what is asked for.
iscsiadm -m discovery -t sendtargets -p "$HOST:$ISCSI_PORT" -o nonpersistent | grep -F "$target"
iscsiadm -m node -T "$target" -p "$HOST:$ISCSI_PORT" -o new
iscsiadm -m node -T "$target" -p "$HOST:$ISCSI_PORT" --login
await find_disk "$target"
is_as_large "$disk" $((320 << 20))
[ "$(cat "/sys/block/${disk##*/}/queue/write_cache")" = 'write back' ]
sg_inq "$disk"
sg_vpd --page=bl "$disk"
use_file_system xfs "$disk"
xfs_repair -n "$disk"
did open-iscsi 'discovery, login, XFS, data that fio verifies, fstrim, xfs_repair'

# The volume grows, and the kernel sees it when it looks again.
request PATCH /v1/pools/main/volumes/iscsi '{"sizeBytes":402653184}'
iscsiadm -m node -T "$target" --rescan
await is_as_large "$disk" $((384 << 20))
did open-iscsi 'a volume that grows is seen by a rescan'

# A registration and a reservation, and no other initiator port has it.
sg_persist --out --register --param-sark=abc123 "$disk"
sg_persist --out --reserve --param-rk=abc123 --prout-type=5 "$disk"
sg_persist --in --read-reservation "$disk" | grep -i abc123
sg_persist --out --release --param-rk=abc123 --prout-type=5 "$disk"
sg_persist --out --register --param-rk=abc123 "$disk"
did sg3-utils 'register, reserve, read the reservation, release'

iscsiadm -m node -T "$target" --logout
