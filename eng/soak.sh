#!/usr/bin/env bash
# Runs what proves Ashlar for as long as one likes, with other seeds every round. Reports in JSON lines; see "--help".
set -uo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'TEXT'
usage: eng/soak.sh [--minutes N | --rounds N] [--seed N] [--short] [--limit N] [--out DIR] [NAME...]
  --minutes N   how long, default 60; a round that has begun goes on to its end, so that every line is there
  --rounds N    how many rounds instead
  --seed N      seed of the first round, default random; round i has seed N + 1000000 i
  --short       rounds of the size of ./test instead of the deep tier's, for a first look
  --limit N     minutes after which one run is ended, which counts as a failure; default 120
  --out DIR     where the report and the logs of failures go, default artifacts/soak
  NAME          only these lines of proof:
                  crashes         crash states of engine, archive, backup, full disk, shards, device file, pools, first start
                  models          random sequences of operations beside a model: engine, shards, devices, pools; clocks that jump
                  faults          I/O errors at every operation, memory that runs out, flipped bits, misplaced writes: engine, devices, pools
                  histories       linearizability of the engine, and of blocks over both protocols
                  kills           processes with a store of the engine
                  powercuts       file systems below a store of the engine
                  serverkills     servers with clients of both protocols
                  serverpowercuts file systems below such a server
                  limits          too little heap, few descriptors, full disks, crowds, slow clients, limits of rate
                  fuzz            parsers and sessions of NBD, iSCSI and SCSI, and what is on disk; huge numbers in fields
                  mutations       random changes of one project a round, which quick tests have to notice (eng/mutate.sh)
Standard output, and DIR/report.jsonl, have a JSON object for each thing measured; a "soak run" for each run, with seed, tests, seconds
and what failed; a "soak total" for each kind of thing measured, with counts added up; and a "soak" at the end. The exit code is 0 only
if something passed and nothing failed. Standard error says what goes on, and of each failure how to replay it. What the machine's
pace decides (kills, power cuts, threads) does not replay exactly. Changes that no test noticed are no failures; DIR/survivors has them.
TEXT
}

all=(crashes models faults histories kills powercuts serverkills serverpowercuts limits fuzz mutations)
mutated=(Volumes KeyValue Blocks Files Iscsi KeyValue.Sharding Nbd Storage Scsi Transport Server)
minutes=60 rounds_wanted= seed=$((RANDOM * 32768 + RANDOM)) tier=deep limit=120 out=artifacts/soak names=()
number() { [[ ${1-} =~ ^[0-9]+$ ]] || { usage >&2; exit 2; }; echo "$1"; }
while [ $# -gt 0 ]; do
    case $1 in
        --minutes) minutes=$(number "${2-}") || exit 2; shift ;;
        --rounds) rounds_wanted=$(number "${2-}") || exit 2; shift ;;
        --seed) seed=$(number "${2-}") || exit 2; shift ;;
        --limit) limit=$(number "${2-}") || exit 2; shift ;;
        --out) out=${2-artifacts/soak}; shift ;;
        --short) tier= ;;
        --help | -h) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
        *) [[ " ${all[*]} " == *" $1 "* ]] || { usage >&2; exit 2; }; names+=("$1") ;;
    esac
    shift
done
[ ${#names[@]} -gt 0 ] || names=("${all[@]}")

# PROJECT FILTER VARIABLE=...: what a line of proof runs. Variables are for the deep tier, which some tests go beyond here.
runs() {
    case $1 in
        crashes)
            echo "KeyValue.Scenarios ~StoreScenarioTests"
            for project in KeyValue KeyValue.Sharding Blocks Volumes; do echo "$project ~CrashTests"; done
            echo "Server ~FirstStartTests"
            ;;
        models)
            for project in KeyValue KeyValue.Sharding; do echo "$project ~ModelTests ASHLAR_SEEDS=500"; done
            echo "Blocks ~ModelTests ASHLAR_SEEDS=200"
            echo "Volumes ~SequenceTests ASHLAR_SEEDS=500"
            for project in KeyValue Volumes; do echo "$project ~ClockJumpTests"; done
            ;;
        faults)
            echo "KeyValue.Scenarios ~ScenarioFaultTests|~FaultProbeTests"
            echo "KeyValue ~FaultTests|~MisplacedTests|~DifferentialTests|~BitFlipTests|~RepairTests|~.MemoryTests"
            echo "Blocks ~FailingDiskTests|~FaultyDeviceTests|~MisplacedSectorTests"
            echo "Volumes ~FaultSweepTests|~MisplacedBlockTests|~MisplacedFileTests"
            ;;
        histories)
            echo "KeyValue ~LinearizabilityTests.Concurrent ASHLAR_HISTORIES=1000"
            echo "Interop ~LinearizabilityTests.Blocks"
            ;;
        kills) echo "KeyValue.Endurance ~ProcessKillTests.Acknowledged" ;;
        powercuts) echo "KeyValue.Endurance ~PowerCutTests.Durable" ;;
        serverkills) echo "Interop ~ServerCrashTests.Flushed&~kills" ;;
        serverpowercuts) echo "Interop ~ServerCrashTests.Flushed&~power" ;;
        limits)
            echo "KeyValue.Scenarios ~ConfinedProcessTests"
            echo "KeyValue.Endurance ~FullDiskTests"
            echo "Interop ~ServerCrashTests.A_server_with_little|~ConnectionCrowdTests|~DescriptorTests|~SlowClientTests|~RateLimitTests"
            echo "Nbd ~SlowClientTests|~RateLimitTests"
            echo "Iscsi ~SlowInitiatorTests|~RateLimitTests"
            echo "Blocks ~RateLimitTests"
            ;;
        fuzz)
            for project in Nbd Iscsi; do echo "$project ~FuzzTests|~MutatedSessionTests|~HugeLengthTests"; done
            echo "Scsi ~FuzzTests|~HugeNumberTests"
            for project in KeyValue KeyValue.Sharding; do echo "$project ~FuzzTests"; done
            echo "Server ~HugeNumberTests"
            ;;
    esac
}

