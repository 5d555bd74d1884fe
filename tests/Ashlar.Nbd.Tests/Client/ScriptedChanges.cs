using Ashlar.Blocks;

namespace Ashlar.Nbd.Tests.Client;

/// <summary>What a test says has changed, block by block.</summary>
sealed class ScriptedChanges(Func<long, bool> isChanged) : IChangeMap
{
    /// <summary>Whether the snapshot has been deleted.</summary>
    public bool IsGone { get; set; }

    /// <summary>The most blocks that were asked for at once.</summary>
    public long MostAsked { get; private set; }

    public int DescribeChanges(Lba start, long blockCount, Span<BlockChange> runs)
    {
        if (IsGone) throw new ChangesUnknownException("test");
        MostAsked = Math.Max(MostAsked, blockCount);
        var count = 0;
        for (var block = start.Value; block < start.Value + blockCount; block++)
        {
            var changed = isChanged(block);
            if (count > 0 && runs[count - 1].IsChanged == changed)
            {
                runs[count - 1] = runs[count - 1] with { BlockCount = runs[count - 1].BlockCount + 1 };
                continue;
            }
            if (count == runs.Length) break;
            runs[count++] = new(changed, 1);
        }
        return count;
    }
}
