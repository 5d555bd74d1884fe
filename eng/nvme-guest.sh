#!/usr/bin/env bash
# Uses a volume over NVMe by the kernel of Debian in QEMU, without a kernel module on this machine, and prints a table in Markdown.
#
#   eng/nvme-guest.sh 4420 nqn.2026-11.io.ashlar:main.test [nqn...]
#
# Takes the port on 127.0.0.1 and volumes of 256 MiB at least, whose content is destroyed; every second one is connected with digests.
# Kernel and programs come from Debian as packages, which are kept in /var/tmp/ashlar-guest and installed nowhere. Needs apt-get, dpkg and
# qemu-system-x86_64; it takes two minutes.
set -euo pipefail

port=${1:?usage: $0 PORT NQN...}
shift
(($# > 0)) || { echo "usage: $0 PORT NQN..." >&2; exit 2; }
cache=${ASHLAR_GUEST:-/var/tmp/ashlar-guest}
limit_seconds=${LIMIT_SECONDS:-900}
# The shell of the guest prefers its own programs of these names: they are called by their paths.
programs=(sbin/nvme sbin/mke2fs sbin/e2fsck bin/fio sbin/blkdiscard)
modules=(crc32c_generic crc32c_intel crct10dif_common crct10dif_generic crc-t10dif crc64 crc64-rocksoft crc64_rocksoft_generic t10-pi
    nvme-core nvme-fabrics nvme-tcp crc16 mbcache jbd2 ext4 e1000)

mkdir -p "$cache/packages"
if ! [[ -e $cache/root/complete ]]; then
    rm -rf "$cache/root"
    mkdir -p "$cache/root"
    kernel=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-[0-9]/ {print $2; exit}')
    (cd "$cache/packages" && rm -f ./*.deb && apt-get download -q "$kernel" busybox-static nvme-cli libnvme1 e2fsprogs fio util-linux >&2)
    for package in "$cache"/packages/*.deb; do dpkg -x "$package" "$cache/root"; done
    touch "$cache/root/complete"
fi
root=$cache/root
image=$(mktemp -d "$cache/image.XXXXXX")
trap 'rm -rf "$image"' EXIT

mkdir -p "$image"/{bin,lib,lib64,dev,proc,sys,tmp,mnt}
kernel_modules=$(echo "$root"/lib/modules/*)
mkdir -p "$image/lib/modules/${kernel_modules##*/}"
for module in "${modules[@]}"; do
    find "$kernel_modules" -name "$module.ko" -exec cp {} "$image/lib/modules/${kernel_modules##*/}/" \;
done
cp "$root/bin/busybox" "$image/bin/"
libraries=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu
for program in "${programs[@]}"; do
    path=$root/$program
    [[ -e $path ]] || path=$root/usr/$program
    cp "$path" "$image/bin/"
    LD_LIBRARY_PATH=$libraries ldd "$path" | grep -oE '/[^ ]+ \(0x' | while read -r library _; do
        case $library in
            */ld-linux*) cp -L "$library" "$image/lib64/" ;;
            *) cp -L "$library" "$image/lib/" ;;
        esac
    done
done

