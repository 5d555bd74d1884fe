using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>Removes what nothing refers to, and deletes for good what was taken away long enough ago.</summary>
sealed class CollectFilesWork(FileStore store) : FileWork(store)
{
    static readonly CollectorOptions Options = new();

    public override string Type => "collect-files";

    public override async Task RunAsync(TaskContext context)
    {
        var collector = new Collector(Store.Metadata, Paced(context), Options with { TimeProvider = Store.Options.TimeProvider });
        var done = await collector.RunAsync(context.Stop.Token);
        Store.Totals.AddCollected(done);
        if (done.Damaged > 0) Find($"{done.Damaged} uploads or blocks were left alone: what the metadata tell of them is damaged");
        Say($"{done.Released} uploads taken back, {done.Condemned} blocks condemned, {done.Deleted} deleted, {done.Waiting} waiting for a "
            + $"node, {done.Purged} copies purged");
    }
}
