using System.Diagnostics;

namespace Ashlar.KeyValue.Bench;

/// <summary>Keeps a number of puts under way, without a thread for each.</summary>
sealed class AsyncPuts(KeyValueStore store, BenchOptions options, long operations, long deadline, ulong seed)
{
    readonly Lane[] lanes = [.. Enumerable.Range(0, options.Outstanding).Select(
        i => new Lane(options, KeySequence.Random(options.Num, seed + (ulong)i)))];
    long begun;

    public IEnumerable<LatencyHistogram> Latencies => lanes.Select(lane => lane.Latencies);

    public long Operations => lanes.Sum(lane => lane.Latencies.Count);

    public void Run() => Task.WaitAll([.. lanes.Select(lane => Task.Run(() => RunLane(lane)))]);

    async Task RunLane(Lane lane)
    {
        var durability = BenchRun.DurabilityOf(options);
        while (Interlocked.Increment(ref begun) <= operations)
        {
            KeyEncoding.Write(lane.Key, lane.Keys.Next());
            var start = Stopwatch.GetTimestamp();
            await store.PutAsync(lane.Key, lane.Values.Next(), durability);
            var end = Stopwatch.GetTimestamp();
            lane.Latencies.Add(start, end);
            if (end >= deadline) return;
        }
    }

    sealed class Lane(BenchOptions options, KeySequence keys)
    {
        public readonly KeySequence Keys = keys;
        public readonly ValuePool Values = new(options.ValueBytes);
        public readonly byte[] Key = KeyEncoding.NewKey(options.KeyBytes);
        public readonly LatencyHistogram Latencies = new();
    }
}
