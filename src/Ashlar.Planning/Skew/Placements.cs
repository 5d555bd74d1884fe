using System.Buffers.Binary;

namespace Ashlar.Planning;

/// <summary>A rule with its number of partitions. Keys are numbers; in order, 0 is the first.</summary>
interface IPlacement
{
    /// <summary>The partition of a key.</summary>
    int Place(long key);
}

/// <summary>Hash, scaled or modulo.</summary>
sealed class HashPlacement(int partitions, bool isModulo) : IPlacement
{
    public int Place(long key) =>
        isModulo ? (int)(Hash(key) % (ulong)partitions) : KeyPlace.Scale(Hash(key), partitions);

    // 8 bytes, big-endian: sorted as numbers are.
    public static ulong Hash(long key)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, key);
        return KeyPlace.Hash(bytes);
    }
}

/// <summary>Ranges of keys; each begins at a bound, and the last has no end.</summary>
/// <param name="bounds">The first key of each range, in order.</param>
/// <param name="owners">Whose the range is.</param>
sealed class RangePlacement(long[] bounds, int[] owners) : IPlacement
{
    public static RangePlacement Equal(int partitions, int keys) =>
        new([.. Enumerable.Range(0, partitions).Select(i => (long)i * keys / partitions)], [.. Enumerable.Range(0, partitions)]);

    public int Place(long key)
    {
        var at = Array.BinarySearch(bounds, key);
        return owners[at >= 0 ? at : Math.Max(0, ~at - 1)];
    }

    /// <summary>The upper half of a range of stored keys goes to a new partition.</summary>
    public RangePlacement Split(int partition, int keys)
    {
        var at = Array.IndexOf(owners, partition);
        var end = at + 1 < bounds.Length ? bounds[at + 1] : keys;
        var middle = bounds[at] + ((end - bounds[at] + 1) / 2);
        return new(
            [.. bounds[..(at + 1)], middle, .. bounds[(at + 1)..]],
            [.. owners[..(at + 1)], owners.Length, .. owners[(at + 1)..]]);
    }
}

/// <summary>Consistent hashing (Karger and others, STOC 1997) with virtual nodes.</summary>
sealed class RingPlacement : IPlacement
{
    readonly ulong[] points;
    readonly int[] owners;

    public RingPlacement(int nodes, int virtualNodes)
    {
        points = new ulong[nodes * virtualNodes];
        owners = new int[points.Length];
        for (var node = 0; node < nodes; node++)
        {
            for (var i = 0; i < virtualNodes; i++)
            {
                // The points of a node do not depend on how many nodes there are: that is the whole idea.
                points[(node * virtualNodes) + i] = PlanRandom.Mix(PlanRandom.Mix((ulong)node + 1) + (ulong)i);
                owners[(node * virtualNodes) + i] = node;
            }
        }

        Array.Sort(points, owners);
    }

    public int Place(long key)
    {
        var at = Array.BinarySearch(points, HashPlacement.Hash(key));
        if (at < 0) at = ~at;
        return owners[at == points.Length ? 0 : at];
    }
}

/// <summary>Highest random weight (Thaler, Ravishankar, 1998).</summary>
sealed class RendezvousPlacement(int nodes) : IPlacement
{
    readonly ulong[] nodeHashes = [.. Enumerable.Range(1, nodes).Select(node => PlanRandom.Mix((ulong)node))];

    public int Place(long key)
    {
        var hash = HashPlacement.Hash(key);
        var (best, highest) = (0, 0UL);
        for (var node = 0; node < nodeHashes.Length; node++)
        {
            var weight = PlanRandom.Mix(hash ^ nodeHashes[node]);
            if (weight <= highest) continue;
            (best, highest) = (node, weight);
        }

        return best;
    }
}
