using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>Gives each block of a node a copy elsewhere, and takes its own away when all that are wanted are there and verified.</summary>
sealed class DrainNodeWork(FileStore store, ServedNode node) : FileWork(store)
{
    public override string Type => "drain-node";

    public override async Task RunAsync(TaskContext context) =>
        Find(await Store.Care.DrainAsync(node.Record.NodeId!.Value, context.Stop.Token));
}

/// <summary>Makes the copies of a lost node anew, elsewhere.</summary>
sealed class ReplaceNodeWork(FileStore store, ServedNode node) : FileWork(store)
{
    public override string Type => "replace-node";

    public override async Task RunAsync(TaskContext context) =>
        Find(await Store.Care.ReplaceLostAsync(node.Record.NodeId!.Value, context.Stop.Token));
}

/// <summary>Compares what a node that came back has with what it should have.</summary>
sealed class CompareNodeWork(FileStore store, ServedNode node) : FileWork(store)
{
    public override string Type => "compare-node";

    public override async Task RunAsync(TaskContext context)
    {
        var found = await Store.Care.CompareAsync(node.Record.NodeId!.Value, context.Stop.Token);
        if (found.Lacking > 0) Find($"{Count(found.Lacking)} that it should have were missing, and looked after");
        Say($"{Count(found.Present)} as they should be, {found.Surplus} too many taken away, {found.Strangers} that nobody knows of");
    }
}

/// <summary>Reads all blocks of a node from the medium, and has those made anew that are not what they should be.</summary>
sealed class ScrubNodeWork(FileStore store, ServedNode node) : FileWork(store)
{
    const int BlocksAtATime = 4;

    public override string Type => "scrub-node";

    public override async Task RunAsync(TaskContext context)
    {
        var good = 0L;
        CustomerBlock? last = null;
        do
        {
            var page = await Store.Care.ScrubAsync(node.Record.NodeId!.Value, last, BlocksAtATime, context.Stop.Token);
            foreach (var bad in page.Bad) Find($"block {bad} was not what it should be");
            good += page.Good;
            last = page.Last;
            Say($"{Count(good)} as they should be");
            await PaceAsync(context, page.Bytes);
        }
        while (last is not null);
    }
}
