using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>Makes copies of blocks anew that have too few, those with the fewest first.</summary>
sealed class RepairFilesWork(FileStore store) : FileWork(store)
{
    public override string Type => "repair-files";

    public override async Task RunAsync(TaskContext context)
    {
        var outcomes = await Store.Repair.RunAsync(bytes => PaceAsync(context, bytes), context.Stop.Token);
        Store.Totals.ShortBlocks = outcomes.GetValueOrDefault(RepairOutcome.Short);
        Find(outcomes);
    }
}
