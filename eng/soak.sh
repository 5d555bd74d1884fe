#!/usr/bin/env bash
# Runs what proves the engine for as long as one likes, with other seeds every round. Prints one JSON line per line of proof.
set -uo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'TEXT'
usage: eng/soak.sh [--minutes N] [--seed N] [NAME...]
  --minutes N   how long, default 10; a round that has begun goes on to its end, so that every line is there: about 10 minutes
  --seed N      seed of the first round, default random; round i has seed N + 1000 i
  NAME          only these lines of proof: crashes kills powercuts histories models faults
Each line of output is a JSON object: line, seed, counts, failures. The exit code is 0 only if nothing failed.
A failure is printed with its seed; what the machine's pace decides (kills, power cuts, threads) does not replay exactly.
TEXT
}

minutes=10 seed=$((RANDOM * 32768 + RANDOM)) names=()
while [ $# -gt 0 ]; do
    case $1 in
        --minutes) minutes=$2; shift 2 ;;
        --seed) seed=$2; shift 2 ;;
        --help | -h) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
        *) names+=("$1"); shift ;;
    esac
done
[ ${#names[@]} -gt 0 ] || names=(crashes kills powercuts histories models faults)

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 PATH="$PATH:/usr/sbin:/sbin"
for project in Ashlar.KeyValue.Tests Ashlar.KeyValue.Sharding.Tests Ashlar.KeyValue.Endurance.Tests; do
    dotnet build "tests/$project" -c Release -v quiet -nologo --disable-build-servers >/dev/null || { echo "The build failed." >&2; exit 1; }
done

# One round of one line: project, filter, and the variables that say how much.
run() {
    local name=$1 project=$2 filter=$3
    shift 3
    local log
    log=$(mktemp)
    env ASHLAR_SEED_FROM="$seed" "$@" timeout -k 30 3600 dotnet test "tests/$project" -c Release --no-build --nologo \
        --filter "$filter" --logger "console;verbosity=detailed" >"$log" 2>&1
    local code=$?
    local passed skipped
    passed=$(sed -n 's/^ *Passed: *\([0-9]*\).*/\1/p' "$log" | tail -1)
    skipped=$(sed -n 's/^ *Skipped: *\([0-9]*\).*/\1/p' "$log" | tail -1)
    # A filter that matches no test passes as well.
    [ $((${passed:-0} + ${skipped:-0})) -gt 0 ] || code=1
    if grep -aoh '{"line":.*}' "$log"; then :; elif [ $code -eq 0 ]; then
        printf '{"line":"engine %s","seed":%s,"passed":%s,"skipped":%s,"failures":0}\n' "$name" "$seed" "${passed:-0}" "${skipped:-0}"
    fi
    if [ $code -ne 0 ]; then
        printf '{"line":"engine %s","seed":%s,"failures":1}\n' "$name" "$seed"
        grep -A60 -E '\[FAIL\]|Error Message' "$log" >&2
        failed=$((failed + 1))
    fi
    rm -f "$log"
}

failed=0 rounds=0
SECONDS=0 # Building is not soaking.
while [ $SECONDS -lt $((minutes * 60)) ]; do
    for name in "${names[@]}"; do
        case $name in
            crashes) run "$name" Ashlar.KeyValue.Tests 'FullyQualifiedName~.CrashTests' ASHLAR_CRASH_ROUNDS=2 ;;
            kills) run "$name" Ashlar.KeyValue.Endurance.Tests 'FullyQualifiedName~ProcessKillTests.Acknowledged' ASHLAR_ENGINE_KILLS=400 ;;
            powercuts) run "$name" Ashlar.KeyValue.Endurance.Tests 'FullyQualifiedName~PowerCutTests.Durable' ASHLAR_POWER_CUTS=150 ;;
            histories) run "$name" Ashlar.KeyValue.Tests 'FullyQualifiedName~LinearizabilityTests.Concurrent' ASHLAR_HISTORIES=1000 ;;
            models)
                run "$name" Ashlar.KeyValue.Tests 'FullyQualifiedName~ModelTests' ASHLAR_SEEDS=${ASHLAR_SEEDS:-500}
                run "$name" Ashlar.KeyValue.Sharding.Tests 'FullyQualifiedName~ModelTests' ASHLAR_SEEDS=${ASHLAR_SEEDS:-500}
                ;;
            faults) run "$name" Ashlar.KeyValue.Tests 'FullyQualifiedName~FaultSweepTests|FullyQualifiedName~BitFlipTests' ;;
            *) usage >&2; exit 2 ;;
        esac
    done
    rounds=$((rounds + 1))
    seed=$((seed + 1000))
done
printf '{"line":"soak","rounds":%s,"seconds":%s,"failures":%s}\n' "$rounds" "$SECONDS" "$failed"
[ "$failed" -eq 0 ]