cat >"$image/init" <<'GUEST'
#!/bin/busybox sh
/bin/busybox mkdir -p /applets
/bin/busybox --install -s /applets
export PATH=/bin:/applets LD_LIBRARY_PATH=/lib
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev; mount -t tmpfs none /tmp
depmod; for module in crc32c_generic crct10dif_generic crc64_rocksoft_generic e1000 nvme-tcp ext4; do modprobe $module; done
ifconfig lo 127.0.0.1 up; ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up; route add default gw 10.0.2.2
. /parameters
host="-q nqn.2014-08.org.nvmexpress:uuid:11111111-2222-3333-4444-555555555555 -I 11111111-2222-3333-4444-555555555555"
try() { what=$1; shift; if "$@" >/tmp/out 2>&1; then echo "| $what | pass | |"; else echo "| $what | fail | $(tail -1 /tmp/out) |"; fi; }
fails() { ! "$@"; }
is_clear() { [ "$(dd if=$1 bs=1M skip=64 count=8 2>/dev/null | tr -d '\000' | wc -c)" = 0 ]; }
echo # What the firmware has written last has no end of its line.
try discovery nvme discover -t tcp -a 10.0.2.2 -s $port $host
n=0
for name in $names; do
    digests=; [ $((n % 2)) = 1 ] && digests="-g -G"
    try "connect $name $digests" nvme connect -t tcp -a 10.0.2.2 -s $port -n $name $host $digests
    i=0; while ! [ -b /dev/nvme${n}n1 ] && [ $i -lt 30 ]; do sleep 1; i=$((i + 1)); done
    device=/dev/nvme${n}n1
    try "$n: identify" nvme id-ctrl /dev/nvme$n
    try "$n: logs" nvme smart-log /dev/nvme$n
    try "$n: mkfs" /bin/mke2fs -q -F -t ext4 $device
    mkdir -p /mnt/$n
    try "$n: mount" mount -t ext4 $device /mnt/$n
    try "$n: files, verified" fio --name=f --directory=/mnt/$n --size=16m --rw=randwrite --bs=4k-64k --ioengine=psync --fsync=64 --verify=crc32c
    try "$n: unmount" umount /mnt/$n
    try "$n: fsck" /bin/e2fsck -f -n $device
    try "$n: device, 16 at a time, verified" fio --name=r --filename=$device --offset=64m --size=16m --rw=randwrite --bs=4k-512k --direct=1 \
        --ioengine=libaio --iodepth=16 --verify=crc32c
    try "$n: discard" /bin/blkdiscard -f -o 67108864 -l 4194304 $device
    try "$n: zeroes" /bin/blkdiscard -f -z -o 71303168 -l 4194304 $device
    try "$n: cleared" is_clear $device
    try "$n: flush" nvme flush $device -n 1
    size=$(blockdev --getss $device)
    dd if=/dev/urandom of=/tmp/a bs=$size count=1 2>/dev/null; dd if=/dev/urandom of=/tmp/b bs=$size count=1 2>/dev/null
    try "$n: write" nvme write $device -s 20000 -c 0 -z $size -d /tmp/a
    try "$n: compare" nvme compare $device -s 20000 -c 0 -z $size -d /tmp/a
    try "$n: compare with something else" fails nvme compare $device -s 20000 -c 0 -z $size -d /tmp/b
    n=$((n + 1))
done
dmesg | grep -i "I/O error" | while read -r line; do echo "| the kernel | fail | $line |"; done
for name in $names; do try "disconnect $name" nvme disconnect -n $name; done
echo "end of the table"
poweroff -f
GUEST
chmod +x "$image/init"
echo "port=$port names='$*'" >"$image/parameters"
(cd "$image" && find . | "$root/bin/busybox" cpio -o -H newc 2>/dev/null) >"$image.cpio"
trap 'rm -rf "$image" "$image.cpio"' EXIT

# By emulation wherever it runs: a machine that is virtual itself may have a KVM that hangs.
output=$(timeout "$limit_seconds" qemu-system-x86_64 -accel tcg -m 1024 -nographic -no-reboot -kernel "$root"/boot/vmlinuz-* \
    -initrd "$image.cpio" -append "console=ttyS0 quiet panic=1" -netdev user,id=net -device e1000,netdev=net </dev/null | tr -d '\r') || true
echo '| step | result | reason |'
echo '|---|---|---|'
grep '^| ' <<<"$output" || true
if ! grep -q '^end of the table' <<<"$output"; then
    echo "the guest did not come to its end:" >&2
    tail -20 <<<"$output" >&2
    exit 1
fi
! grep -q '^| .* | fail |' <<<"$output"
