using System.Buffers;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>
/// Blocks that nobody else changes until they are given back by disposing: to read, decide and write, or to write in several
/// steps. One request at a time.
/// </summary>
public sealed class HeldRange : IDisposable
{
    readonly BlockDriver driver;
    readonly ByteRange range;
    RequestGate? counted;
    int isGivenBack;

    internal HeldRange(BlockDriver driver, ByteRange range)
    {
        this.driver = driver;
        this.range = range;
    }

    /// <summary>Reads whole blocks of the range.</summary>
    public ValueTask ReadAsync(long offsetBytes, Memory<byte> destination, CancellationToken cancellationToken = default) =>
        driver.ReadHeldAsync(Part(offsetBytes, destination.Length), destination, cancellationToken);

    /// <summary>Compares whole blocks of the range with what they should hold: the first half of compare-and-write.</summary>
    /// <returns>The offset, within <paramref name="expected"/>, of the first byte that differs; null where none does.</returns>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<int?> FindDifferenceAsync(
        long offsetBytes,
        ReadOnlyMemory<byte> expected,
        CancellationToken cancellationToken = default)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(expected.Length);
        try
        {
            var current = buffer.AsMemory(0, expected.Length);
            await ReadAsync(offsetBytes, current, cancellationToken).ConfigureAwait(false);
            var equal = expected.Span.CommonPrefixLength(current.Span);
            return equal < expected.Length ? equal : null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Writes whole blocks of the range.</summary>
    public ValueTask WriteAsync(
        long offsetBytes,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default) =>
        driver.WriteHeldAsync(Part(offsetBytes, source.Length), source, options, cancellationToken);

    /// <summary>Lets others change the range again.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref isGivenBack, 1) != 0) return;
        driver.GiveBack(range);
        counted?.Leave();
    }

    /// <summary>Counts as a request under way until the range is given back.</summary>
    internal HeldRange CountedBy(RequestGate gate)
    {
        counted = gate;
        return this;
    }

    ByteRange Part(long offsetBytes, int lengthBytes)
    {
        var part = new ByteRange(offsetBytes, offsetBytes + lengthBytes);
        Invariant.Require(range.Contains(part) && Volatile.Read(ref isGivenBack) == 0);
        return part;
    }
}
