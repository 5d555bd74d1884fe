# The contenders of kv-vs-rocksdb.sh and how one work is put to each of them. Sourced after lib.sh.
#   ashlar     our driver
#   levelled   RocksDB with values in its tables; pipelined: the same with pipelined writes
#   blob       RocksDB with values in blob files (BlobDB); blob-pipelined
#   earlier    the driver of another checkout, with --paired, in place of all rivals

driver=
memory_limit=() # Put before a program, it runs it under the limit.
memory_group=

driver_of() { echo "$1/artifacts/bin/Ashlar.KeyValue.Bench/release/kv-bench"; } # driver_of CHECKOUT

build_driver() { # build_driver CHECKOUT
    local checkout=$1 driver
    driver=$(driver_of "$checkout")
    DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
    export DOTNET_ROOT
    [ -x "$driver" ] && [ -z "$(find "$checkout/src/Ashlar.KeyValue" "$checkout/src/Ashlar.Storage" "$checkout/bench" \
        -name '*.cs' -newer "$driver" -print -quit)" ] && return
    say "building the driver of $checkout"
    dotnet build "$checkout/bench/Ashlar.KeyValue.Bench" -c Release --nologo -p:RunAnalyzers=false >"$work/build.log" 2>&1 ||
        { grep -E 'error' "$work/build.log" | sort -u >&2; give_up "the driver does not build"; }
    touch "$driver"
}

# rivals CONTENDER...: who stands against Ashlar; with --paired, an earlier Ashlar alone.
rivals() { [ -n "$paired" ] && echo earlier || echo "$*"; }

describe_contenders() {
    local median worst_of_hundred longest
    read -r median worst_of_hundred longest < <("$driver" sync-latency "$work")
    say "flush:   one changed byte and fdatasync: median $median us, p99 $worst_of_hundred us, longest $longest us"
    [ "$median" -ge 10 ] || say "flush:   WARNING: this disk answers faster than a disk can: durable rows mean nothing here"
    [ -z "$paired" ] || { say "rival:   Ashlar of $paired"; return; }
    say "rival:   $(db_bench --version), levelled and BlobDB, with and without pipelined writes where that matters"
}

# drive CONTENDER OUTPUT BENCHMARKS [SETTING=VALUE...]: runs benchmarks; OUTPUT gets a line of JSON for each.
drive() {
    local contender=$1 output=$2 benchmarks=$3
    local num=1000000 value=1000 threads=1 duration=0 operations= sync=false existing=false cache=$cache_size memtable=$memtable_size
    local nexts=0 reverse=false rate=0 outstanding=64 warm_up=3 directory=$work/$contender setting
    for setting in "${@:4}"; do local "$setting"; done
    cache=$(numfmt --from=iec "$cache") memtable=$(numfmt --from=iec "$memtable")
    if [ "$contender" = ashlar ] || [ "$contender" = earlier ]; then
        local program=$driver
        [ "$contender" = ashlar ] || program=$(driver_of "$paired")
        set -- "$program" --json --db "$directory" --benchmarks "$benchmarks" --num "$num" --value-size "$value" \
            --threads "$threads" --duration "$duration" --cache-bytes "$cache" --memtable-bytes "$memtable" --seek-nexts "$nexts" \
            --write-rate "$rate" --outstanding "$outstanding" --warm-up "$warm_up"
        $sync && set -- "$@" --sync
        $existing && set -- "$@" --use-existing
        $reverse && set -- "$@" --reverse
        [ -n "$operations" ] && set -- "$@" --writes "$operations" --reads "$operations"
    else
        # fillasync has no like in RocksDB, which has no asynchronous put: as many threads do it.
        [ "$benchmarks" = fillasync ] && benchmarks=fillrandom threads=$outstanding
        set -- db_bench --db="$directory" --benchmarks="$benchmarks" --num="$num" --key_size=16 --value_size="$value" \
            --threads="$threads" --duration="$duration" --ops_between_duration_checks=1 --cache_size="$cache" \
            --write_buffer_size="$memtable" --seek_nexts="$nexts" --benchmark_write_rate_limit="$rate" --seed=42 \
            --compression_type=none --compression_ratio=1 --cache_index_and_filter_blocks=1 \
            --pin_l0_filter_and_index_blocks_in_cache=1 --bloom_bits=10 --block_size=4096 --max_write_buffer_number=4 \
            --max_background_jobs=2 --level_compaction_dynamic_level_bytes=1 --open_files=-1 --checksum_type=1 \
            --verify_checksum=1 --histogram=1 --statistics=0
        case $contender in *pipelined) set -- "$@" --enable_pipelined_write=1 ;; *) set -- "$@" --enable_pipelined_write=0 ;; esac
        case $contender in blob*) set -- "$@" --enable_blob_files=1 --min_blob_size=256 --blob_file_size=268435456 \
            --blob_compression_type=none --enable_blob_garbage_collection=1 --blob_garbage_collection_age_cutoff=0.25 \
            --blob_garbage_collection_force_threshold=0.5 --use_blob_cache=1 --use_shared_block_and_blob_cache=1 ;; esac
        $sync && set -- "$@" --sync=1
        $existing && set -- "$@" --use_existing_db=1
        $reverse && set -- "$@" --reverse_iterator=1
        [ -n "$operations" ] && set -- "$@" --writes="$operations" --reads="$operations"
        # By line: db_bench does not flush what it prints about the end of background work.
        run_to "$output" "$driver" rival -- "${memory_limit[@]}" stdbuf -oL "$@"
        return
    fi
    run_to "$output" "${memory_limit[@]}" "$@"
}

run_to() { # run_to OUTPUT COMMAND...
    local output=$1
    shift
    mkdir -p "$(dirname "$output")"
    timeout 3600 "$@" >"$output" 2>"$work/driver.err" || { tail -5 "$work/driver.err" >&2; say "failed: $*"; return 1; }
}

# limit_memory BYTES: what is started with "${memory_limit[@]}" before it shares so much, page cache included.
limit_memory() {
    local parent file
    if [ -d /sys/fs/cgroup/memory ]; then parent=/sys/fs/cgroup/memory file=memory.limit_in_bytes
    else parent=/sys/fs/cgroup file=memory.max; fi
    memory_group=$parent/ashlar-bench.$$
    if mkdir "$memory_group" 2>/dev/null && echo "$1" 2>/dev/null >"$memory_group/$file"; then
        memory_limit=(sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$memory_group")
    else
        say "cannot limit memory by cgroup here: cold rows have all of the machine's page cache"
        memory_group=
    fi
}

remove_memory_limit() {
    memory_limit=()
    [ -z "$memory_group" ] || rmdir "$memory_group" 2>/dev/null
    memory_group=
}

value_of() { # value_of FILE BENCHMARK FIELD: of the last line of that benchmark; 0 when it has none
    awk -v name="\"name\":\"$2\"" -v field="\"$3\":" '
        index($0, name) { at = index($0, field); value = at ? substr($0, at + length(field)) : 0; sub(/[,}].*/, "", value) }
        END { print value + 0 }' "$1"
}

space_of() { du -sB1 "$1" | cut -f1; }
