using System.Numerics;

namespace Ashlar.Volumes;

/// <summary>A home that is moved.</summary>
/// <param name="From">Its chunk.</param>
/// <param name="To">The chunk that it becomes.</param>
/// <param name="Slot">Of which chunk of the leaf it is the home.</param>
/// <param name="Birth">Generation of the place, which stays: it says whose it is.</param>
/// <param name="IsKept">Whether its space was promised, below the pool as well.</param>
readonly record struct MovedHome(long From, long To, int Slot, long Birth, bool IsKept);

/// <summary>A block outside homes that is moved.</summary>
/// <param name="From">Its place, in blocks of the device.</param>
/// <param name="To">The place that it gets.</param>
/// <param name="Block">Which block of the leaf it is.</param>
/// <param name="Birth">Generation of the place.</param>
/// <param name="Owner">Whose it is.</param>
readonly record struct MovedBlock(long From, long To, int Block, long Birth, VolumeDevice Owner);

/// <summary>What places of one leaf become, for all who share them.</summary>
sealed class MovedPlaces
{
    public List<MovedHome> Homes { get; } = [];

    public List<MovedBlock> Blocks { get; } = [];

    public bool IsEmpty => Homes.Count + Blocks.Count == 0;

    /// <summary>Gives places and checksums of a version of the leaf their new values; false when it has none of them.</summary>
    public bool Rename(LeafMap map, BlockChecksum checksums)
    {
        var isChanged = false;
        foreach (var home in Homes)
        {
            ref var entry = ref map.Entries[home.Slot];
            if (entry.Chunk != home.From) continue;
            isChanged = true;
            entry.Chunk = home.To;
            for (var bits = (uint)entry.AtHome; bits != 0; bits &= bits - 1)
            {
                var inChunk = BitOperations.TrailingZeroCount(bits);
                ref var checksum = ref map.Checksums[(home.Slot * MapLayout.BlocksPerChunk) + inChunk];
                checksum = checksums.Move(
                    checksum,
                    (home.From * MapLayout.BlocksPerChunk) + inChunk,
                    (home.To * MapLayout.BlocksPerChunk) + inChunk,
                    home.Birth);
            }
        }

        foreach (var block in Blocks)
        {
            if (!map.IsRedirected(block.Block) || map.Redirected!.PlaceOf(block.Block) != block.From) continue;
            isChanged = true;
            map.Redirected.Set(block.Block, block.To, block.Birth);
            map.Checksums[block.Block] = checksums.Move(map.Checksums[block.Block], block.From, block.To, block.Birth);
        }

        return isChanged;
    }
}
