using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Versions;

namespace Ashlar.KeyValue.Compaction;

/// <summary>Merges in steps on a full disk, each of which gives back space before the next takes any.</summary>
/// <remarks>
/// A few tables of the output level are replaced by an edit of their own, so that no more than those have to be there twice. The table
/// above stays until the last step. Meanwhile some of its entries are in the output level, too, or vanished as tombstones: the
/// entries above are found first, and are the same or as good. <see cref="EntryFilter"/> drops the second of two when they meet again,
/// here or after a crash. A step does not begin before the space is there that it may need (see <see cref="SpaceReserve"/>).
/// </remarks>
sealed class SteppedMerge(TableMerge merge, StoreState state, SpaceReserve space)
{
    public void Run(CompactionPlan plan, IReadOnlySet<ulong> victims, Action pause)
    {
        var upper = plan.Inputs.Where(table => table.Info.Level != plan.OutputLevel).ToArray();
        var lower = new Queue<Table>(plan.Inputs.Where(table => table.Info.Level == plan.OutputLevel)
            .OrderBy(table => table.Info.SmallestKey, KeyOrder.Instance));
        byte[]? after = null;
        do
        {
            var step = TakeStep(lower, upper.Sum(table => table.Info.FileLength));
            var isLast = lower.Count == 0;
            Table[] sources = [.. upper, .. step];
            using var grant = space.TakeForMerge(
                sources.Sum(table => table.Info.FileLength + victims.Sum(id => FullDiskPicker.LiveBytes(table, id))), pause);
            // Taken for each step: a version that is held holds the files of its tables.
            var version = state.Acquire();
            try
            {
                var through = isLast ? null : step[^1].Info.LargestKey;
                merge.RunStep(version.Tables, plan, sources, isLast ? sources : step, after, through, victims, pause);
                after = through;
            }
            finally
            {
                version.Release();
            }
        }
        while (lower.Count > 0);
    }

    // At least one; more where they are small, lest they become smaller still.
    Table[] TakeStep(Queue<Table> lower, long bytes)
    {
        var step = new List<Table>();
        while (lower.TryPeek(out var next) && (step.Count == 0 || space.IsGoodForMerge(bytes + next.Info.FileLength)))
        {
            bytes += next.Info.FileLength;
            step.Add(lower.Dequeue());
        }

        return [.. step];
    }
}
