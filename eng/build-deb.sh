#!/usr/bin/env bash
# Builds a Debian package of the program, which needs no .NET on the machine where it is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'TEXT'
usage: eng/build-deb.sh [--arch amd64|arm64] [--output DIR] [--version VERSION] [--compression xz|gzip|none]
  --arch         of the machine where it is installed [default: this one's]
  --output       where the package goes [default: artifacts/deb]
  --version      of the package [default: that of the program]
  --compression  of the package [default: xz]
The name of the package is printed on stdout.
TEXT
}

architecture=$(dpkg --print-architecture)
output=artifacts/deb
version=
compression=xz
while [ $# -gt 0 ]; do
    case $1 in
        --arch) architecture=$2; shift 2 ;;
        --output) output=$2; shift 2 ;;
        --version) version=$2; shift 2 ;;
        --compression) compression=$2; shift 2 ;;
        --help | -h) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
done
case $architecture in
    amd64) profile=linux-x64 ;;
    arm64) profile=linux-arm64 ;;
    *) echo "eng/build-deb.sh: no program is made for $architecture: amd64 or arm64" >&2; exit 2 ;;
esac

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
[ -n "$version" ] || version=$(dotnet msbuild src/Ashlar -getProperty:Version -nologo)
# The same sources make the same package: files are as old as the commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

# Objects of its own: tests and ./ashlar may be building at the same time. One compiler for all projects, which ends with the build.
compiler=ashlar-deb-$$
result=0
env -u MSBUILDDISABLENODEREUSE dotnet publish src/Ashlar -p:PublishProfile="$profile" -p:ArtifactsPath="$PWD/artifacts/deb-objects" \
    -p:Version="$version" -p:RunAnalyzers=false -nodeReuse:false -p:UseSharedCompilation=true -p:SharedCompilationId="$compiler" \
    -o "$work/program" --nologo -v quiet >&2 || result=$?
pgrep -f -- "-pipename:$compiler" | xargs -r kill 2>/dev/null || true
rm -f "${TMPDIR:-/tmp}/$compiler" # Its socket.
[ "$result" -eq 0 ] || exit "$result"

[ "$(ls "$work/program")" = ashlar ] || { echo "eng/build-deb.sh: not one file: $(ls "$work/program" | paste -sd' ')" >&2; exit 1; }
install -Dm755 "$work/program/ashlar" "$root/usr/bin/ashlar"
install -Dm644 eng/packaging/ashlar.service "$root/usr/lib/systemd/system/ashlar.service"
install -Dm644 eng/packaging/ashlar.json "$root/etc/ashlar/ashlar.json"
install -Dm644 LICENSE "$root/usr/share/doc/ashlar/copyright"
gzip -9nc CHANGELOG.md | install -Dm644 /dev/stdin "$root/usr/share/doc/ashlar/changelog.gz"

# Made by the program itself, on this machine, whatever machine the package is for.
program=${ASHLAR_PROGRAM:-./ashlar}
"$program" man | gzip -9nc | install -Dm644 /dev/stdin "$root/usr/share/man/man1/ashlar.1.gz"
"$program" completion bash | install -Dm644 /dev/stdin "$root/usr/share/bash-completion/completions/ashlar"
"$program" completion zsh | install -Dm644 /dev/stdin "$root/usr/share/zsh/vendor-completions/_ashlar"
"$program" completion fish | install -Dm644 /dev/stdin "$root/usr/share/fish/vendor_completions.d/ashlar.fish"

mkdir -p "$root/DEBIAN"
for script in postinst prerm postrm; do install -m755 "eng/packaging/$script" "$root/DEBIAN/$script"; done
echo /etc/ashlar/ashlar.json >"$root/DEBIAN/conffiles"
(cd "$root" && find . -type f -not -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
cat >"$root/DEBIAN/control" <<CONTROL
Package: ashlar
Version: $version
Architecture: $architecture
Maintainer: The Ashlar authors <ashlar@localhost>
Section: admin
Priority: optional
Installed-Size: $(du -sk --apparent-size "$root" | cut -f1)
Depends: init-system-helpers (>= 1.54), libc6 (>= 2.28), libgcc-s1, libssl3 | libssl3t64 | libssl1.1, libstdc++6, passwd
Suggests: qemu-utils, nbd-client, open-iscsi, libsqlite3-0
Description: block storage in one program: thin volumes over iSCSI and NBD
 Disks for virtual machines and containers: thin volumes with a checksum on
 every block, served over iSCSI and NBD to unmodified clients, on a crash-safe
 engine of its own. The program brings its own runtime.
CONTROL

mkdir -p "$output"
package=$output/ashlar_${version}_$architecture.deb
dpkg-deb --root-owner-group -Z"$compression" --build "$root" "$package" >&2
echo "$package"
