using System.Numerics;
using Ashlar.Blocks;

namespace Ashlar.Volumes;

/// <summary>What is kept in memory of a device's chunks: some two bits for each, about 4 GiB for 1 PiB. All is allocated here.</summary>
sealed class ChunkTables
{
    const int WindowsPerWord = 64 / MapLayout.ChunksPerLeaf;

    public ChunkTables(long chunkCount)
    {
        ChunkCount = chunkCount;
        GroupCount = GroupsOf(chunkCount);
        Committed = new ulong[(long)GroupCount * GroupBitmap.Words];
        var chunks = (long)GroupCount * MapLayout.ChunksPerGroup;
        Free = new BitTree(chunks);
        FreeWindows = new BitTree(chunks / MapLayout.ChunksPerLeaf);
    }

    public long ChunkCount { get; }

    public int GroupCount { get; }

    /// <summary>What the leaves in the store own.</summary>
    public ulong[] Committed { get; }

    /// <summary>What is not taken.</summary>
    public BitTree Free { get; }

    /// <summary>Windows of 1 MiB of which all 16 chunks are free.</summary>
    public BitTree FreeWindows { get; }

    /// <summary>Makes the tables.</summary>
    /// <exception cref="DeviceFullException">The memory that there is does not hold them.</exception>
    public static ChunkTables Create(string pool, long chunkCount, long availableMemoryBytes)
    {
        RequireMemory(pool, chunkCount, availableMemoryBytes);
        try
        {
            return new ChunkTables(chunkCount);
        }
        catch (OutOfMemoryException refused)
        {
            throw TooLarge(pool, chunkCount, availableMemoryBytes, refused);
        }
    }

    /// <summary>Fails where the tables would not fit.</summary>
    /// <exception cref="DeviceFullException">The memory that there is does not hold them.</exception>
    public static void RequireMemory(string pool, long chunkCount, long availableMemoryBytes)
    {
        if (BytesOf(chunkCount) > availableMemoryBytes) throw TooLarge(pool, chunkCount, availableMemoryBytes, null);
    }

    static long BytesOf(long chunkCount) => GroupsOf(chunkCount)
        * ((2L * GroupBitmap.Words * sizeof(ulong)) + (MapLayout.ChunksPerGroup / MapLayout.ChunksPerLeaf / 8));

    static DeviceFullException TooLarge(string pool, long chunkCount, long availableMemoryBytes, Exception? cause) => new(
        pool,
        $"the table of {BinarySize.Format((chunkCount - MapLayout.ReservedChunks) * MapLayout.ChunkBytes)} takes "
        + $"{BinarySize.Format(BytesOf(chunkCount))} of memory, of which {BinarySize.Format(Math.Max(0, availableMemoryBytes))} are left",
        cause);

    /// <summary>Says which chunks of a group are free; gives their number.</summary>
    public long SetFree(int group, ReadOnlySpan<ulong> words)
    {
        long count = 0;
        ulong windows = 0;
        for (var i = 0; i < words.Length; i++)
        {
            var word = words[i];
            var index = ((long)group * GroupBitmap.Words) + i;
            Free.SetWord(index, word);
            count += BitOperations.PopCount(word);
            for (var window = 0; window < WindowsPerWord; window++)
                if (IsWindow(word, window)) windows |= 1UL << ((i * WindowsPerWord) + window);
            if (i * WindowsPerWord % 64 != 64 - WindowsPerWord) continue;
            FreeWindows.SetWord(index * WindowsPerWord / 64, windows);
            windows = 0;
        }

        return count;
    }

    /// <summary>The chunks of a word that exist and do not belong to the superblocks.</summary>
    public ulong Usable(long word)
    {
        var beyond = Math.Clamp(((word + 1) * 64) - ChunkCount, 0, 64);
        var existing = beyond == 64 ? 0 : ulong.MaxValue >> (int)beyond;
        return word == 0 ? existing & (ulong.MaxValue << MapLayout.ReservedChunks) : existing;
    }

    public static bool IsWindow(ulong word, int window) => (ushort)(word >> (window * MapLayout.ChunksPerLeaf)) == ushort.MaxValue;

    static int GroupsOf(long chunkCount) => checked((int)((chunkCount + MapLayout.ChunksPerGroup - 1) / MapLayout.ChunksPerGroup));
}
