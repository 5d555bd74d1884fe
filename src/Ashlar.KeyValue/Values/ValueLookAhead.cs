using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Values;

/// <summary>
/// Where a cursor has to wait for its values, asks the disk for those that it will come to, many at once: how far ahead, and
/// for which.
/// </summary>
/// <remarks>
/// It begins when reads in a row had to wait, and is never further ahead than values were asked for in a row: short scans
/// read little that nobody wants. It ends when a value is passed over.
/// </remarks>
sealed class ValueLookAhead(ValueSegments values)
{
    /// <summary>Furthest ahead, in entries.</summary>
    public const int MaxEntries = 64;

    // Furthest ahead, in bytes of values like the last one.
    const int MaxBytes = 2 << 20;
    const int WaitsThatBegin = 2;

    // After so many it ends, to begin again if reads still have to wait: what was asked for may all have been in memory. To find out
    // beforehand would take a read, which may make the kernel read much around it.
    const int EntriesOfRound = 1024;

    // To read so much between two values costs less than to ask twice.
    const int MaxGapBytes = 8 << 10;

    readonly Range[] batch = new Range[MaxEntries];
    int count;
    int waitsInARow;
    int asked;

    public bool IsOn { get; private set; }

    /// <summary>How many entries to be ahead.</summary>
    public int Entries(int askedInARow, int valueBytes) =>
        IsOn ? Math.Min(askedInARow, Math.Clamp(MaxBytes / Math.Max(1, valueBytes), 1, MaxEntries)) : 0;

    /// <summary>A value was read alone: it was in memory or had to be waited for.</summary>
    public void CountRead(bool waits)
    {
        waitsInARow = waits ? waitsInARow + 1 : 0;
        if (waitsInARow >= WaitsThatBegin) IsOn = true;
    }

    /// <summary>Asks for nothing more, until reads in a row have to wait again.</summary>
    public void End()
    {
        IsOn = false;
        waitsInARow = asked = 0;
    }

    /// <summary>Adds a value to what is asked for.</summary>
    public void Add(in ValuePlace place) => batch[count++] = new(place.SegmentId, place.Offset, place.Offset + place.LengthBytes);

    /// <summary>Asks the disk for what was added. Nothing fails here: the read will tell.</summary>
    public void Send()
    {
        var ranges = batch.AsSpan(0, count);
        count = 0;
        try
        {
            Send(ranges);
        }
        catch (AshlarException failure) when (failure is not InvariantException)
        {
        }

        asked += ranges.Length;
        if (asked >= EntriesOfRound) End();
    }

    // What lies close together, as values do that a merge has moved, is asked for as one.
    void Send(Span<Range> ranges)
    {
        if (ranges.IsEmpty) return;
        ranges.Sort();
        var joined = ranges[0];
        foreach (var range in ranges[1..])
        {
            if (range.SegmentId == joined.SegmentId && range.Start - joined.End <= MaxGapBytes)
            {
                joined = joined with { End = Math.Max(joined.End, range.End) };
                continue;
            }

            values.Prefetch(joined.SegmentId, joined.Start, joined.End - joined.Start);
            joined = range;
        }

        values.Prefetch(joined.SegmentId, joined.Start, joined.End - joined.Start);
    }

    readonly record struct Range(ulong SegmentId, long Start, long End) : IComparable<Range>
    {
        public int CompareTo(Range other) =>
            SegmentId != other.SegmentId ? SegmentId.CompareTo(other.SegmentId) : Start.CompareTo(other.Start);
    }
}
