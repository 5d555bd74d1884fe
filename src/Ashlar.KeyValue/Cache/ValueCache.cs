using Ashlar.KeyValue.Blocks;
using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Cache;

/// <summary>
/// Values of segments in the <see cref="BlockCache"/>, within its budget and by its rules: found without a lock, a system call or
/// a second checksum. Numbers of segments are never reused, so what stays of a segment that is gone only ages.
/// </summary>
/// <remarks>
/// Values go after one round of the clock unless they are asked for again, as data blocks do; indexes and filters stay longer.
/// Scans use free room, but push out little (<see cref="ScanShareBytes"/>): a long one does not cost others what they use.
/// </remarks>
sealed unsafe class ValueCache(BlockCache cache)
{
    const byte Worth = 1;
    const int LargestValueBytes = 64 << 10;

    // A single value is no more than this part of the budget, and neither is what one scan pushes out.
    const int ValueShare = 64;
    const int ScanShare = 16;

    readonly int maxBytes = (int)Math.Min(LargestValueBytes, cache.CapacityBytes / ValueShare);

    /// <summary>How many bytes one scan may push out.</summary>
    public long ScanShareBytes => cache.CapacityBytes / ScanShare;

    /// <summary>What readers are in while they use values that they hold no reference to.</summary>
    public ReadEpoch Epoch => cache.Epoch;

    /// <summary>Finds a value for a reader within the epoch; none where what is cached is not what the place says.</summary>
    public Block Find(int slot, in ValuePlace place)
    {
        if (place.LengthBytes > maxBytes) return default;
        var found = cache.FindValue(slot, place.SegmentId, place.Offset);
        return !found.IsNone && Matches(found.Memory, place) ? found : default;
    }

    /// <summary>Takes in a value that was checked, if there is room.</summary>
    public void Add(in ValuePlace place, ReadOnlySpan<byte> value)
    {
        if (place.LengthBytes > maxBytes) return;
        Block block;
        try
        {
            block = cache.AllocateValue(BlockMemory.Needed(value.Length, 0), place.SegmentId, place.Offset, Worth);
        }
        catch (StorageException)
        {
            return; // No memory to keep it in. The caller has it.
        }

        block.FillRaw(value);
        block.Memory->ValueCrc = place.ValueCrc;
        block.Memory->CrcSeed = place.CrcSeed;
        cache.TryAdd(block);
        cache.ReleaseBlock(block);
    }

    /// <summary>The same for a scan that may still push out so many bytes.</summary>
    public void Add(in ValuePlace place, ReadOnlySpan<byte> value, ref long shareBytes)
    {
        if (place.LengthBytes > maxBytes) return;
        var needed = BlockMemory.Needed(value.Length, 0);
        if (!cache.HasValueRoom(needed, place.SegmentId, place.Offset))
        {
            if (shareBytes < needed) return;
            shareBytes -= needed;
        }

        Add(place, value);
    }

    /// <summary>Keeps a value beyond the epoch in which it was found.</summary>
    public static void Acquire(Block value) => BlockCache.AcquireBlock(value);

    public void Release(Block value) => cache.ReleaseBlock(value);

    /// <summary>Keeps the cache's memory while a segment may be read.</summary>
    public void AddUser() => cache.Acquire();

    public void RemoveUser() => cache.Release();

    static bool Matches(BlockMemory* cached, in ValuePlace place) =>
        cached->SizeBytes == place.LengthBytes && cached->ValueCrc == place.ValueCrc && cached->CrcSeed == place.CrcSeed;
}
