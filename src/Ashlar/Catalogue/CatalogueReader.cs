using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>Makes rows of what a server says, and believes none of it that cannot be.</summary>
static class CatalogueReader
{
    const int BlockBytes = 4096;

    /// <summary>Copies all of it.</summary>
    /// <exception cref="CommandException">It is cut off, or not a catalogue.</exception>
    public static async Task<CatalogueEnd> CopyAsync(IAsyncEnumerable<CatalogueEntry> entries, ICatalogueTarget target)
    {
        var state = new State(target);
        await foreach (var entry in entries)
        {
            if (state.End is not null) throw NotOne("it goes on after its end");
            state.Take(entry);
        }
        return state.End ?? throw JsonLines.CutOff();
    }

    static CommandException NotOne(string why) =>
        new(ExitCode.Failed, ProblemTypes.Failed, $"what the server gives is not a catalogue: {why}");

    sealed class State(ICatalogueTarget target)
    {
        bool hasHead;
        CatalogueVolume? volume;
        long nextBlock;

        public CatalogueEnd? End { get; private set; }

        public void Take(CatalogueEntry entry)
        {
            if (entry.Head is not null) hasHead = true;
            else if (!hasHead) throw NotOne("its head is missing");
            else if (entry.Volume is { } next) Begin(next);
            else if (entry.Blocks is { } blocks) Take(blocks);
            else if (entry.Snapshot is { } snapshot) target.Add(volume ?? throw NotOne("a snapshot of no volume"), snapshot);
            else End = entry.End; // Others may come to be.
        }

        void Begin(CatalogueVolume next)
        {
            if (next.SizeBytes < 0) throw NotOne($"a volume of {next.SizeBytes} bytes");
            (volume, nextBlock) = (next, 0);
            target.Add(next);
        }

        void Take(CatalogueBlocks blocks)
        {
            if (volume is null) throw NotOne("blocks of no volume");
            var end = (volume.SizeBytes / BlockBytes) + 1;
            if (blocks.LogicalBlock < nextBlock || blocks.Count < 1 || blocks.Count > end || blocks.LogicalBlock > end - blocks.Count
                || blocks.PhysicalOffset < 0 || blocks.PhysicalOffset > long.MaxValue - (blocks.Count * BlockBytes))
                throw NotOne($"{blocks.Count} blocks at {blocks.LogicalBlock} of a volume of {volume.SizeBytes} bytes");
            for (long i = 0; i < blocks.Count; i++)
                target.AddBlock(volume, blocks.LogicalBlock + i, blocks.PhysicalNode, blocks.PhysicalOffset + (i * BlockBytes));
            nextBlock = blocks.LogicalBlock + blocks.Count;
        }
    }
}
