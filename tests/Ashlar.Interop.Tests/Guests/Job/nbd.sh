. ./common.sh
modprobe nbd nbds_max=1
nbd-client "$HOST" "$NBD_PORT" /dev/nbd0 -N nbd -C 2 -b 4096
is_as_large /dev/nbd0 $((64 << 20))
[ "$(cat /sys/block/nbd0/queue/write_cache)" = 'write back' ]
[ "$(cat /sys/block/nbd0/queue/discard_max_bytes)" -gt 0 ]
use_file_system ext4 /dev/nbd0
e2fsck -fn /dev/nbd0
did nbd-client 'two connections, ext4, data that fio verifies, fstrim, fsck'
nbd-client -d /dev/nbd0
