using System.Diagnostics;

namespace Ashlar.KeyValue.Bench;

/// <summary>Runs benchmarks one after the other on one directory.</summary>
sealed class BenchRun(BenchOptions options)
{
    const string Crash = "crash";

    KeyValueStore? store;
    double? openSeconds;
    Measurement? last;
    ulong threadsStarted;

    // What is not durable goes as far as the page cache, as with sync=0 of RocksDB.
    public static Durability DurabilityOf(BenchOptions options) => options.Sync ? Durability.Sync : Durability.Unflushed;

    public int Run()
    {
        var unknown = options.Benchmarks.FirstOrDefault(name => !Workload.IsKnown(name) && !Maintenance.IsKnown(name) && name != Crash);
        if (unknown is not null)
        {
            Console.Error.WriteLine($"benchmark {unknown}: there is none of that name");
            return 2;
        }

        WarmUp();
        if (!options.UseExisting) DeleteDirectory(options.Directory);
        try
        {
            Open();
            foreach (var name in options.Benchmarks) RunOne(name);
        }
        finally
        {
            store?.Dispose();
        }

        return 0;
    }

    void RunOne(string name)
    {
        if (name == Crash)
        {
            Console.Out.Flush();
            Process.GetCurrentProcess().Kill();
        }

        if (name.StartsWith("fill", StringComparison.Ordinal) && !options.UseExisting && threadsStarted > 0)
        {
            store!.Dispose();
            DeleteDirectory(options.Directory);
            Open();
        }

        var measurement = Maintenance.IsKnown(name)
            ? Maintenance.Run(name, store!)
            : Workload.Run(name, store!, options, ref threadsStarted);
        if (measurement is null) return;
        if (name == "waitforcompaction") measurement = measurement.After(last);
        last = measurement;
        measurement = measurement with { OpenSeconds = openSeconds };
        openSeconds = null;
        Console.WriteLine(options.Json ? measurement.ToJson() : measurement.ToString());
    }

    void Open()
    {
        var start = Stopwatch.GetTimestamp();
        store = Open(options.Directory, options);
        openSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    // The same work on a small store of its own: compiled code is what is to be measured, not the compiler.
    void WarmUp()
    {
        if (options.WarmUp <= TimeSpan.Zero) return;
        var names = options.Benchmarks.Where(Workload.IsKnown).Distinct(StringComparer.Ordinal).ToArray();
        if (names.Length == 0) return;
        var directory = options.Directory + ".warm-up";
        const int WarmUpBytes = 64 << 20;
        var small = options with
        {
            Directory = directory,
            Num = Math.Min(options.Num, Math.Max(1000, WarmUpBytes / (options.KeyBytes + options.ValueBytes))),
            MemTableBytes = Math.Min(options.MemTableBytes, WarmUpBytes / 8),
            Writes = null,
            Reads = null,
            Histogram = false,
        };
        DeleteDirectory(directory);
        try
        {
            using var warm = Open(directory, small);
            var ignored = 0UL;
            Workload.Run("fillrandom", warm, small with { Sync = false, Threads = 1, BatchCount = 1 }, ref ignored);
            warm.Flush();
            foreach (var name in names)
                Workload.Run(name, warm, small with { Duration = options.WarmUp / names.Length }, ref ignored);
        }
        finally
        {
            DeleteDirectory(directory);
        }

        GC.Collect();
    }

    static KeyValueStore Open(string directory, BenchOptions options) => KeyValueStore.Open(directory, new KeyValueOptions
    {
        MemTableBytes = options.MemTableBytes,
        BlockCacheBytes = options.CacheBytes,
        LogSegmentBytes = options.LogSegmentBytes,
    });

    static void DeleteDirectory(string directory)
    {
        if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
    }
}
