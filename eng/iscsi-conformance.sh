#!/usr/bin/env bash
# Runs libiscsi's conformance suite against a target, one test at a time, and prints a table in Markdown.
#
#   eng/iscsi-conformance.sh iscsi://127.0.0.1:3260/iqn.2026-11.io.ashlar:main.test/0 [name-part]
#
# The unit's content is destroyed. It should have at least 64 MiB and nobody else using it. Each test gets a time limit,
# and each is a process of its own: the suite counts a skipped test as passed and would stop at one that hangs.
set -uo pipefail

url=${1:?usage: $0 URL [name-part]}
only=${2:-}
limit_seconds=${LIMIT_SECONDS:-60}
declare -A count=([pass]=0 [skip]=0 [fail]=0)

echo '| test | result | reason |'
echo '|---|---|---|'
while read -r test; do
    output=$(timeout --kill-after=5 "$limit_seconds" iscsi-test-cu --dataloss --fail --verbose --test "$test" "$url" "$url" 2>&1)
    status=$?
    # Set-up and tear-down talk too; what belongs to the test stands between its name and its verdict.
    body=$(sed -n '/^  Test: /,$p' <<<"$output" | sed '/passed  *\[SKIPPED\]/{s/passed  *\[SKIPPED\].*/passed/;q}; /passed$/q; /^Run Summary/q')
    reason=''
    if ((status == 124 || status == 137)); then
        result=fail reason="no end within $limit_seconds s"
    elif grep -qE 'passed$' <<<"$body"; then
        result=pass
        if grep -q '\[SKIPPED\]' <<<"$body"; then
            result=skip
            reason=$(grep -m1 -o '\[SKIPPED\].*' <<<"$body" | sed 's/\[SKIPPED\] *//')
        fi
    else
        result=fail
        reason=$(grep -E '\[FAILED\]|CU_|^    [0-9]+\. ' <<<"$body" | sed 's/.*\[FAILED\] *//; s/^ *//; s/ *\[SKIPPED\].*//; s/|/\\|/g' | head -2 | paste -sd ';')
        ((status > 128)) && reason="$reason; the suite died by signal $((status - 128))"
    fi
    count[$result]=$((count[$result] + 1))
    echo "| ${test#ALL.} | $result | $reason |"
done < <(iscsi-test-cu --list 2>/dev/null | grep -E '^ALL\.[^.]+\.[^.]+$' | grep -F -- "$only")

echo
echo "${count[pass]} passed, ${count[skip]} skipped, ${count[fail]} failed."
