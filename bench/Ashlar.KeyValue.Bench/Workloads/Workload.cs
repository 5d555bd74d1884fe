using System.Diagnostics;

namespace Ashlar.KeyValue.Bench;

/// <summary>Runs a workload by its db_bench name and measures it.</summary>
static class Workload
{
    public static bool IsKnown(string name) => name is
        "fillseq" or "fillrandom" or "filluniquerandom" or "overwrite" or "fillasync" or "deleterandom" or "readrandom" or
        "readmissing" or "readseq" or "readwhilewriting" or "seekrandom" or "queue" or "rangequeue" or
        "deleteranges";

    public static Measurement Run(string name, KeyValueStore store, BenchOptions options, ref ulong threadsStarted)
    {
        var seed = options.Seed + threadsStarted + 1; // db_bench counts the threads of a run on and seeds them so.
        ProcessUsage.ResetPeak();
        var statisticsBefore = store.GetStatistics();
        var allocatedBefore = GC.GetTotalAllocatedBytes(precise: true);
        var before = ProcessUsage.OfThisProcess();
        var start = Stopwatch.GetTimestamp();
        var deadline = options.Duration > TimeSpan.Zero
            ? start + (long)(options.Duration.TotalSeconds * Stopwatch.Frequency)
            : long.MaxValue;
        var outcome = name == "fillasync"
            ? RunAsync(store, options, seed, deadline)
            : RunThreads(name, store, options, seed, deadline);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var after = ProcessUsage.OfThisProcess();
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - allocatedBefore;
        threadsStarted += (ulong)Math.Max(1, options.Threads);
        if (options.Histogram) PrintHistogram(name, outcome.Latencies);
        var operations = outcome.Operations;
        return new Measurement
        {
            Name = name,
            Operations = operations,
            Seconds = seconds,
            OpsPerSecond = operations / seconds,
            P50 = outcome.Latencies.Percentile(0.50),
            P99 = outcome.Latencies.Percentile(0.99),
            P999 = outcome.Latencies.Percentile(0.999),
            Max = outcome.Latencies.MaxNanoseconds / 1000.0,
            Found = outcome.Found,
            CpuMicrosPerOp = 1e6 * (after.CpuSeconds - before.CpuSeconds) / Math.Max(1, operations),
            PeakResidentBytes = ProcessUsage.PeakResidentBytes("self"),
            ResidentBytes = ProcessUsage.ResidentBytes("self"),
            WrittenBytes = after.WrittenBytes - before.WrittenBytes,
            ReadBytes = after.ReadBytes - before.ReadBytes,
            PutBytes = outcome.PutBytes,
            EngineWrittenPerPut = outcome.PutBytes == 0
                ? null
                : (double)(EngineBytes(store.GetStatistics()) - EngineBytes(statisticsBefore)) / outcome.PutBytes,
            AllocatedBytesPerOp = (double)allocated / Math.Max(1, operations),
            WriterOperations = outcome.WriterOperations,
        };
    }

    static Outcome RunThreads(string name, KeyValueStore store, BenchOptions options, ulong seed, long deadline)
    {
        var isWrite = name is "fillseq" or "fillrandom" or "filluniquerandom" or "overwrite" or "deleterandom";
        var operations = name == "readseq" ? long.MaxValue : options.OperationsPerThread(isWrite ? options.Writes : options.Reads);
        // Unique keys and a load in order end with the keys; threads share them.
        if (name is "filluniquerandom" or "fillseq" && options.Writes is null)
            operations = Math.Min(operations, options.Num / options.Threads);
        if (name == "deleteranges") operations = options.Ranges / options.Threads;
        using var stop = new CancellationTokenSource();
        Worker? writer = null;
        Thread? writing = null;
        if (name == "readwhilewriting")
        {
            writer = new PutWorker(
                store, options, KeySequence.Random(options.Num, seed++), BenchRun.DurabilityOf(options), options.WriteBytesPerSecond);
            writing = Start(() => writer.Run(long.MaxValue, long.MaxValue, stop.Token));
        }

        var workers = Enumerable.Range(0, name == "readseq" ? 1 : options.Threads)
            .Select(thread => Create(name, store, options, thread, seed + (ulong)thread)).ToArray();
        var failures = new List<Exception>();
        var threads = workers.Select(worker => Start(() =>
        {
            try
            {
                worker.Run(operations, deadline, stop.Token);
            }
            catch (Exception exception)
            {
                lock (failures) failures.Add(exception);
            }
        })).ToArray();
        foreach (var thread in threads) thread.Join();
        stop.Cancel();
        writing?.Join();
        foreach (var worker in workers) (worker as IDisposable)?.Dispose();
        if (failures.Count > 0) throw new AggregateException(failures);
        var latencies = new LatencyHistogram();
        foreach (var worker in workers) latencies.Add(worker.Latencies);
        return new Outcome(
            latencies,
            workers.Sum(worker => worker.Operations),
            workers.Sum(worker => worker.PutBytes) + (writer?.PutBytes ?? 0),
            workers[0].Found is null ? null : workers.Sum(worker => worker.Found),
            writer?.Operations);
    }

    static Outcome RunAsync(KeyValueStore store, BenchOptions options, ulong seed, long deadline)
    {
        var puts = new AsyncPuts(store, options, options.OperationsPerThread(options.Writes), deadline, seed);
        puts.Run();
        var latencies = new LatencyHistogram();
        foreach (var lane in puts.Latencies) latencies.Add(lane);
        return new Outcome(latencies, puts.Operations, puts.Operations * (options.KeyBytes + options.ValueBytes), null, null);
    }

    static Worker Create(string name, KeyValueStore store, BenchOptions options, int thread, ulong seed)
    {
        var durability = BenchRun.DurabilityOf(options);
        var random = KeySequence.Random(options.Num, seed);
        return name switch
        {
            "fillseq" => new PutWorker(store, options, KeySequence.Ascending(thread, options.Threads), durability),
            "filluniquerandom" => new PutWorker(
                store, options, KeySequence.Unique(options.Num, options.Seed, thread, options.Threads), durability),
            "fillrandom" or "overwrite" => new PutWorker(store, options, random, durability),
            "deleterandom" => new DeleteWorker(store, options, random, durability),
            "deleteranges" => new RangeDeleteWorker(store, options, random, durability),
            "readmissing" => new GetWorker(store, options, random, extraKeyBytes: 1),
            "readseq" => new ScanWorker(store),
            "queue" or "rangequeue" => new QueueWorker(store, options, durability, usesRanges: name == "rangequeue"),
            "seekrandom" => new SeekWorker(store, options, random),
            _ => new GetWorker(store, options, random),
        };
    }

    static Thread Start(Action work)
    {
        var thread = new Thread(() => work()) { IsBackground = true };
        thread.Start();
        return thread;
    }

    static long EngineBytes(KeyValueStatistics statistics) => statistics.LogBytesWritten + statistics.TableBytesWritten;

    static void PrintHistogram(string name, LatencyHistogram latencies)
    {
        Console.Error.WriteLine($"{name}, microseconds: {latencies.Count} operations");
        var seen = 0L;
        foreach (var (from, to, count) in latencies.Octaves())
        {
            seen += count;
            var (share, sum) = (100.0 * count / latencies.Count, 100.0 * seen / latencies.Count);
            Console.Error.WriteLine(FormattableString.Invariant($"[ {from,10:F2}, {to,10:F2} ) {count,10} {share,7:F3}% {sum,7:F3}%"));
        }
    }

    sealed record Outcome(LatencyHistogram Latencies, long Operations, long PutBytes, long? Found, long? WriterOperations);
}