unset ASHLAR_SEED ASHLAR_CRASH ASHLAR_TIER # One seed for ever is no soak.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 PATH="$PATH:/usr/sbin:/sbin"
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 1
report=$out/report.jsonl
: >"$report"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*" >&2; }
state() { tee -a "$report"; }

# What runs now is in a process group of its own, which "timeout" ends as a whole.
running= interrupted=false
trap 'interrupted=true; [ -z "$running" ] || kill "$running" 2>/dev/null' INT TERM HUP
bounded() { # COMMAND...: for as long as one run may take; its output becomes the log.
    timeout -k 30 $((limit * 60)) "$@" >"$log" 2>&1 </dev/null &
    running=$!
    local code=0
    wait "$running" || code=$?
    # A signal ends "wait" before it ends what is waited for.
    if $interrupted; then wait "$running" || code=$?; fi
    running=
    return "$code"
}

failed=0 ran=0 left_out=0 passed_in_all=0
conclude() { # NAME PROJECT SECONDS CODE PASSED SKIPPED REPLAY: says how a run ended, and keeps the log of one that failed.
    local name=$1 project=$2 seconds=$3 code=$4 passed=${5:-0} skipped=${6:-0} replay=$7 result=passed kept=
    ran=$((ran + 1))
    passed_in_all=$((passed_in_all + passed))
    # 137 is also what the system's killer leaves, which takes whoever has most memory.
    if [ "$code" -eq 124 ] || { [ "$code" -eq 137 ] && [ "$seconds" -ge $((limit * 60)) ]; }; then result="ended after $limit minutes"
    elif [ "$code" -ne 0 ]; then result=failed
    elif [ "$passed" -eq 0 ] && [ "$skipped" -eq 0 ]; then result="no test fits"
    elif [ "$passed" -eq 0 ]; then result=skipped left_out=$((left_out + 1))
    fi
    if [ "$result" != passed ] && [ "$result" != skipped ]; then
        failed=$((failed + 1))
        kept=$out/failed-$failed-$name-$project.log
        cp "$log" "$kept"
        say "$result: $name of $project, seed $seed. The whole log is $kept. Replay:"
        printf '    %s\n' "$replay" >&2
        grep -aA25 '^ *Failed \|Error Message' "$log" | head -n 80 >&2
    fi
    perl -CA -MJSON::PP -e '
        my ($name, $project, $seed, $seconds, $result, $passed, $skipped, $kept) = splice @ARGV, 0, 8;
        my @failed = map { /^ +Failed (.+?) \[[^\]]*\]\s*$/ ? $1 : () } <>;
        print JSON::PP->new->canonical->encode({ line => "soak run", name => $name, project => $project, seed => $seed + 0,
            seconds => $seconds + 0, result => $result, passed => $passed + 0, skipped => $skipped + 0,
            failures => ($result =~ /^(passed|skipped)$/ ? 0 : 1), tests => \@failed, $kept ne "" ? (log => $kept) : () }), "\n"' \
        "$name" "$project" "$seed" "$seconds" "$result" "$passed" "$skipped" "$kept" "$log" | state
}

