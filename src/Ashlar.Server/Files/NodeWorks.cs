using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>Gives each block of a node a copy elsewhere, and takes its own away when all that are wanted are there and verified.</summary>
sealed class DrainNodeWork(FileStore store, ServedNode node) : FileWork(store)
{
    public override string Type => "drain-node";

    public override async Task RunAsync(TaskContext context) =>
        Find(await Store.Care.DrainAsync(node.Record.NodeId!.Value, bytes => PaceAsync(context, bytes), context.Stop.Token));
}

/// <summary>Makes the copies of a lost node anew, elsewhere.</summary>
sealed class ReplaceNodeWork(FileStore store, ServedNode node) : FileWork(store)
{
    public override string Type => "replace-node";

    public override async Task RunAsync(TaskContext context) =>
        Find(await Store.Care.ReplaceLostAsync(node.Record.NodeId!.Value, bytes => PaceAsync(context, bytes), context.Stop.Token));
}

/// <summary>Compares what a node that came back has with what it should have.</summary>
sealed class CompareNodeWork(FileStore store, ServedNode node) : FileWork(store)
{
    public override string Type => "compare-node";

    public override async Task RunAsync(TaskContext context)
    {
        var found = await Store.Care.CompareAsync(
            node.Record.NodeId!.Value, bytes => PaceAsync(context, bytes), context.Stop.Token);
        if (found.Damaged > 0) Find($"{Count(found.Damaged)} were left alone: what the metadata tell of them is damaged");
        if (found.Lacking > 0) Find($"{Count(found.Lacking)} that it should have were missing, and looked after");
        Say($"{Count(found.Present)} as they should be, {found.Surplus} too many taken away, {found.Strangers} that nobody knows of");
    }
}

/// <summary>
/// Reads all blocks of a node from the medium, and has those made anew that are not what they should be. It goes on where it was cut off.
/// </summary>
sealed class ScrubNodeWork(FileStore store, ServedNode node) : FileWork(store)
{
    const int BlocksAtATime = 4;

    public override string Type => "scrub-node";

    public override async Task RunAsync(TaskContext context)
    {
        var (id, good, isDone) = (node.Record.NodeId!.Value, 0L, false);
        var journal = UpkeepJournal.OfScrub(Store, id);
        var last = (await journal.LoadAsync(context.Stop.Token)).After;
        try
        {
            do
            {
                var page = await Store.Care.ScrubAsync(id, last, BlocksAtATime, context.Stop.Token);
                foreach (var bad in page.Bad) Find($"block {bad} was not what it should be");
                Store.Totals.AddScrubbed(node.Name, page.Bytes, page.Bad.Count);
                good += page.Good;
                last = page.Last;
                Say($"{Count(good)} as they should be");
                if (last is { } passed) await journal.PassAsync(null, passed, context.Stop.Token);
                await PaceAsync(context, page.Bytes);
            }
            while (last is not null);
            isDone = true;
            await journal.EndAsync(context.Stop.Token);
        }
        finally
        {
            if (!isDone) await journal.StopAsync(null, last, context.IsUnwanted);
        }
    }
}
