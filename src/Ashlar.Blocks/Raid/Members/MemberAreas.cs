using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>What lies where on a member: two copies of the superblock, two maps of regions, three slots of the journal, the data.</summary>
/// <param name="JournalSlotBytes">Length of a slot; 0 without a journal.</param>
/// <param name="DataBytes">Length of the data: whole chunks.</param>
readonly record struct MemberAreas(long JournalSlotBytes, long DataBytes)
{
    public const int SuperblockCopies = 2;
    public const int JournalSlots = 3;

    /// <summary>Length of each of the two maps.</summary>
    public const int RegionMapBytes = 64 * 1024;

    const long BetweenSuperblocks = 64 * 1024, MapsAt = 128 * 1024, JournalAt = MapsAt + (2 * RegionMapBytes);

    /// <summary>A slot takes at least one stripe whole, and as much as is written between two flushes by most.</summary>
    const long LongestSlot = 8 << 20;

    public long DataAt => JournalAt + (JournalSlots * JournalSlotBytes);

    public static long SuperblockAt(int copy) => copy * BetweenSuperblocks;

    /// <summary>Where a map begins: 0 is of what is being written, 1 of what missing members have missed.</summary>
    public static long RegionMapAt(int map) => MapsAt + (map * RegionMapBytes);

    public long JournalSlotAt(long sequence) => JournalAt + (sequence % JournalSlots * JournalSlotBytes);

    /// <summary>Divides up the smallest of the devices.</summary>
    /// <exception cref="ArgumentException">It is too small.</exception>
    public static MemberAreas For(RaidLayout layout, int chunkBytes, IBlockDevice smallest)
    {
        var sizeBytes = smallest.Geometry.SizeBytes;
        var areas = new MemberAreas(layout.ParityPerStripe > 0 ? SlotBytes(layout, chunkBytes, sizeBytes) : 0, 0);
        var stripes = (sizeBytes - areas.DataAt) / chunkBytes;
        if (stripes < 1)
        {
            throw new ArgumentException(
                $"{smallest.Name}: {sizeBytes} bytes are too few for a member of this set: {areas.DataAt + chunkBytes} are the least.");
        }

        return areas with { DataBytes = stripes * chunkBytes };
    }

    /// <summary>The least length of a device that has so much room for data, in whole chunks.</summary>
    public static long DeviceBytesFor(RaidLayout layout, int chunkBytes, long dataBytes)
    {
        if (layout.ParityPerStripe == 0) return new MemberAreas(0, 0).DataAt + dataBytes;
        // The slots take a share of the whole, which so is found by trying.
        var sizeBytes = JournalAt + dataBytes;
        while (true)
        {
            var next = new MemberAreas(SlotBytes(layout, chunkBytes, sizeBytes), 0).DataAt + dataBytes;
            if (next <= sizeBytes) return sizeBytes;
            sizeBytes = RoundUp(next, JournalBatch.Alignment);
        }
    }

    static long SlotBytes(RaidLayout layout, int chunkBytes, long sizeBytes)
    {
        var least = StripeRecord.LongestBytes(layout, chunkBytes) + JournalBatch.HeaderBytes;
        return RoundUp(Math.Max(least, Math.Min(LongestSlot, sizeBytes / 64)), JournalBatch.Alignment);
    }

    static long RoundUp(long value, long unit) => (value + unit - 1) / unit * unit;
}
