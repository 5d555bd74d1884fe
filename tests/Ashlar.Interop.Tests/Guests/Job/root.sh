# The root of this guest is a clone: it is written to, and put away in order.
. ./common.sh
mount -o remount,rw /
echo "of $CLONE" >/written
dd if=/dev/urandom of=/noise bs=64k count=128
sync
md5sum /noise >/noise.md5
echo 3 >/proc/sys/vm/drop_caches
md5sum -c /noise.md5
mount -o remount,ro / || sync
did QEMU "boots from a clone, over $CLONE"
