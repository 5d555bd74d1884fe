namespace Ashlar.Blocks;

/// <summary>What a driver is asked to do.</summary>
public enum DriverOperation
{
    /// <summary>Read a range.</summary>
    Read = 0,

    /// <summary>Write a range.</summary>
    Write,

    /// <summary>Make a range read as zeros.</summary>
    WriteZeroes,

    /// <summary>Trim a range.</summary>
    Trim,

    /// <summary>Make completed writes durable.</summary>
    Flush,
}

/// <summary>What became of a request.</summary>
public enum DriverLogEvent
{
    /// <summary>It succeeded.</summary>
    Completed = 0,

    /// <summary>An attempt failed transiently; the next one follows.</summary>
    Retried,

    /// <summary>It failed.</summary>
    Failed,
}

/// <summary>One line of a driver's log.</summary>
/// <param name="At">When.</param>
/// <param name="Event">What became of the request.</param>
/// <param name="Operation">What was asked for.</param>
/// <param name="OffsetBytes">First byte of the range that was tried; 0 for a flush.</param>
/// <param name="LengthBytes">Length of that range; 0 for a flush.</param>
/// <param name="Attempt">1 for the first attempt.</param>
/// <param name="Elapsed">Time since the request came.</param>
/// <param name="Error">Why it failed or was tried again; null for a success.</param>
public readonly record struct DriverLogEntry(
    DateTimeOffset At,
    DriverLogEvent Event,
    DriverOperation Operation,
    long OffsetBytes,
    long LengthBytes,
    int Attempt,
    TimeSpan Elapsed,
    Exception? Error);

/// <summary>The last entries of a driver's log: a ring in memory.</summary>
public sealed class DriverLog
{
    readonly Lock gate = new();
    readonly DriverLogEntry[] ring;
    long added;

    internal DriverLog(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ring = new DriverLogEntry[capacity];
    }

    /// <summary>How many entries were made, forgotten ones included.</summary>
    public long EntryCount
    {
        get
        {
            lock (gate) return added;
        }
    }

    /// <summary>The entries that are still kept, oldest first.</summary>
    public IReadOnlyList<DriverLogEntry> List()
    {
        lock (gate)
        {
            var kept = (int)Math.Min(added, ring.Length);
            var entries = new DriverLogEntry[kept];
            for (var i = 0; i < kept; i++) entries[i] = ring[(added - kept + i) % ring.Length];
            return entries;
        }
    }

    internal void Add(in DriverLogEntry entry)
    {
        lock (gate) ring[added++ % ring.Length] = entry;
    }
}
