using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>Bytes to be sent.</summary>
/// <param name="Data">The bytes.</param>
/// <param name="Sent">Who waits for them to leave; null when nobody does.</param>
/// <param name="OwnBlock">Memory of the queue itself that the bytes lie in, which may have room behind them.</param>
readonly record struct Segment(ReadOnlyMemory<byte> Data, SharedCompletion? Sent, byte[]? OwnBlock = null)
{
    public int Length => Data.Length;

    public Segment From(int offset) => new(Data[offset..], Sent);
}

/// <summary>Segments in order, in an array that is reused. Small copies share a block.</summary>
sealed class SegmentRing
{
    const int BlockBytes = 4096;

    Segment[] ring = new Segment[8];
    int first;

    public int Count { get; private set; }

    public void AddLast(in Segment segment)
    {
        MakeRoom();
        ring[(first + Count++) % ring.Length] = segment;
    }

    public void AddFirst(in Segment segment)
    {
        MakeRoom();
        first = (first + ring.Length - 1) % ring.Length;
        ring[first] = segment;
        Count++;
    }

    public void AddCopy(ReadOnlySpan<byte> data)
    {
        if (Count > 0)
        {
            ref var last = ref ring[(first + Count - 1) % ring.Length];
            if (last.OwnBlock is { } block && data.Length <= block.Length - last.Length)
            {
                data.CopyTo(block.AsSpan(last.Length));
                last = last with { Data = block.AsMemory(0, last.Length + data.Length) };
                return;
            }
        }
        var own = new byte[Math.Max(BlockBytes, data.Length)];
        data.CopyTo(own);
        AddLast(new(own.AsMemory(0, data.Length), null, own));
    }

    public Segment TakeFirst()
    {
        var taken = ring[first];
        ring[first] = default; // Else it would keep memory that is long sent.
        first = (first + 1) % ring.Length;
        Count--;
        return taken;
    }

    void MakeRoom()
    {
        if (Count < ring.Length) return;
        var larger = new Segment[2 * ring.Length];
        for (var i = 0; i < Count; i++) larger[i] = ring[(first + i) % ring.Length];
        (ring, first) = (larger, 0);
    }
}
