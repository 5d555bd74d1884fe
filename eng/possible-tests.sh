#!/usr/bin/env bash
# Prints the groups of tests that this machine can run, by what it has: these must not be skipped where CI runs (ASHLAR_REQUIRE=possible).
# What it cannot run is said on stderr, and why. The names are those of tests/Ashlar.TestKit/Tools/TestGroups.cs.
set -u
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin

work=$(mktemp -d)
trap 'umount -l "$work/mount" 2>/dev/null; rm -rf "$work"' EXIT
mkdir "$work/mount"

impossible() { echo "NOT POSSIBLE HERE: $1: $2" >&2; }

# A mount that works is the only proof that mounts do: containers have root and no right to mount.
can_mount() { # type
    [ "$(id -u)" -eq 0 ] || { echo "not root"; return 1; }
    if [ "$1" = tmpfs ]; then
        mount -t tmpfs -o size=1m ashlar "$work/mount" 2>/dev/null || { echo "tmpfs cannot be mounted"; return 1; }
    else
        [ -e /dev/loop-control ] || { echo "no loop devices"; return 1; }
        command -v "mkfs.$1" >/dev/null || { echo "mkfs.$1 is missing"; return 1; }
        truncate -s 320M "$work/image" && "mkfs.$1" -q "$work/image" 2>/dev/null || { echo "mkfs.$1 fails"; return 1; }
        mount -t "$1" -o loop "$work/image" "$work/mount" 2>/dev/null ||
            { rm -f "$work/image"; echo "a $1 in a file cannot be mounted"; return 1; }
    fi
    umount "$work/mount"
    rm -f "$work/image"
}

if reason=$(can_mount ext4); then
    echo powercuts
    if reason=$(can_mount tmpfs); then echo fulldisks; else impossible fulldisks "$reason"; fi
    if reason=$( (exec 3<>/dev/fuse) 2>&1); then echo mounts; else impossible mounts "$reason"; fi
else
    impossible powercuts "$reason"
    impossible fulldisks "$reason"
    impossible mounts "$reason"
fi
if reason=$(can_mount xfs); then echo xfs; else impossible xfs "$reason"; fi

# The same mounts as tests/Ashlar.TestKit/Machines/MachineCopy.cs makes.
if reason=$(unshare --mount --net --uts --ipc --pid --fork --propagation private bash -c '
    mount -t tmpfs tmpfs "$1" && mkdir "$1/upper" "$1/work" "$1/root" &&
    mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"' copy "$work/mount" 2>&1); then
    echo copies
else
    impossible copies "$reason"
fi

# Whoever may install packages, and whose package index knows them, has no excuse.
installable() { { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; } && apt-cache show "$1" >/dev/null 2>&1; }
missing=$(eng/install-test-tools.sh --missing | tr ' ' '\n' | grep -vxE 'gcc|objcopy|crt1\.o|' | paste -sd' ')
if [ -z "$missing" ] || installable libiscsi-bin; then echo interop; else impossible interop "missing: $missing"; fi

# The same as tests/Ashlar.TestKit/Tools/NativeLinker.cs does.
if reason=$(gcc -x c -o "$work/program" - <<<'int main(void) { return 0; }' 2>&1 && command -v objcopy 2>&1) || installable gcc; then
    echo native
else
    impossible native "gcc links no programs: ${reason%%$'\n'*}"
fi

# ./test has tried to build the guest by now.
if reason=$(eng/build-guest.sh --where); then echo guests; else impossible guests "no guest at $reason"; fi

# Registries of other languages are not everywhere: what ./test has fetched from them is possible.
missing=$(eng/install-test-tools.sh --missing-sdks)
if [ -z "$missing" ]; then echo sdks; else impossible sdks "missing: $missing"; fi
