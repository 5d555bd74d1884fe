using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>The counters behind <see cref="DriverStatistics"/>.</summary>
sealed class DriverCounters
{
    readonly Operation[] operations = [new(), new(), new(), new(), new()];
    readonly double nanosecondsPerTick;

    public DriverCounters(TimeProvider timeProvider)
    {
        Invariant.Require(operations.Length == (int)DriverOperation.Flush + 1);
        nanosecondsPerTick = 1e9 / timeProvider.TimestampFrequency;
    }

    public void Completed(DriverOperation operation, long bytes, long elapsedTicks)
    {
        var counters = operations[(int)operation];
        Interlocked.Add(ref counters.Bytes, bytes);
        counters.Latency.Record((long)(elapsedTicks * nanosecondsPerTick));
    }

    public void Failed(DriverOperation operation) => Interlocked.Increment(ref operations[(int)operation].Failures);

    public void Retried(DriverOperation operation) => Interlocked.Increment(ref operations[(int)operation].Retries);

    public DriverStatistics Snapshot() => new(Array.ConvertAll(operations, operation => new OperationStatistics(
        Interlocked.Read(ref operation.Bytes),
        Interlocked.Read(ref operation.Failures),
        Interlocked.Read(ref operation.Retries),
        operation.Latency.Summarize())));

    public void AddTo(DriverTotals totals)
    {
        for (var i = 0; i < operations.Length; i++)
        {
            totals.Add(
                (DriverOperation)i,
                Interlocked.Read(ref operations[i].Bytes),
                Interlocked.Read(ref operations[i].Failures),
                operations[i].Latency);
        }
    }

    sealed class Operation
    {
        public readonly LatencyHistogram Latency = new();
        public long Bytes;
        public long Failures;
        public long Retries;
    }
}
