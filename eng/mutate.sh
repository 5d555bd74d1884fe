#!/usr/bin/env bash
# Changes the program at random places, one at a time, and says which changes no test notices. Uses Stryker (a dotnet tool).
set -uo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'TEXT'
usage: eng/mutate.sh [--lines N] [--seed N] [--changed COMMIT] [--again FILE] [--all-tests] [--jobs N] [--out DIR] [PROJECT...]
  PROJECT           Storage, Blocks, Volumes, Files, KeyValue, KeyValue.Sharding, Transport, Nbd, Scsi, Iscsi, Server;
                    default Blocks Volumes KeyValue
  --lines N         as many lines of code at random over all projects, default 60; a line gives one to three mutations
  --seed N          which lines, default random
  --changed COMMIT  the lines that differ from this commit instead, uncommitted ones too
  --again FILE      the lines of the survivors that an earlier run printed to this file: with --all-tests
  --all-tests       the slow tests too (crash explorations, fault sweeps, fuzz, models): about ten times as long; without it
                    a survivor is one that the quick tests do not notice
  --jobs N          test processes at a time, default the number of processors
  --out DIR         where reports go, default artifacts/mutations
Works on a copy. Each mutation that survives is printed as path:line, what it was and what it became; the last line is JSON.
The exit code is 0 if all ran, survivors or not.
TEXT
}

lines=60 seed=$((RANDOM * 32768 + RANDOM)) changed= again= all=false jobs=$(nproc) out=artifacts/mutations projects=()
while [ $# -gt 0 ]; do
    case $1 in
        --lines) lines=$2; shift ;;
        --seed) seed=$2; shift ;;
        --changed) changed=$2; shift ;;
        --again) again=$(realpath "$2"); shift ;;
        --all-tests) all=true ;;
        --jobs) jobs=$2; shift ;;
        --out) out=$2; shift ;;
        --help | -h) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
        *) projects+=("$1") ;;
    esac
    shift
