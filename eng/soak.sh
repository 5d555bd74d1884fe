#!/usr/bin/env bash
# Runs what proves Ashlar for as long as one likes, with other seeds every round. Prints one JSON line per run of a line of proof.
set -uo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'TEXT'
usage: eng/soak.sh [--minutes N] [--seed N] [NAME...]
  --minutes N   how long, default 60; a round that has begun goes on to its end, so that every line is there
  --seed N      seed of the first round, default random; round i has seed N + 1000 i
  NAME          only these lines of proof:
                  crashes         crash states of engine, archive, backup, full disk, shards, device file, pools
                  models          random sequences of operations beside a model: engine, shards, devices, pools
                  faults          I/O errors at every operation, flipped bits: engine, devices, pools
                  histories       linearizability of the engine, and of blocks over both protocols
                  kills           processes with a store of the engine
                  powercuts       file systems below a store of the engine
                  serverkills     servers with clients of both protocols
                  serverpowercuts file systems below such a server
                  fuzz            parsers and sessions of NBD, iSCSI and SCSI
Each line of output is a JSON object: line, seed, counts, failures. The exit code is 0 only if nothing failed.
A failure is printed with its seed; what the machine's pace decides (kills, power cuts, threads) does not replay exactly.
TEXT
}

all=(crashes models faults histories kills powercuts serverkills serverpowercuts fuzz)
minutes=60 seed=$((RANDOM * 32768 + RANDOM)) names=()
while [ $# -gt 0 ]; do
    case $1 in
        --minutes) minutes=$2; shift 2 ;;
        --seed) seed=$2; shift 2 ;;
        --help | -h) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
        *) [[ " ${all[*]} " == *" $1 "* ]] || { usage >&2; exit 2; }; names+=("$1"); shift ;;
    esac
done
[ ${#names[@]} -gt 0 ] || names=("${all[@]}")

# NAME PROJECT FILTER VARIABLE=...: what a line of proof runs.
runs() {
    case $1 in
        crashes)
            echo "KeyValue.Scenarios FullyQualifiedName~StoreScenarioTests"
            echo "KeyValue FullyQualifiedName~CrashTests"
            echo "KeyValue.Sharding FullyQualifiedName~CrashTests"
            echo "Blocks FullyQualifiedName~CrashTests"
            echo "Volumes FullyQualifiedName~CrashTests"
            echo "Server FullyQualifiedName~FirstStartTests"
            ;;
        models)
            echo "KeyValue FullyQualifiedName~ModelTests ASHLAR_SEEDS=500"
            echo "KeyValue.Sharding FullyQualifiedName~ModelTests ASHLAR_SEEDS=500"
            echo "Blocks FullyQualifiedName~ModelTests ASHLAR_SEEDS=200"
            echo "Volumes FullyQualifiedName~ModelTests ASHLAR_SEEDS=100"
            ;;
        faults)
            echo "KeyValue.Scenarios FullyQualifiedName~ScenarioFaultTests"
            echo "KeyValue FullyQualifiedName~MisplacedTests|FullyQualifiedName~DifferentialTests|FullyQualifiedName~BitFlipTests"
            echo "Blocks FullyQualifiedName~FailingDiskTests"
            echo "Volumes FullyQualifiedName~.Faults."
            ;;
        histories)
            echo "KeyValue FullyQualifiedName~LinearizabilityTests.Concurrent ASHLAR_HISTORIES=1000"
            echo "Interop FullyQualifiedName~LinearizabilityTests.Blocks"
            ;;
        kills) echo "KeyValue.Endurance FullyQualifiedName~ProcessKillTests.Acknowledged ASHLAR_ENGINE_KILLS=600" ;;
        powercuts) echo "KeyValue.Endurance FullyQualifiedName~PowerCutTests.Durable ASHLAR_POWER_CUTS=300" ;;
        serverkills) echo "Interop FullyQualifiedName~ServerCrashTests.Flushed&FullyQualifiedName~kills ASHLAR_KILL_CYCLES=100" ;;
        serverpowercuts) echo "Interop FullyQualifiedName~ServerCrashTests.Flushed&FullyQualifiedName~power ASHLAR_SERVER_POWER_CUTS=100" ;;
        fuzz) for project in Nbd Iscsi Scsi KeyValue KeyValue.Sharding; do echo "$project FullyQualifiedName~FuzzTests|FullyQualifiedName~MutatedSessionTests"; done ;;
    esac
}

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 PATH="$PATH:/usr/sbin:/sbin"
for name in "${names[@]}"; do runs "$name"; done | cut -d' ' -f1 | sort -u | while read -r project; do
    dotnet build "tests/Ashlar.$project.Tests" -c Release -v quiet -nologo --disable-build-servers >/dev/null </dev/null ||
        { echo "The build of $project failed." >&2; exit 1; }
done || exit 1

# One round of one run. Its tests are those of the deep tier, with seeds of the round.
run() {
    local name=$1 project=$2 filter=$3
    shift 3
    local log
    log=$(mktemp)
    env ASHLAR_TIER=deep ASHLAR_SEED_FROM="$seed" "$@" timeout -k 30 7200 dotnet test "tests/Ashlar.$project.Tests" -c Release --no-build --nologo \
        --filter "$filter" --logger "console;verbosity=detailed" >"$log" 2>&1 </dev/null
    local code=$?
    local passed skipped
    passed=$(sed -n 's/^ *Passed: *\([0-9]*\).*/\1/p' "$log" | tail -1)
    skipped=$(sed -n 's/^ *Skipped: *\([0-9]*\).*/\1/p' "$log" | tail -1)
    # A filter that matches no test passes as well.
    [ $((${passed:-0} + ${skipped:-0})) -gt 0 ] || code=1
    grep -aoh '{"line":.*}' "$log"
    printf '{"line":"soak %s","project":"%s","seed":%s,"passed":%s,"skipped":%s,"failures":%s}\n' \
        "$name" "$project" "$seed" "${passed:-0}" "${skipped:-0}" "$((code != 0))"
    if [ $code -ne 0 ]; then
        grep -A60 -E '\[FAIL\]|Error Message' "$log" >&2
        failed=$((failed + 1))
    fi
    rm -f "$log"
}

failed=0 rounds=0
SECONDS=0 # Building is not soaking.
while [ $SECONDS -lt $((minutes * 60)) ]; do
    for name in "${names[@]}"; do
        while read -r -a parts; do run "$name" "${parts[@]}"; done < <(runs "$name")
    done
    rounds=$((rounds + 1))
    seed=$((seed + 1000))
done
printf '{"line":"soak","rounds":%s,"seconds":%s,"failures":%s}\n' "$rounds" "$SECONDS" "$failed"
[ "$failed" -eq 0 ]
