. ./common.sh
modprobe nvme-tcp
nqn=$NQN:main.nvme
nvme discover -t tcp -a "$HOST" -s "$NVME_PORT" | grep -F "$nqn"
did nvme-cli 'discover names the subsystem'
nvme connect -t tcp -a "$HOST" -s "$NVME_PORT" -n "$nqn" --hostnqn="$NQN:guest"
await test -b /dev/nvme0n1
is_as_large /dev/nvme0n1 $((64 << 20))
did nvme-cli 'connect, and the kernel finds the namespace'

nvme id-ctrl /dev/nvme0 | grep -E '^(sn|mn|subnqn|oncs|vwc)'
did nvme-cli id-ctrl
nvme id-ns /dev/nvme0n1 | grep -E '^(nsze|nguid|lbaf)'
did nvme-cli id-ns
nvme ns-descs /dev/nvme0n1 | grep -iE '^(uuid|nguid)'
did nvme-cli ns-descs
nvme list-ns /dev/nvme0 | grep 0x1
nvme list -o json | grep /dev/nvme0n1
nvme list-subsys | grep -F "$nqn"
did nvme-cli 'list, list-ns, list-subsys'
nvme smart-log /dev/nvme0 | grep -iE '^critical_warning[[:space:]]*: 0'
nvme error-log /dev/nvme0 >/dev/null
nvme fw-log /dev/nvme0 >/dev/null
nvme effects-log /dev/nvme0 >/dev/null
nvme changed-ns-list-log /dev/nvme0
nvme ana-log /dev/nvme0 | grep -i optimized
did nvme-cli 'smart-log, error-log, fw-log, effects-log, changed-ns-list-log, ana-log'
for feature in 0x06 0x07 0x0b 0x0f; do nvme get-feature /dev/nvme0 -f "$feature"; done
refused nvme get-feature /dev/nvme0 -f 0x7f
did nvme-cli 'get-feature of those that there are, and an error for one that there is not'
nvme get-property /dev/nvme0 --offset=0x8 | grep -i 10400
nvme get-property /dev/nvme0 --offset=0x1c
did nvme-cli 'get-property of version and status'
head -c 4096 /dev/urandom >data
nvme write /dev/nvme0n1 -s 8 -c 7 -z 4096 -d data
nvme read /dev/nvme0n1 -s 8 -c 7 -z 4096 -d back
cmp data back
nvme compare /dev/nvme0n1 -s 8 -c 7 -z 4096 -d data
refused nvme compare /dev/nvme0n1 -s 16 -c 7 -z 4096 -d data
nvme write-zeroes /dev/nvme0n1 -s 8 -c 7
nvme read /dev/nvme0n1 -s 8 -c 7 -z 4096 -d back
cmp <(head -c 4096 /dev/zero) back
nvme dsm /dev/nvme0n1 --ad -s 0 -b 16
nvme flush /dev/nvme0n1 -n 1
refused nvme read /dev/nvme0n1 -s $((1 << 40)) -c 7 -z 4096 -d back
did nvme-cli 'write, read, compare, write-zeroes, dsm, flush, and errors beyond the end'
nvme resv-register /dev/nvme0n1 -n 1 --nrkey=0xabc --rrega=0
nvme resv-acquire /dev/nvme0n1 -n 1 --crkey=0xabc --rtype=1 --racqa=0
nvme resv-report /dev/nvme0n1 -n 1 --eds | grep -i abc
nvme resv-release /dev/nvme0n1 -n 1 --crkey=0xabc --rtype=1 --rrela=0
nvme resv-register /dev/nvme0n1 -n 1 --crkey=0xabc --rrega=1
did nvme-cli 'resv-register, resv-acquire, resv-report, resv-release'

[ "$(cat /sys/block/nvme0n1/queue/write_cache)" = 'write back' ]
use_file_system ext4 /dev/nvme0n1
e2fsck -fn /dev/nvme0n1
did Linux 'a file system, data that fio verifies, fstrim, fsck'

# The volume grows, and the kernel is told so.
request PATCH /v1/pools/main/volumes/nvme '{"sizeBytes":100663296}'
await is_as_large /dev/nvme0n1 $((96 << 20))
did Linux 'a volume that grows is seen at once'
nvme disconnect -n "$nqn"

# With digests of headers and data.
nvme connect -t tcp -a "$HOST" -s "$NVME_PORT" -n "$nqn" --hdr-digest --data-digest
await test -b /dev/nvme0n1
fio --name=disk --filename=/dev/nvme0n1 --rw=randwrite --bs=64k --size=4m --ioengine=libaio --direct=1 --iodepth=8 --verify=crc32c --minimal
did Linux 'digests of headers and data'
nvme disconnect -n "$nqn"
did nvme-cli disconnect