# One run of tests, with seeds of the round.
run_tests() { # NAME PROJECT FILTER VARIABLE=...
    local name=$1 project=$2 filter=${3//\~/FullyQualifiedName\~} begun=$SECONDS code=0
    shift 3
    [ -n "$tier" ] || set --
    bounded env ASHLAR_TIER="$tier" ASHLAR_SEED_FROM="$seed" "$@" dotnet test "tests/Ashlar.$project.Tests" -c Release --no-build --nologo \
        --filter "$filter" --logger "console;verbosity=detailed" || code=$?
    ! $interrupted || return
    # A test that fails says what it measured twice.
    grep -aoh '{"line":.*}' "$log" | awk '!seen[$0]++' | state
    conclude "$name" "$project" $((SECONDS - begun)) "$code" "$(counted Passed)" "$(counted Skipped)" \
        "${tier:+ASHLAR_TIER=$tier }ASHLAR_SEED_FROM=$seed $* ASHLAR_TEST_FILTER='$filter' ./test $project"
}
counted() { sed -n "s/^ *$1: *\([0-9]*\).*/\1/p" "$log" | tail -n 1; }

run_mutations() { # One project a round: building and trying all tests once takes longer than a few mutations.
    local project=${mutated[$((rounds % ${#mutated[@]}))]} begun=$SECONDS code=0
    local command=(eng/mutate.sh --lines "$([ -n "$tier" ] && echo 30 || echo 4)" --seed "$seed" --out "$out/mutations" "$project")
    bounded "${command[@]}" || code=$?
    ! $interrupted || return
    grep -ah '^\(Survived\|NoCoverage\) ' "$log" >>"$out/survivors"
    grep -aoh '{"line":.*}' "$log" | state
    conclude mutations "$project" $((SECONDS - begun)) "$code" "$(grep -ac '{"line":"mutations"' "$log")" 0 "${command[*]}"
}

for name in "${names[@]}"; do runs "$name"; done | cut -d' ' -f1 | sort -u | while read -r project; do
    say "building the tests of $project"
    dotnet build "tests/Ashlar.$project.Tests" -c Release -v quiet -nologo --disable-build-servers >"$log" 2>&1 </dev/null ||
        { cat "$log" >&2; exit 1; }
done || exit 1

rounds=0
SECONDS=0 # Building is not soaking.
while ! $interrupted && if [ -n "$rounds_wanted" ]; then [ "$rounds" -lt "$rounds_wanted" ]; else [ $SECONDS -lt $((minutes * 60)) ]; fi; do
    for name in "${names[@]}"; do
        ! $interrupted || break
        say "round $((rounds + 1)), seed $seed: $name"
        [ "$name" != mutations ] || run_mutations
        while ! $interrupted && read -r -a parts; do run_tests "$name" "${parts[@]}"; done < <(runs "$name")
    done
    $interrupted || rounds=$((rounds + 1))
    seed=$((seed + 1000000)) # Beyond what one round takes: some tests run tens of thousands of seeds.
done

perl -MJSON::PP -e '
    my (%total, @order);
    sub add { my ($sum, $each) = @_;
        for my $key (grep !/^(line|seeds?|failures)$/, keys %$each) {
            my $value = $each->{$key};
            if (ref $value eq "HASH") { add($sum->{$key} //= {}, $value) }
            elsif (ref $value || $value !~ /^-?\d+(\.\d+)?$/) { }
            elsif (!defined $sum->{$key}) { $sum->{$key} = $value + 0 }
            elsif ($key =~ /^fewest/) { $sum->{$key} = $value if $value < $sum->{$key} }
            elsif ($key =~ /^most/) { $sum->{$key} = $value if $value > $sum->{$key} }
            else { $sum->{$key} += $value }
        } }
    while (<>) {
        my $each = eval { decode_json($_) } or next;
        next if $each->{line} =~ /^soak/;
        my $of = join ", ", $each->{line}, map { $each->{$_} // () } qw(parser protocol fileSystem);
        push @order, $of unless $total{$of};
        my $sum = $total{$of} //= { line => "soak total", of => $of, runs => 0 };
        $sum->{runs}++;
        add($sum, $each);
    }
    print JSON::PP->new->canonical->encode($total{$_}), "\n" for @order' "$report" >"$log"
state <"$log"
printf '{"line":"soak","rounds":%s,"seconds":%s,"runs":%s,"passed":%s,"skipped runs":%s,"interrupted":%s,"failures":%s}\n' \
    "$rounds" "$SECONDS" "$ran" "$passed_in_all" "$left_out" "$interrupted" "$failed" | state
[ "$left_out" -eq 0 ] || say "$left_out runs were skipped by this machine; eng/possible-tests.sh says what it can run"
say "$ran runs in $rounds rounds, $failed failed; the report is $report"
! $interrupted || exit 130
[ "$failed" -eq 0 ] && [ "$passed_in_all" -gt 0 ]
