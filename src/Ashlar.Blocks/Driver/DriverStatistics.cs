namespace Ashlar.Blocks;

/// <summary>Counters of one kind of request.</summary>
/// <param name="Bytes">Bytes that requests which succeeded asked for; 0 for a flush.</param>
/// <param name="Failures">Requests that failed.</param>
/// <param name="Retries">Attempts that were repeated.</param>
/// <param name="Latency">How many succeeded, and how long they took, queueing and retries included.</param>
public readonly record struct OperationStatistics(long Bytes, long Failures, long Retries, LatencySummary Latency)
{
    /// <summary>Requests that succeeded.</summary>
    public long Count => Latency.Count;
}

/// <summary>
/// What a driver has done since it was created, by the rule of <see cref="DeviceStatistics"/>. Empty requests that succeed do not count.
/// </summary>
public sealed class DriverStatistics
{
    readonly OperationStatistics[] operations;

    internal DriverStatistics(OperationStatistics[] operations) => this.operations = operations;

    /// <summary>The counters of one kind of request.</summary>
    public OperationStatistics this[DriverOperation operation] => operations[(int)operation];

    /// <summary>Reads that succeeded.</summary>
    public long Reads => this[DriverOperation.Read].Count;

    /// <summary>Writes that succeeded, of zeros too.</summary>
    public long Writes => this[DriverOperation.Write].Count + this[DriverOperation.WriteZeroes].Count;

    /// <summary>Trims that succeeded.</summary>
    public long Trims => this[DriverOperation.Trim].Count;

    /// <summary>Flushes that succeeded.</summary>
    public long Flushes => this[DriverOperation.Flush].Count;

    /// <summary>Requests of any kind that failed.</summary>
    public long Failures => operations.Sum(operation => operation.Failures);

    /// <summary>Attempts of any kind that were repeated.</summary>
    public long Retries => operations.Sum(operation => operation.Retries);
}
