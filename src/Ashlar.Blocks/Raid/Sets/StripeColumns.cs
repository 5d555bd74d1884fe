using System.Buffers;
using System.Collections.Concurrent;
using System.Numerics;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// The same range of every chunk of a stripe, in memory: parity is calculated column by column, and nothing outside of the range matters
/// for it. Used again and again.
/// </summary>
sealed class StripeColumns : IDisposable
{
    static readonly ConcurrentBag<StripeColumns> Free = [];

    RaidLayout layout = null!;
    byte[] buffer = [];
    ReadOnlyMemory<byte>[] data = [];
    ulong unreadable;

    StripeColumns()
    {
    }

    public long Stripe { get; private set; }

    /// <summary>Where the range begins in each chunk.</summary>
    public int OffsetBytes { get; private set; }

    public int LengthBytes { get; private set; }

    /// <summary>For whoever writes: what is written.</summary>
    public List<StripeRun> Runs { get; } = [];

    /// <summary>Memory for a range of a stripe; disposing gives it back.</summary>
    public static StripeColumns Take(RaidLayout layout, long stripe, int offsetBytes, int lengthBytes)
    {
        if (!Free.TryTake(out var columns)) columns = new StripeColumns();
        (columns.layout, columns.Stripe, columns.OffsetBytes, columns.LengthBytes) = (layout, stripe, offsetBytes, lengthBytes);
        columns.buffer = ArrayPool<byte>.Shared.Rent((layout.DataPerStripe + layout.ParityPerStripe) * lengthBytes);
        if (columns.data.Length != layout.DataPerStripe) columns.data = new ReadOnlyMemory<byte>[layout.DataPerStripe];
        return columns;
    }

    /// <summary>Chunks that could not be read by the last attempt.</summary>
    public ulong Unreadable
    {
        get => Volatile.Read(ref unreadable);
        set => Volatile.Write(ref unreadable, value);
    }

    public void NoteUnreadable(int number) => Interlocked.Or(ref unreadable, 1UL << number);

    /// <summary>All data, as bits of a set of chunks: bit i stands for data i.</summary>
    public ulong AllData => (1UL << layout.DataPerStripe) - 1;

    /// <summary>P in a set of chunks.</summary>
    public ulong BitOfP => layout.ParityPerStripe > 0 ? 1UL << layout.DataPerStripe : 0;

    /// <summary>Q in a set of chunks.</summary>
    public ulong BitOfQ => layout.ParityPerStripe > 1 ? 2UL << layout.DataPerStripe : 0;

    public Memory<byte> P => Chunk(layout.DataPerStripe);

    public Memory<byte> Q => Chunk(layout.DataPerStripe + 1);

    /// <summary>A chunk by its number in sets of them.</summary>
    public Memory<byte> Chunk(int number) => buffer.AsMemory(number * LengthBytes, LengthBytes);

    /// <summary>The member that holds a chunk.</summary>
    public int MemberOf(int number) => (number - layout.DataPerStripe) switch
    {
        < 0 => layout.MemberOfData(Stripe, number),
        0 => layout.MemberOfP(Stripe),
        _ => layout.MemberOfQ(Stripe),
    };

    /// <summary>All data, as it is here; the array is used again.</summary>
    public ReadOnlyMemory<byte>[] Data()
    {
        for (var i = 0; i < data.Length; i++) data[i] = Chunk(i);
        return data;
    }

    /// <summary>Calculates missing data from what is there.</summary>
    /// <param name="missing">The chunks that are not there.</param>
    /// <returns>False when too much is missing.</returns>
    public bool TryRecover(ulong missing)
    {
        var lost = missing & AllData;
        if (lost == 0) return true;
        var code = ParityCode.Instance;
        var (first, second) = (BitOperations.TrailingZeroCount(lost), 63 - BitOperations.LeadingZeroCount(lost));
        var (hasP, hasQ) = ((missing & BitOfP) == 0, BitOfQ != 0 && (missing & BitOfQ) == 0);
        switch (BitOperations.PopCount(lost))
        {
            case 1 when hasP:
                code.RecoverByP(Data(), first, P.Span, Chunk(first).Span);
                return true;
            case 1 when hasQ:
                code.RecoverByQ(Data(), first, Q.Span, Chunk(first).Span, P.Span);
                return true;
            case 2 when hasP && hasQ:
                code.RecoverTwo(Data(), first, second, P.Span, Q.Span, Chunk(first).Span, Chunk(second).Span);
                return true;
            default:
                return false;
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
        Array.Clear(data);
        Runs.Clear();
        Free.Add(this);
    }
}
