using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Ashlar.KeyValue.Bench;

/// <summary>What to run and on what, by flags that are named as those of db_bench where it has them.</summary>
sealed record BenchOptions
{
    public const string Usage = """
        usage: kv-bench --db DIR --benchmarks NAME[,NAME...] [flags]       the engine, as db_bench drives RocksDB
               kv-bench rival [--db DIR] -- db_bench FLAGS                  runs db_bench and reports it the same way
               kv-bench sync-latency DIR                                    what one fdatasync costs there
        benchmarks: fillseq fillrandom filluniquerandom overwrite fillasync readrandom readmissing readseq
                    readwhilewriting seekrandom queue rangequeue deleterandom deleteranges waitforcompaction flush compact
                    stats crash
        flags (default):
          --num N (1000000)         keys                 --key-size B (16), --value-size B (1000)
          --writes N, --reads N     operations of each thread; default --num
          --duration S (0)          seconds; without --writes or --reads nothing else ends a run
          --threads N (1)           --outstanding N (64): puts under way in fillasync
          --sync                    each write durable before it returns; otherwise as far as the page cache
          --batch N (1)             puts in a write      --seed N (42)
          --cache-bytes B (512 MiB) --memtable-bytes B (64 MiB)
          --log-segment-bytes B (256 MiB)
          --seek-nexts N (0)        --reverse            --write-rate B/s (0: unlimited) of readwhilewriting
          --ranges N (1000)         ranges of deleteranges, which a snapshot keeps from being merged away
          --use-existing            keep what is there; otherwise it is deleted, and before each fill
          --warm-up S (3)           seconds of the same work on another directory, for the compiler
          --histogram               latencies of each benchmark
          --json                    a line of JSON for each benchmark, for scripts
        """;

    public string Directory { get; init; } = "";
    public IReadOnlyList<string> Benchmarks { get; init; } = [];
    public long Num { get; init; } = 1_000_000;
    public long? Writes { get; init; }
    public long? Reads { get; init; }
    public TimeSpan Duration { get; init; }
    public int Threads { get; init; } = 1;
    public int Outstanding { get; init; } = 64;
    public int KeyBytes { get; init; } = 16;
    public int ValueBytes { get; init; } = 1000;
    public bool Sync { get; init; }
    public int BatchCount { get; init; } = 1;
    public ulong Seed { get; init; } = 42;
    public long CacheBytes { get; init; } = 512L << 20;
    public long MemTableBytes { get; init; } = 64L << 20;
    public long LogSegmentBytes { get; init; } = 256L << 20;
    public int SeekNexts { get; init; }
    public bool Reverse { get; init; }
    public long Ranges { get; init; } = 1000;
    public long WriteBytesPerSecond { get; init; }
    public bool UseExisting { get; init; }
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(3);
    public bool Histogram { get; init; }
    public bool Json { get; init; }

    /// <summary>Operations of each thread; no limit when only time is to end the run.</summary>
    public long OperationsPerThread(long? given) => given ?? (Duration > TimeSpan.Zero ? long.MaxValue : Num);

    public static bool TryParse(
        string[] arguments, [NotNullWhen(true)] out BenchOptions? options, [NotNullWhen(false)] out string? problem)
    {
        options = null;
        problem = null;
        var result = new BenchOptions();
        for (var at = 0; at < arguments.Length; at++)
        {
            var split = arguments[at].IndexOf('=', StringComparison.Ordinal);
            var name = split < 0 ? arguments[at] : arguments[at][..split];
            if (Switch(result, name) is { } switched)
            {
                result = switched;
                continue;
            }

            var value = split >= 0 ? arguments[at][(split + 1)..] : ++at < arguments.Length ? arguments[at] : null;
            if (value is null || Valued(result, name, value) is not { } valued)
            {
                problem = value is null ? $"{name}: a value is missing, or there is no such flag" : $"{name} {value}: not understood";
                return false;
            }

            result = valued;
        }

        if (result.Directory.Length == 0) problem = "--db is missing";
        else if (result.Benchmarks.Count == 0) problem = "--benchmarks is missing";
        else if (result.KeyBytes < 8) problem = "--key-size: at least 8, as the number of a key takes 8 bytes";
        options = problem is null ? result : null;
        return problem is null;
    }

    static BenchOptions? Switch(BenchOptions options, string name) => name switch
    {
        "--sync" => options with { Sync = true },
        "--reverse" => options with { Reverse = true },
        "--use-existing" => options with { UseExisting = true },
        "--histogram" => options with { Histogram = true },
        "--json" => options with { Json = true },
        _ => null,
    };

    static BenchOptions? Valued(BenchOptions options, string name, string value)
    {
        switch (name)
        {
            case "--db": return options with { Directory = Path.GetFullPath(value) };
            case "--benchmarks":
                return options with { Benchmarks = value.Split(',', StringSplitOptions.RemoveEmptyEntries) };
        }

        if (!double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || number < 0) return null;
        var whole = (long)number;
        return name switch
        {
            "--num" => options with { Num = whole },
            "--writes" => options with { Writes = whole },
            "--reads" => options with { Reads = whole },
            "--duration" => options with { Duration = TimeSpan.FromSeconds(number) },
            "--threads" => options with { Threads = (int)whole },
            "--outstanding" => options with { Outstanding = (int)whole },
            "--key-size" => options with { KeyBytes = (int)whole },
            "--value-size" => options with { ValueBytes = (int)whole },
            "--batch" => options with { BatchCount = (int)whole },
            "--seed" => options with { Seed = (ulong)whole },
            "--cache-bytes" => options with { CacheBytes = whole },
            "--memtable-bytes" => options with { MemTableBytes = whole },
            "--log-segment-bytes" => options with { LogSegmentBytes = whole },
            "--seek-nexts" => options with { SeekNexts = (int)whole },
            "--ranges" => options with { Ranges = whole },
            "--write-rate" => options with { WriteBytesPerSecond = whole },
            "--warm-up" => options with { WarmUp = TimeSpan.FromSeconds(number) },
            _ => null,
        };
    }
}
