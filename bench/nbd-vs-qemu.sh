#!/usr/bin/env bash
# NBD: Ashlar against qemu-nbd or another server, all acknowledging from their cache, on the same file system.
# usage: bench/nbd-vs-qemu.sh [--quick] [--fsync] [--tls] [--pin] [--rival NAME] [--rows PATTERN] [--rounds N] [--paired CHECKOUT]
#   --tls     both with TLS, as fio's libnbd negotiates it; certificates are made by openssl
#   --pin     servers have the first processor, and fio the others
#   --rival   qemu-nbd, qemu-nbd:MODE with a cache mode of it, nbdkit-file, nbdkit-memory (which has no disk)
#   --rows    only rows whose name the regular expression matches
#   --paired  against the Ashlar of another checkout instead, such as an earlier state
# stdout: one line per work, tab-separated: name, Ashlar, rival, ratio (above 1 is faster than the rival).
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$repository/bench/fio.sh"

size_mib=1024 fsync=true tls=false pin=false rows= rival=qemu-nbd paired=
while [ $# -gt 0 ]; do
    case $1 in
        --quick) rounds=2 seconds=1 ramp=0.3 size_mib=512 fsync=false ;;
        --fsync) fsync=true ;;
        --tls) tls=true ;;
        --pin) pin=true ;;
        --rival) rival=$2; shift ;;
        --rows) rows=$2; shift ;;
        --rounds) rounds=$2; shift ;;
        --paired) paired=$2; shift ;;
        *) sed -n '2,9s/^# //p' "$0" >&2; exit 2 ;;
    esac
    shift
done

install_tools
need_fio
need dotnet
make_work_directory
. "$repository/bench/ashlar.sh"

# make_certificates DIRECTORY: of an authority and of a server on this machine, named as QEMU and libnbd look for them
make_certificates() {
    need openssl
    mkdir -p "$1"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1/ca-key.pem" -out "$1/ca-cert.pem" \
        -days 2 -subj /CN=bench -addext keyUsage=critical,keyCertSign 2>/dev/null &&
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1/server-key.pem" -out "$1/server-cert.pem" -days 2 \
            -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
            -CA "$1/ca-cert.pem" -CAkey "$1/ca-key.pem" 2>/dev/null || give_up "cannot make certificates"
}

uri_of() { # uri_of PORT NAME
    if $tls; then echo "nbds://localhost:$1/$2"; else echo "nbd://127.0.0.1:$1/$2"; fi
}

if $tls; then
    make_certificates "$work/pki"
    fio_home=$work/home
    mkdir -p "$fio_home/.pki/libnbd" && cp "$work/pki/ca-cert.pem" "$fio_home/.pki/libnbd"
    ashlar_options=(--nbd-tls required --tls-certificate "$work/pki/server-cert.pem" --tls-key "$work/pki/server-key.pem")
    qemu_nbd_options=(--object "tls-creds-x509,id=tls,endpoint=server,verify-peer=no,dir=$work/pki" --tls-creds tls)
fi

start_side() { # start_side SIDE NAME
    start_ashlar "$work/$1"
    create_volume bench "${size_mib}MiB"
    side_name[$1]=$2 side_pid[$1]=$ashlar_pid side_uri[$1]=$(uri_of "$ashlar_nbd_port" bench)
}
start_side ours ashlar
if [ -n "$paired" ]; then
    start_paired "$paired" start_side theirs other
    version=$paired
else
    case $rival in
        qemu-nbd | qemu-nbd:*)
            need qemu-nbd
            [[ $rival != *:* ]] || qemu_nbd_cache=${rival#*:}
            start_qemu_nbd "$work/rival.img" "$size_mib"
            version="$(qemu-nbd --version | head -1), cache $qemu_nbd_cache"
            ;;
        nbdkit-file | nbdkit-memory)
            need nbdkit
            ! $tls || give_up "nbdkit is not measured with TLS"
            start_nbdkit "${rival#nbdkit-}" "$work/rival.img" "$size_mib"
            version="$(nbdkit --version), plugin ${rival#nbdkit-}"
            ;;
        *) give_up "no such rival: $rival" ;;
    esac
    side_name[theirs]=$rival side_pid[theirs]=$rival_pid side_uri[theirs]=$(uri_of "$rival_port" '')
fi
if $pin && command -v taskset >/dev/null && [ "$(nproc)" -gt 1 ]; then
    fio_pin=(taskset -c "1-$(($(nproc) - 1))")
    for side in ours theirs; do taskset -acp 0 "${side_pid[$side]}" >/dev/null; done
fi

describe_machine
say "rival:   $version, fio: $(fio --version), size ${size_mib} MiB, $rounds rounds of $seconds s"

say "filling both with random bytes"
for side in ours theirs; do
    side_options[$side]=--size=${size_mib}m
    run_fio "${side_uri[$side]}" write 1m 8 --size="${size_mib}m" --end_fsync=1 >/dev/null
done
# Nobody pays for the other's write-back, and both have met the small requests before the clock runs.
sync -f "$work"
for side in ours theirs; do
    run_fio "${side_uri[$side]}" randrw 4k 32 --size="${size_mib}m" --time_based --runtime=3 >/dev/null
done

compare "4 KiB random read, depth 1, IOPS" 1 randread 4k 1
compare "4 KiB random read, depth 32, IOPS" 1 randread 4k 32
[ -z "${cpu_ours:-}" ] || print_less "us of the server for each 4 KiB read, depth 32, less is better" "$cpu_ours" "$cpu_theirs" 2
compare "4 KiB random write, depth 1, IOPS" 1 randwrite 4k 1
compare "4 KiB random write, depth 32, IOPS" 1 randwrite 4k 32
compare "1 MiB sequential read, depth 8, MiB/s" 2 read 1m 8
compare "1 MiB sequential write, depth 8, MiB/s" 2 write 1m 8
if $fsync; then
    compare "4 KiB random write, flush after each, depth 1, IOPS" 1 randwrite 4k 1 --fsync=1
    compare "4 KiB random write, flush after 32, depth 32, IOPS" 1 randwrite 4k 32 --fsync=32
    compare "4 KiB random write, flush after each, 32 connections, IOPS" 1 randwrite 4k 1 --fsync=1 --numjobs=32
fi
