namespace Ashlar.Blocks.Devices;

/// <summary>What a fault does to a request.</summary>
public enum DeviceFaultKind
{
    /// <summary>The request fails with <see cref="DeviceIOException"/> and does nothing.</summary>
    Error = 0,

    /// <summary>The request fails with <see cref="BadBlockException"/> and does nothing.</summary>
    BadBlock,

    /// <summary>The request is carried out later.</summary>
    Delay,

    /// <summary>Of a write only some sectors of 512 bytes arrive; then it fails, or pretends that it did not.</summary>
    TornWrite,

    /// <summary>A flush succeeds and does nothing: what it was to keep can still be lost with the power.</summary>
    LostFlush,
}

/// <summary>When something goes wrong on a <see cref="FaultyDevice"/>, and what.</summary>
public sealed class DeviceFault
{
    long seen;
    long hits;

    /// <summary>What happens.</summary>
    public required DeviceFaultKind Kind { get; init; }

    /// <summary>The kinds of request that it happens to; empty for all that it can happen to.</summary>
    public IReadOnlyList<DriverOperation> Operations { get; init; } = [];

    /// <summary>First block of the range that a request must touch; a flush touches every block.</summary>
    public Lba Start { get; init; }

    /// <summary>Length of that range, in blocks; to the end of the device by default.</summary>
    public long BlockCount { get; init; } = long.MaxValue;

    /// <summary>How many requests that fit are let through first.</summary>
    public long Skip { get; init; }

    /// <summary>How often it happens; for ever by default.</summary>
    public long Times { get; init; } = long.MaxValue;

    /// <summary>Its chance for each request that fits, from 0 to 1.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>For <see cref="DeviceFaultKind.Error"/>: whether trying again may help.</summary>
    public bool IsTransient { get; init; }

    /// <summary>For <see cref="DeviceFaultKind.TornWrite"/>: whether the write reports success all the same.</summary>
    public bool IsSilent { get; init; }

    /// <summary>For <see cref="DeviceFaultKind.Delay"/>: how long.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>How often it has happened.</summary>
    public long Hits => Interlocked.Read(ref hits);

    /// <summary>A failure that goes away by itself.</summary>
    /// <param name="times">How many requests fail before it does.</param>
    /// <param name="operations">Which requests; none for all.</param>
    public static DeviceFault TransientError(long times, params IReadOnlyList<DriverOperation> operations) =>
        new() { Kind = DeviceFaultKind.Error, IsTransient = true, Times = times, Operations = operations };

    /// <summary>A failure that stays.</summary>
    /// <param name="operations">Which requests fail; none for all.</param>
    public static DeviceFault PermanentError(params IReadOnlyList<DriverOperation> operations) =>
        new() { Kind = DeviceFaultKind.Error, Operations = operations };

    /// <summary>Blocks that fail every request until the fault is removed.</summary>
    public static DeviceFault BadBlocks(Lba start, long blockCount = 1) =>
        new() { Kind = DeviceFaultKind.BadBlock, Start = start, BlockCount = blockCount };

    /// <summary>Requests that take longer.</summary>
    /// <param name="delay">How much longer.</param>
    /// <param name="operations">Which requests; none for all.</param>
    public static DeviceFault Latency(TimeSpan delay, params IReadOnlyList<DriverOperation> operations) =>
        new() { Kind = DeviceFaultKind.Delay, Delay = delay, Operations = operations };

    /// <summary>Writes of which only a part arrives.</summary>
    /// <param name="times">How many.</param>
    /// <param name="isSilent">Whether they report success all the same.</param>
    public static DeviceFault TornWrites(long times = long.MaxValue, bool isSilent = false) =>
        new() { Kind = DeviceFaultKind.TornWrite, Times = times, IsSilent = isSilent };

    /// <summary>Flushes that succeed and keep nothing.</summary>
    public static DeviceFault LostFlushes(long times = long.MaxValue) =>
        new() { Kind = DeviceFaultKind.LostFlush, Times = times };

    /// <summary>
    /// Whether the fault happens to this request. Called under the device's lock, so that counting is exact.
    /// </summary>
    internal bool Strikes(DriverOperation operation, Lba start, long blockCount, Func<double> draw)
    {
        if (!Fits(operation, start, blockCount)) return false;
        if (seen++ < Skip || hits >= Times || (Probability < 1 && draw() >= Probability)) return false;
        hits++;
        return true;
    }

    bool Fits(DriverOperation operation, Lba start, long blockCount)
    {
        if (Operations.Count > 0 && !Operations.Contains(operation)) return false;
        if (Kind == DeviceFaultKind.TornWrite && operation != DriverOperation.Write) return false;
        if (Kind == DeviceFaultKind.LostFlush && operation != DriverOperation.Flush) return false;
        if (operation == DriverOperation.Flush) return Kind != DeviceFaultKind.BadBlock;
        var end = Start + Math.Min(BlockCount, long.MaxValue - Start.Value);
        return start < end && Start < start + blockCount;
    }
}
