using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

// A record of a batch of the journal: what a stripe holds when its part has been written. Little-endian, packed.
//
//   0        8        12       16      20           24              24 + 12 runs
//   +--------+--------+--------+-------+------------+---------------+--------------+---+---+
//   | Stripe | Offset | Length | Runs  | Parities   | runs          | data of runs | P | Q |
//   +--------+--------+--------+-------+------------+---------------+--------------+---+---+
//   run: 0 Index (u32)   4 Offset (u32)   8 Length (u32)
//
// Offset and Length: the range of the parity chunks that changes with the data. Offsets are in chunks; all are multiples of 512.
static class StripeRecord
{
    public const int HeaderBytes = 24, RunBytes = 12;

    /// <summary>The finest that data comes in.</summary>
    public const int UnitBytes = 512;

    /// <summary>What a record takes at most: all data of the stripe, every second block of it a run of its own.</summary>
    public static long LongestBytes(RaidLayout layout, int chunkBytes) =>
        HeaderBytes + ((long)layout.DataPerStripe * ((chunkBytes / (2 * UnitBytes)) + 1) * RunBytes)
        + ((long)layout.MemberCount * chunkBytes);

    /// <summary>Writes a record; gives its length.</summary>
    public static int Write(Span<byte> target, StripeColumns columns, IReadOnlyList<StripeRun> runs, int parityCount)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target, columns.Stripe);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], (uint)columns.OffsetBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], (uint)columns.LengthBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[16..], (uint)runs.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(target[20..], (uint)parityCount);
        var at = HeaderBytes;
        foreach (var run in runs)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(target[at..], (uint)run.Index);
            BinaryPrimitives.WriteUInt32LittleEndian(target[(at + 4)..], (uint)run.OffsetBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(target[(at + 8)..], (uint)run.Content.Length);
            at += RunBytes;
        }

        foreach (var run in runs)
        {
            run.Content.Span.CopyTo(target[at..]);
            at += run.Content.Length;
        }

        columns.P.Span.CopyTo(target[at..]);
        at += columns.LengthBytes;
        if (parityCount < 2) return at;
        columns.Q.Span.CopyTo(target[at..]);
        return at + columns.LengthBytes;
    }

    /// <summary>Reads a record; every number of it is checked against the set.</summary>
    /// <returns>False where it cannot be one.</returns>
    public static bool TryRead(ReadOnlyMemory<byte> source, RaidLayout layout, int chunkBytes, long stripeCount, out JournaledStripe record)
    {
        record = null!;
        var span = source.Span;
        if (span.Length < HeaderBytes) return false;
        var stripe = BinaryPrimitives.ReadInt64LittleEndian(span);
        var (offset, length) = (BinaryPrimitives.ReadUInt32LittleEndian(span[8..]), BinaryPrimitives.ReadUInt32LittleEndian(span[12..]));
        var (count, parities) = (BinaryPrimitives.ReadUInt32LittleEndian(span[16..]), BinaryPrimitives.ReadUInt32LittleEndian(span[20..]));
        if (stripe < 0 || stripe >= stripeCount || !IsRange(offset, length) || parities != layout.ParityPerStripe) return false;
        if (count > (span.Length - HeaderBytes) / RunBytes) return false;
        List<StripeRun> runs = new((int)count);
        var at = HeaderBytes + ((int)count * RunBytes);
        for (var i = 0; i < count; i++)
        {
            var run = span.Slice(HeaderBytes + (i * RunBytes), RunBytes);
            var index = BinaryPrimitives.ReadUInt32LittleEndian(run);
            var runOffset = BinaryPrimitives.ReadUInt32LittleEndian(run[4..]);
            var runLength = BinaryPrimitives.ReadUInt32LittleEndian(run[8..]);
            if (index >= layout.DataPerStripe || !IsRange(runOffset, runLength) || runLength > span.Length - at) return false;
            if (runOffset < offset || runOffset + runLength > offset + length) return false;
            runs.Add(new StripeRun((int)index, (int)runOffset, source.Slice(at, (int)runLength)));
            at += (int)runLength;
        }

        if (length * parities > span.Length - at) return false;
        var p = source.Slice(at, (int)length);
        var q = parities > 1 ? source.Slice(at + (int)length, (int)length) : default;
        record = new JournaledStripe(stripe, (int)offset, runs, p, q, at + (int)(length * parities));
        return true;

        bool IsRange(uint from, uint bytes) =>
            bytes > 0 && bytes <= chunkBytes && from <= chunkBytes - bytes && from % UnitBytes == 0 && bytes % UnitBytes == 0;
    }
}

/// <summary>A part of a chunk of data and what it holds from now on.</summary>
readonly record struct StripeRun(int Index, int OffsetBytes, ReadOnlyMemory<byte> Content)
{
    public int EndBytes => OffsetBytes + Content.Length;
}

/// <summary>A record as it was read.</summary>
sealed record JournaledStripe(
    long Stripe, int ParityOffset, List<StripeRun> Runs, ReadOnlyMemory<byte> P, ReadOnlyMemory<byte> Q, int RecordBytes);
