#!/usr/bin/env bash
# Builds the Linux guest that tests boot under QEMU: kernel, initrd and a root image of Debian 12 with the initiators of iSCSI, NBD and
# NVMe over TCP. Prints the directory that has them; built once, and kept outside of the clone.
#   eng/build-guest.sh [--where]
#   --where   only prints the directory, and builds nothing; exit code 1 if it is not built
# Needs root, mmdebstrap, mkfs.ext4 and a mirror of Debian, which is that of this machine.
set -euo pipefail
cd "$(dirname "$0")/.."

PATH=$PATH:/usr/sbin:/sbin
packages=linux-image-cloud-amd64,initramfs-tools,zstd,kmod,iproute2,open-iscsi,nvme-cli,nbd-client,multipath-tools,fio,sg3-utils,xfsprogs,e2fsprogs
# Another script makes another guest.
cache=${ASHLAR_TEST_TOOLS:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ashlar-test-tools}
guest=$cache/guest-$(sha256sum eng/build-guest.sh | cut -c1-12)

if [ -e "$guest/built" ]; then echo "$guest"; exit 0; fi
[ "${1-}" != --where ] || { echo "$guest"; exit 1; }
[ "$(uname -m)" = x86_64 ] || { echo "eng/build-guest.sh: the guest is made on x86-64 alone" >&2; exit 1; }
command -v mmdebstrap >/dev/null || { echo "eng/build-guest.sh: mmdebstrap is missing" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || { echo "eng/build-guest.sh: only root can build it" >&2; exit 1; }
mkdir -p "$cache"
work=$(mktemp -d "$cache/build.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The mirror of this machine where it is a Debian 12, else the one that mmdebstrap knows.
sources=/dev/null mirror=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ -s "$file" ] && grep -q debian "$file" && grep -q bookworm "$file" && { sources=$file mirror=(-); break; }
done

# Only what a virtual disk and a root on it need is in the initrd: it is unpacked by an emulated processor.
configure() {
    mkdir -p "$1/etc/initramfs-tools/conf.d"
    printf 'MODULES=list\nCOMPRESS=zstd\n' >"$1/etc/initramfs-tools/conf.d/ashlar"
    printf '%s\n' virtio_pci virtio_blk virtio_net ext4 >"$1/etc/initramfs-tools/modules"
}
declare -f configure >"$work/configure"
printf '\nconfigure "$1"\n' >>"$work/configure"
chmod +x "$work/configure"
sed -i '1i #!/bin/bash' "$work/configure"

mmdebstrap --quiet --mode=root --variant=minbase --format=directory --include="$packages" \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --essential-hook="$work/configure \"\$1\"" bookworm "$work/root" "${mirror[@]}" <"$sources" >&2

# Instead of an init system: the job is a tar archive on the second disk, what it prints goes to the serial line.
cat >"$work/root/ashlar-init" <<'INIT'
#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
mountpoint -q /proc || mount -t proc proc /proc
mountpoint -q /sys || mount -t sysfs sys /sys
mountpoint -q /dev || mount -t devtmpfs dev /dev
for directory in /run /tmp; do mount -t tmpfs tmpfs "$directory"; done
mkdir -p /run/job /run/lock /dev/pts
mount -t devpts devpts /dev/pts
ip link set lo up
modprobe virtio_net
for device in /sys/class/net/e*; do device=${device##*/}; done
ip addr add 10.0.2.15/24 dev "$device" && ip link set "$device" up && ip route add default via 10.0.2.2
tar -xf /dev/vdb -C /run/job
cd /run/job
echo "guest: job begins"
bash ./run </dev/null 2>&1
echo "guest: job ended with $?"
sync
echo o >/proc/sysrq-trigger
sleep 60
INIT
chmod +x "$work/root/ashlar-init"

mkdir "$work/guest"
cp "$work"/root/boot/vmlinuz-* "$work/guest/vmlinuz"
cp "$work"/root/boot/initrd.img-* "$work/guest/initrd"
rm -rf "$work"/root/boot/* "$work"/root/var/cache/apt/* "$work"/root/var/lib/apt/lists/*
kilobytes=$(du -sk "$work/root" | cut -f1)
mkfs.ext4 -q -L guest -O ^has_journal -d "$work/root" "$work/guest/root.ext4" "$((kilobytes * 5 / 4 + 65536))k"
touch "$work/guest/built"
# Of two that build at a time the first is taken.
mv -T "$work/guest" "$guest" 2>/dev/null || [ -e "$guest/built" ]
echo "$guest"
