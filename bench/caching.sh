#!/usr/bin/env bash
# HybridCache over Ashlar against HybridCache over SQLite, and over memory alone, in one program and the same directory.
# usage: bench/caching.sh [--quick] [--num ENTRIES] [--value BYTES] [--seconds N] [--rounds N] [--dir DIR]
# stdout: a line per row and rival, tab-separated: name, Ashlar, rival, ratio (above 1: Ashlar is better), the rival
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=3 num=100000 value=1000 seconds=3
while [ $# -gt 0 ]; do
    case $1 in
        --quick) rounds=1 seconds=1 num=20000 ;;
        --num) num=$2; shift ;;
        --value) value=$2; shift ;;
        --seconds) seconds=$2; shift ;;
        --rounds) rounds=$2; shift ;;
        --dir) BENCH_DIR=$2; shift ;;
        *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
    esac
    shift
done
driver=$repository/artifacts/bin/Ashlar.Caching.Bench/release/caching-bench

build_driver() {
    DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
    export DOTNET_ROOT
    say "building the driver"
    dotnet build "$repository/bench/Ashlar.Caching.Bench" -c Release --nologo -p:RunAnalyzers=false >"$work/build.log" 2>&1 ||
        { grep -E 'error' "$work/build.log" | sort -u >&2; give_up "the driver does not build"; }
}

drive() { # drive CONTENDER ROUND ROWS
    timeout 900 "$driver" "$1" "$work/$1" --num "$num" --value "$value" --seconds "$seconds" --rows "$3" \
        >>"$work/out/$1.$2" 2>"$work/out/$1.err" || { tail -3 "$work/out/$1.err" >&2; say "$1 failed"; }
}

run() { # run CONTENDER ROUND: a cache of its own, made anew, and a second process that finds it
    mkdir -p "$work/out"
    sync -f "$work"
    drive "$1" "$2" set,get
    drive "$1" "$2" restart
    rm -rf "${work:?}/$1"
}

values_of() { # values_of CONTENDER ROW: of all rounds
    awk -F'\t' -v row="$2" '$1 == row { print $2 }' "$work/out/$1".[0-9]*
}

report() { # report ROW NAME RIVAL [less]
    local ours theirs print=print_row
    [ "${4:-}" = less ] && print=print_less
    mapfile -t ours < <(values_of ashlar "$1")
    mapfile -t theirs < <(values_of "$3" "$1")
    say "$2: ashlar $(spread "${ours[@]}"), $3 $(spread "${theirs[@]}")"
    printf '%s\t%s\n' "$("$print" "$2" "$(median "${ours[@]}")" "$(median "${theirs[@]}")" 1)" "$3"
}

need dotnet
make_work_directory
build_driver
describe_machine
say "entries: $num of $value B; sets are not flushed; gets go around the first tier, but for memory alone, which has no other"
for ((round = 1; round <= rounds; round++)); do
    order="ashlar sqlite memory"
    ((round % 2)) || order="memory sqlite ashlar"
    for contender in $order; do run "$contender" "$round"; done
done
for rival in sqlite memory; do
    report set-1 "set, 1 caller, ops/s" "$rival"
    report set-many "set, 16 callers, ops/s" "$rival"
    report get-1 "get, 1 caller, ops/s" "$rival"
    report get-many "get, 16 callers, ops/s" "$rival"
done
report first-hit-ms "first hit after a restart, ms (less is better)" sqlite less
report restart-gets "first gets after a restart, ops/s" sqlite
report hit-rate "hits after a restart, %" sqlite
report hit-rate "hits after a restart, %" memory
