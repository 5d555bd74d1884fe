using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>Whether a map of changes names all that differs.</summary>
static class ChangeCheck
{
    /// <summary>All runs of a range, asked for with spans of some length until it is covered.</summary>
    public static List<BlockChange> ReadAll(IChangeMap map, long start, long blockCount, int spanLength = 16)
    {
        var all = new List<BlockChange>();
        var runs = new BlockChange[spanLength];
        for (long position = start, end = start + blockCount; position < end;)
        {
            var count = map.DescribeChanges(new Lba(position), end - position, runs);
            Assert.InRange(count, 1, runs.Length);
            foreach (var run in runs.AsSpan(0, count))
            {
                Assert.True(run.BlockCount > 0);
                if (all.Count > 0 && all[^1].IsChanged == run.IsChanged)
                    all[^1] = run with { BlockCount = run.BlockCount + all[^1].BlockCount };
                else
                    all.Add(run);
                position += run.BlockCount;
            }

            Assert.True(position <= end);
        }

        return all;
    }

    /// <summary>Which blocks are called changed.</summary>
    public static HashSet<long> Changed(IChangeMap map, long blockCount)
    {
        var changed = new HashSet<long>();
        var position = 0L;
        foreach (var run in ReadAll(map, 0, blockCount))
        {
            for (var i = 0L; run.IsChanged && i < run.BlockCount; i++) changed.Add(position + i);
            position += run.BlockCount;
        }

        return changed;
    }

    /// <summary>A block of a range by chance that differs and is not called changed; null when there is none.</summary>
    /// <param name="map">The map.</param>
    /// <param name="before">What the snapshot holds; beyond its end are zeros.</param>
    /// <param name="after">What is asked about.</param>
    /// <param name="blockBytes">Of the volume.</param>
    /// <param name="random">Chooses the range, and how it is asked for.</param>
    public static string? FindMissing(IChangeMap map, byte[] before, byte[] after, int blockBytes, SeededRandom random)
    {
        var blocks = after.Length / blockBytes;
        var first = random.OneIn(2) ? 0 : random.Next(blocks);
        var position = first;
        var same = new byte[after.Length];
        before.AsSpan(0, Math.Min(before.Length, after.Length)).CopyTo(same);
        foreach (var run in ReadAll(map, first, blocks - first, 1 + random.Next(40)))
        {
            for (var i = 0; !run.IsChanged && i < run.BlockCount; i++)
            {
                var bytes = (Start: (position + i) * blockBytes, blockBytes);
                if (!same.AsSpan(bytes.Start, blockBytes).SequenceEqual(after.AsSpan(bytes.Start, blockBytes)))
                    return $"block {position + i} differs and is not called changed";
            }

            position += (int)run.BlockCount;
        }

        return null;
    }
}
