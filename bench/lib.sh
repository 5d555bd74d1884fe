# What the benchmark scripts share. Sourced, not run. Results go to stdout, all else to stderr.
# Every process started here is ended by its id, every file lives in $work, which is removed.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
server_pids=()
work=

say() { echo "$*" >&2; }
give_up() { say "$*"; exit 1; }

# A directory on a real file system, one for all contenders. BENCH_DIR chooses the disk.
make_work_directory() {
    work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/ashlar-bench.XXXXXX") || give_up "cannot make a directory in ${BENCH_DIR:-/var/tmp}"
    trap clean_up EXIT
    trap 'exit 130' INT TERM
}

clean_up() {
    end_servers
    [ -z "$work" ] || rm -rf "$work"
}

end_servers() {
    local pid
    for pid in "${server_pids[@]}"; do kill "$pid" 2>/dev/null; done
    for pid in "${server_pids[@]}"; do
        timeout 5 tail --pid="$pid" -f /dev/null || kill -9 "$pid" 2>/dev/null
    done
    server_pids=()
}

install_tools() { "$repository/eng/install-test-tools.sh" >&2; }

ends_with_script() { # ends_with_script PID: a server that was just started in the background
    server_pids+=("$1")
    disown "$1" # Bash would comment on its death.
}

install_package() { # install_package COMMAND PACKAGE: a rival that only this benchmark needs
    command -v "$1" >/dev/null && return
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || return 0
    say "installing $2"
    DEBIAN_FRONTEND=noninteractive timeout 180 apt-get install -qq -y --no-install-recommends "$2" >/dev/null 2>&1
}

need() { # need COMMAND...: ends the script when one is missing
    local command missing=()
    for command in "$@"; do command -v "$command" >/dev/null || missing+=("$command"); done
    [ ${#missing[@]} -eq 0 ] || give_up "cannot run: missing ${missing[*]}"
}

free_port() { # A port nobody listens on; asked again for each server
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
}

wait_for_port() { # wait_for_port PORT PID LOG
    local deadline=$((SECONDS + 30))
    until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do
        kill -0 "$2" 2>/dev/null || { cat "$3" >&2; give_up "the server on port $1 ended"; }
        [ $SECONDS -lt $deadline ] || { cat "$3" >&2; give_up "the server on port $1 did not start to listen"; }
        sleep 0.1
    done
}

describe_machine() {
    say "machine: $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(awk '/MemTotal/ { printf "%d GiB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r)"
    say "disk:    $(df -PT "$work" | awk 'NR == 2 { print $2 " on " $1 }'), directory $work"
    say "load:    $(cut -d' ' -f1-3 /proc/loadavg) before the start; $(date -u +%Y-%m-%dT%H:%MZ)"
    say "ashlar:  $(git -C "$repository" describe --always --dirty 2>/dev/null || echo unknown), .NET SDK $(dotnet --version)"
}

wanted() { # wanted NAME: whether this row was asked for, by --rows PATTERN
    [[ -z ${rows:-} || $1 =~ $rows ]]
}

print_row() { # print_row NAME VALUE COMPARED [DIGITS]: a line of the result
    awk -v name="$1" -v value="$2" -v compared="$3" -v format="%s\t%.${4:-0}f\t%.${4:-0}f\t%.2f\n" \
        'BEGIN { printf format, name, value, compared, (compared > 0) ? value / compared : 0 }'
}

drop_caches() { # Of the whole machine: the kernel has no other way
    sync -f "$work"
    echo 1 2>/dev/null >/proc/sys/vm/drop_caches || say "cannot drop the page cache (not root): cold rows are not cold"
}

print_less() { # print_less NAME VALUE COMPARED [DIGITS]: of a figure where less is better, so the ratio is turned round
    awk -v name="$1" -v value="$2" -v compared="$3" -v format="%s\t%.${4:-0}f\t%.${4:-0}f\t%.2f\n" \
        'BEGIN { printf format, name, value, compared, (value > 0) ? compared / value : 0 }'
}

seconds_since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { print to - from }'; } # since a value of EPOCHREALTIME

# Which side goes first changes from round to round: what drifts, or what one leaves to the other, hits both.
sides_of_round() { if (($1 % 2)); then echo theirs ours; else echo ours theirs; fi; }

median() { printf '%s\n' "$@" | sort -g | awk '{ value[NR] = $1 } END { print (NR % 2) ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2 }'; }

spread() { printf '%s\n' "$@" | sort -g | awk '{ value[NR] = $1 } END { printf "%g..%g", value[1], value[NR] }'; }

cpu_ticks() { # user + system time of a process, in clock ticks
    awk '{ sub(/^.*\) /, ""); split($0, field, " "); print field[12] + field[13] }' "/proc/$1/stat" 2>/dev/null || echo 0
}
