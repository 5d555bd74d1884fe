#!/usr/bin/env bash
# Installs the programs that tests and benchmarks talk to Ashlar with, where that is allowed (apt-get, root).
# Never fails: what stays missing is named on stderr, and the tests that need it are skipped by name.
# With --missing it only prints what is missing, with --missing-packages the packages that have it, with --missing-sdks what is missing of
# the libraries that come from npm and PyPI: those go into a folder of the user's caches (ASHLAR_TEST_TOOLS), and nowhere else.
set -u
cd "$(dirname "$0")/.."

# command or library=Debian package
needs=(
    fio=fio qemu-img=qemu-utils qemu-nbd=qemu-utils block-iscsi.so=qemu-block-extra
    nbdinfo=libnbd-bin nbdcopy=libnbd-bin nbdfuse=libnbd-bin libnbd.so.0=libnbd0 python3-libnbd=python3-libnbd nbdkit=nbdkit
    iscsi-ls=libiscsi-bin iscsi-test-cu=libiscsi-bin libiscsi.so.7=libiscsi7
    zsh=zsh fish=fish groff=groff setpriv=util-linux script=bsdutils
    mkfs.ext4=e2fsprogs e2fsck=e2fsprogs mkfs.xfs=xfsprogs
    ip=iproute2 curl=curl man=man-db sqlite3=sqlite3 libsqlite3.so.0=libsqlite3-0
    postgres=postgresql
    qemu-system-x86_64=qemu-system-x86 mmdebstrap=mmdebstrap
    aws=awscli rclone=rclone s3cmd=s3cmd restic=restic s3fs=s3fs boto3=python3-boto3
    node=nodejs npm=npm
    gcc=gcc objcopy=binutils crt1.o=libc6-dev
)
PATH=$PATH:/usr/sbin:/sbin

present() {
    case $1 in
        block-iscsi.so) compgen -G '/usr/lib*/*/qemu/block-iscsi.so' >/dev/null || compgen -G '/usr/lib*/qemu/block-iscsi.so' >/dev/null ;;
        *.so.*) compgen -G "/usr/lib*/*/$1" >/dev/null || compgen -G "/lib*/*/$1" >/dev/null || compgen -G "/usr/lib*/$1" >/dev/null ;;
        python3-libnbd) [ -e /usr/lib/python3/dist-packages/nbd.py ] ;;
        crt1.o) compgen -G '/usr/lib*/*/crt1.o' >/dev/null || compgen -G '/usr/lib*/crt1.o' >/dev/null ;;
        boto3) [ -e /usr/lib/python3/dist-packages/boto3 ] ;;
        postgres) compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

missing=() packages=()
find_missing() {
    missing=() packages=()
    for need in "${needs[@]}"; do
        present "${need%%=*}" || { missing+=("${need%%=*}"); packages+=("${need#*=}"); }
    done
}

# The names of the folders are those of tests/Ashlar.TestKit/Tools/LanguageSdks.cs.
cache=${ASHLAR_TEST_TOOLS:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ashlar-test-tools}
js_version=3.1169.0 boto3_version=1.43.11
js=$cache/aws-sdk-js-$js_version boto3=$cache/boto3-$boto3_version
has_js() { [ -d "$js/node_modules/@aws-sdk/client-s3" ]; }
has_new_boto3() {
    local directory
    [ -d "$boto3/boto3" ] && return
    while IFS= read -rd: directory; do
        [ -x "$directory/python3" ] && "$directory/python3" -c '
import importlib.metadata, sys
sys.exit(tuple(map(int, importlib.metadata.version("boto3").split(".")[:2])) < (1, 36))' 2>/dev/null && return
    done <<<"$PATH:"
    return 1
}
missing_sdks() {
    has_js || echo aws-sdk-js
    has_new_boto3 || echo boto3-1.36
}
# Each into a folder beside its own, so that what was cut off is not taken for whole. A registry that is not reached is no failure.
install_sdks() {
    if ! has_js && node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2>/dev/null && command -v npm >/dev/null; then
        echo "test tools: npm: @aws-sdk/client-s3 $js_version" >&2
        rm -rf "$js.new" && mkdir -p "$js.new" && timeout -k 10 300 npm install --prefix "$js.new" --no-save --no-audit --no-fund --silent \
            "@aws-sdk/client-s3@$js_version" "@aws-sdk/lib-storage@$js_version" "@aws-sdk/s3-request-presigner@$js_version" \
            >/dev/null 2>&1 </dev/null && rm -rf "$js" && mv "$js.new" "$js"
        rm -rf "$js.new"
    fi
    if ! has_new_boto3 && command -v pip3 >/dev/null; then
        echo "test tools: pip: boto3 $boto3_version" >&2
        rm -rf "$boto3.new" && mkdir -p "$boto3.new" && timeout -k 10 120 pip3 install --quiet --retries 1 --target "$boto3.new" \
            "boto3==$boto3_version" >/dev/null 2>&1 </dev/null && rm -rf "$boto3" && mv "$boto3.new" "$boto3"
        rm -rf "$boto3.new"
    fi
    [ -z "$(missing_sdks)" ] || echo "test tools: registries gave no $(missing_sdks | paste -sd' ')" >&2
}

find_missing
[ "${1-}" != --missing-sdks ] || { missing_sdks | paste -sd' '; exit 0; }
[ "${1-}" != --missing ] || { echo "${missing[*]-}"; exit 0; }
[ "${1-}" != --missing-packages ] || { printf '%s\n' "${packages[@]-}" | sort -u | paste -sd' '; exit 0; }
[ ${#missing[@]} -eq 0 ] && { install_sdks; exit 0; }

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null && as_root=(sudo -n) || as_root=(false)
fi
if command -v apt-get >/dev/null && [ "${as_root[*]-}" != false ]; then
    echo "test tools: installing ${packages[*]}" >&2
    apt() { timeout -k 10 "$1" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq \
        -o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o DPkg::Lock::Timeout=60 "${@:2}" >/dev/null 2>&1; }
    # Its package would make a database and start it, now and with the machine; tests have their own.
    no_cluster=/etc/postgresql-common/createcluster.d/ashlar-test-tools.conf
    if [[ " ${packages[*]} " = *" postgresql "* ]]; then
        "${as_root[@]}" mkdir -p "${no_cluster%/*}" && echo 'create_main_cluster = false' | "${as_root[@]}" tee "$no_cluster" >/dev/null
        trap '"${as_root[@]}" rm -f "$no_cluster"' EXIT
    fi
    for attempt in 1 2 3; do
        apt 120 update && break
        [ "$attempt" = 3 ] || sleep 5
    done
    # All at once first; one by one when a single name spoils the lot.
    if ! apt 300 install -y --no-install-recommends "${packages[@]}"; then
        for package in $(printf '%s\n' "${packages[@]}" | sort -u); do
            apt 120 install -y --no-install-recommends "$package" || echo "test tools: could not install $package" >&2
        done
    fi
    find_missing
fi
install_sdks
[ ${#missing[@]} -eq 0 ] || echo "test tools: still missing: ${missing[*]}" >&2
exit 0
