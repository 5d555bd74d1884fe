#!/usr/bin/env bash
# Key-value engine: Ashlar against LMDB, FASTER and SQLite through their .NET packages, in one program and the same directory.
# usage: bench/kv-vs-lmdb.sh [--quick] [--rows get,scan,put] [--num KEYS] [--value BYTES] [--memory SIZE] [--seconds N] [--rounds N]
#        [--dir DIR]
#   --memory is what each may use: Ashlar's cache, LMDB's map, what SQLite maps of its file, FASTER's log in memory
# stdout: a line per row and rival, tab-separated: name, Ashlar, rival, ratio (above 1: Ashlar is better), the rival, and then the same
#   three for operations in a second of a processor instead of a second of the clock.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=3 rows=get,scan,put num=200000 value=1000 memory=2GiB seconds=3
rivals="lmdb lmdb-snapshot faster sqlite"
while [ $# -gt 0 ]; do
    case $1 in
        --quick) rounds=1 seconds=1 ;;
        --rows) rows=$2; shift ;;
        --num) num=$2; shift ;;
        --value) value=$2; shift ;;
        --memory) memory=$2; shift ;;
        --seconds) seconds=$2; shift ;;
        --rounds) rounds=$2; shift ;;
        --dir) BENCH_DIR=$2; shift ;;
        *) sed -n '2,7s/^# //p' "$0" >&2; exit 2 ;;
    esac
    shift
done
memory_bytes=$(numfmt --from=auto "${memory%B}") || exit 2
home=$repository/artifacts/bin/Ashlar.KeyValue.Rivals/release

# The library in LMDB's package wants a newer C library than Debian 12 has: the system's own takes its place.
install_lmdb() {
    local library
    find_lmdb() { ldconfig -p | sed -n 's/.*liblmdb\.so\.0 .*=> //p' | head -1; }
    [ -n "$(find_lmdb)" ] || [ "$(id -u)" -ne 0 ] || {
        say "installing liblmdb0"
        DEBIAN_FRONTEND=noninteractive timeout 180 apt-get install -qq -y --no-install-recommends liblmdb0 >/dev/null 2>&1
    }
    library=$(find_lmdb)
    if [ -n "$library" ]; then cp "$library" "$home/runtimes/linux-x64/native/liblmdb.so"
    else say "no liblmdb0 here: LMDB runs with the library of its package, if it runs"; fi
}

build_rivals() {
    DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
    export DOTNET_ROOT
    say "building the driver"
    dotnet build "$repository/bench/Ashlar.KeyValue.Rivals" -c Release --nologo -p:RunAnalyzers=false >"$work/build.log" 2>&1 ||
        { grep -E 'error' "$work/build.log" | sort -u >&2; give_up "the driver does not build"; }
    install_lmdb
}

run() { # run CONTENDER ROUND: a store of its own, made anew
    mkdir -p "$work/out"
    sync -f "$work"
    timeout 900 "$home/kv-rivals" "$1" "$work/$1" --num "$num" --value "$value" --memory "$memory_bytes" --seconds "$seconds" \
        --rows "$rows" >"$work/out/$1.$2" 2>"$work/out/$1.err" || { tail -3 "$work/out/$1.err" >&2; say "$1 failed"; }
    rm -rf "${work:?}/$1"
}

figure_of() { # figure_of CONTENDER ROW FIELD: the median of the rounds
    local file values=()
    for file in "$work/out/$1".[0-9]*; do values+=("$(awk -F'\t' -v row="$2" -v field="$3" '$1 == row { print $field }' "$file")"); done
    median "${values[@]}"
}

report() { # report ROW NAME
    local rival
    for rival in $rivals; do
        printf '%s\n' "$2" "$rival" "$(figure_of ashlar "$1" 2)" "$(figure_of "$rival" "$1" 2)" \
            "$(figure_of ashlar "$1" 3)" "$(figure_of "$rival" "$1" 3)" | awk '
            { value[NR] = $0 }
            END {
                if (value[4] == 0) { printf "%s\t%.0f\t-\t-\t%s\n", value[1], value[3], value[2]; exit }
                printf "%s\t%.0f\t%.0f\t%.2f\t%s\t%.0f\t%.0f\t%.2f\n", value[1], value[3], value[4], value[3] / value[4], value[2],
                    value[5], value[6], (value[6] > 0) ? value[5] / value[6] : 0
            }'
    done
}

need dotnet numfmt ldconfig
make_work_directory
build_rivals
describe_machine
say "lmdb: a transaction renewed for each get; lmdb-snapshot: one transaction for all gets of a thread; faster: durable by checkpoint"
for ((round = 1; round <= rounds; round++)); do
    order="ashlar $rivals"
    if ((round % 2 == 0)); then order=$(tac -s ' ' <<<"$order " | tr '\n' ' '); fi
    for contender in $order; do run "$contender" "$round"; done
done
case ,$rows, in *,get,*)
    report get-1 "random get, 1 thread, ops/s"
    report get-2 "random get, 2 threads, ops/s"
esac
case ,$rows, in *,scan,*) report scan "full scan, every byte touched, entries/s" ;; esac
case ,$rows, in *,put,*) report put "durable random put, 1 thread, ops/s" ;; esac
