namespace Ashlar.Volumes;

/// <summary>
/// Where those blocks of a leaf lie that are not at home: in fragment chunks, which hold blocks of any leaves of a volume. A block goes
/// there when it is overwritten while a snapshot still needs its home, or atomically while the committed leaf names its home.
/// </summary>
sealed class RedirectedBlocks
{
    /// <summary>Rough cost in memory.</summary>
    public const int MemoryBytes = 4200;

    readonly long[] places = new long[MapLayout.BlocksPerLeaf];
    readonly long[] births = new long[MapLayout.BlocksPerLeaf];

    /// <summary>Place of a block of the leaf, in blocks of the device.</summary>
    public long PlaceOf(int block) => places[block];

    /// <summary>Generation in which the place was taken.</summary>
    public long BirthOf(int block) => births[block];

    public void Set(int block, long place, long birth) => (places[block], births[block]) = (place, birth);
}
