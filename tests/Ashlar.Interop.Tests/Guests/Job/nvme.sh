. ./common.sh
modprobe nvme-tcp
nqn=$NQN:main.nvme
nvme discover -t tcp -a "$HOST" -s "$NVME_PORT" | grep -F "$nqn"
nvme connect -t tcp -a "$HOST" -s "$NVME_PORT" -n "$nqn" --hostnqn="$NQN:guest"
await test -b /dev/nvme0n1
is_as_large /dev/nvme0n1 $((64 << 20))
nvme id-ctrl /dev/nvme0 | grep -E '^(sn|mn|subnqn|oncs|vwc)'
nvme id-ns /dev/nvme0n1 | grep -E '^(nsze|nguid|lbaf)'
[ "$(cat /sys/block/nvme0n1/queue/write_cache)" = 'write back' ]
use_file_system ext4 /dev/nvme0n1
e2fsck -fn /dev/nvme0n1

# The volume grows, and the kernel is told so.
request PATCH /v1/pools/main/volumes/nvme '{"sizeBytes":100663296}'
await is_as_large /dev/nvme0n1 $((96 << 20))
nvme disconnect -n "$nqn"

# With digests of headers and data.
nvme connect -t tcp -a "$HOST" -s "$NVME_PORT" -n "$nqn" --hdr-digest --data-digest
await test -b /dev/nvme0n1
fio --name=disk --filename=/dev/nvme0n1 --rw=randwrite --bs=64k --size=4m --ioengine=libaio --direct=1 --iodepth=8 --verify=crc32c --minimal
nvme disconnect -n "$nqn"