done
[ ${#projects[@]} -gt 0 ] || projects=(Blocks Volumes KeyValue)
for project in "${projects[@]}"; do
    [ -d "src/Ashlar.$project" ] && [ -d "tests/Ashlar.$project.Tests" ] || { usage >&2; exit 2; }
done
[ -z "$changed" ] || git rev-parse --verify -q "$changed^{commit}" >/dev/null || { echo "There is no commit $changed." >&2; exit 2; }

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
mkdir -p "$out" && out=$(cd "$out" && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git clone -q . "$copy/ashlar" && git diff --binary HEAD | (cd "$copy/ashlar" && git apply --allow-empty) || exit 1
cd "$copy/ashlar"
dotnet tool restore >"$out/restore.log" 2>&1 || { cat "$out/restore.log" >&2; exit 1; }

# Candidates: "project path line from to", the last two as characters of the file, for lines in which something is done.
candidates() {
    local project file
    for project in "${projects[@]}"; do
        git ls-files "src/Ashlar.$project/*.cs" | while IFS= read -r file; do
            if [ -n "$changed" ]; then
                git diff -U0 "$changed" -- "$file" | perl -ne 'print join("\n", $1 .. $1 + ($2 // 1) - 1), "\n" if /^@@ \S+ \+(\d+)(?:,(\d+))? /' >"$copy/wanted"
                [ -s "$copy/wanted" ] || continue
            else
                : >"$copy/wanted"
            fi
            perl -CSD -e '
                my ($project, $file, $wanted) = @ARGV;
                open my $list, "<", $wanted; my %wanted = map { chomp; $_ => 1 } <$list>;
                open my $source, "<:encoding(UTF-8)", $file;
                my ($at, $line) = (0, 0);
                while (<$source>) {
                    my $from = $at; $at += length; $line++;
                    next if %wanted && !$wanted{$line};
                    next if m{^\s*(//|\[|using |namespace |#)} || /\bInvariant\.|\bthrow new\b/ || !/[;{(]|=>|&&|\|\|/;
                    next if /^\s*(public|internal|private|protected|static|sealed|readonly|record|class|struct|enum|interface|file)\b/ && !/=>|=/;
                    print "$project $file $line $from $at\n";
                }' "$project" "$file" "$copy/wanted"
        done
    done
}
candidates >"$copy/candidates"
if [ -n "$changed" ]; then
    cp "$copy/candidates" "$copy/chosen"
elif [ -n "$again" ]; then
    sed -nE 's/^(Survived|NoCoverage) ([^: ]+):([0-9]+) .*/\2 \3/p' "$again" | sort -u >"$copy/survivors"
    awk 'NR == FNR { wanted[$0]; next } ($2 " " $3) in wanted' "$copy/survivors" "$copy/candidates" >"$copy/chosen"
else
    perl -e 'my ($seed, $count) = splice @ARGV, 0, 2; srand $seed; my @all = <>;
        for my $i (reverse 1 .. $#all) { my $j = int rand($i + 1); @all[$i, $j] = @all[$j, $i] }
        print grep defined, @all[0 .. $count - 1]' "$seed" "$lines" <"$copy/candidates" >"$copy/chosen"
fi
[ -s "$copy/chosen" ] || { echo "No line of code to change." >&2; exit 2; }

slow=
for part in Crash PlantedBug KilledMutation FaultSweep FaultProbe BitFlip Linearizability Fuzz ModelTests Differential Misplaced MemoryTests ClockJump \
    Concurrency Peculiar Mutated SlowClient SlowInitiator SpaceDebt DeletedRangeModel Interop \
    InterruptedThread; do # The last: what measures coverage takes locks, and an interruption that strikes there is none of the program's.
    slow+=${slow:+&}FullyQualifiedName!~$part
done
killed=0 survived=0 late=0 untested=0 failed=0
for project in "${projects[@]}"; do
    spans=()
    while read -r name file _ from to; do
        [ "$name" != "$project" ] || spans+=(--mutate "**/${file#src/Ashlar."$project"/}{$from..$to}")
    done <"$copy/chosen"
    [ ${#spans[@]} -gt 0 ] || continue
    # Files without a chosen line are left as they are: what is changed everywhere runs many times slower.
    git ls-files "src/Ashlar.$project/*.cs" | grep -vxFf <(awk '{ print $2 }' "$copy/chosen") | xargs -r perl -pi -e 's{^(?=namespace )}{// Stryker disable all\n}'
    filter=()
    $all || filter=(--test-case-filter "$slow")
    (cd "tests/Ashlar.$project.Tests" && dotnet stryker --project "Ashlar.$project.csproj" --configuration Release --concurrency "$jobs" \
        --config-file "$copy/ashlar/eng/stryker.json" "${spans[@]}" "${filter[@]}" --output "$out/$project" --skip-version-check) \
        >"$out/$project.log" 2>&1
    report=$out/$project/reports/mutation-report.json
    if [ ! -s "$report" ]; then
        tail -n 40 "$out/$project.log" >&2
        failed=$((failed + 1))
        continue
    fi
    # Survivors to stdout, the counts behind them.
    perl -MJSON::PP -e '
        local $/; my $report = decode_json(<>); my %count;
        for my $path (sort keys %{$report->{files}}) {
            my @lines = split /\n/, $report->{files}{$path}{source}, -1;
            for my $each (@{$report->{files}{$path}{mutants}}) {
                $count{$each->{status}}++;
                next unless $each->{status} =~ /Survived|NoCoverage/;
                my ($from, $to) = @{$each->{location}}{qw(start end)};
                my $was = $from->{line} == $to->{line}
                    ? substr($lines[$from->{line} - 1], $from->{column} - 1, $to->{column} - $from->{column})
                    : substr($lines[$from->{line} - 1], $from->{column} - 1) . " ...";
                my $now = $each->{replacement} // ""; $now =~ s/\s+/ /g; $was =~ s/\s+/ /g;
                my $where = $path; $where =~ s{.*/(?=src/)}{};
                printf "%s %s:%d  %s  ->  %s\n", $each->{status}, $where, $from->{line}, substr($was, 0, 100), substr($now, 0, 100);
            }
        }
        printf "counts %d %d %d %d\n", map { $count{$_} // 0 } qw(Killed Survived Timeout NoCoverage)' "$report" >"$copy/summary"
    grep -v '^counts ' "$copy/summary"
    read -r _ k s t n < <(grep '^counts ' "$copy/summary")
    killed=$((killed + k)) survived=$((survived + s)) late=$((late + t)) untested=$((untested + n))
done
printf '{"line":"mutations","seed":%s,"lines":%s,"killed":%s,"timed out":%s,"survived":%s,"not covered":%s,"projects failed":%s}\n' \
    "$seed" "$(wc -l <"$copy/chosen")" "$killed" "$late" "$survived" "$untested" "$failed"
[ "$failed" -eq 0 ]
