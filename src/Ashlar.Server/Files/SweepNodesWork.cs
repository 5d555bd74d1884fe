using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>
/// Compares what nodes have with what the metadata tell of, and hands what nobody knows of to the collector. It goes on where it was cut
/// off.
/// </summary>
sealed class SweepNodesWork(FileStore store) : FileWork(store)
{
    // Far longer than any lease.
    static readonly TimeSpan MinimumAge = TimeSpan.FromDays(2);

    public override string Type => "sweep-nodes";

    public override async Task RunAsync(TaskContext context)
    {
        var options = new CollectorOptions { TimeProvider = Store.Options.TimeProvider };
        var journal = UpkeepJournal.OfSweep(Store);
        var begin = await journal.LoadAsync(context.Stop.Token);
        var place = begin is { Node: { } node, After: { } after } ? new SweepPlace(node, after) : null;
        SweepReport? found = null;
        try
        {
            found = await new InventorySweep(Store.Metadata, Paced(context), options).RunAsync(
                MinimumAge,
                place,
                async passed =>
                {
                    place = passed;
                    await journal.PassAsync(passed.Node, passed.After, context.Stop.Token);
                },
                context.Stop.Token);
            await journal.EndAsync(context.Stop.Token);
        }
        finally
        {
            if (found is null) await journal.StopAsync(place?.Node, place?.After, context.IsUnwanted);
        }

        if (found.OfUnknownCustomers > 0) Find($"{found.OfUnknownCustomers} copies of customers that there are not; they were left alone");
        if (found.NodesAway > 0) Find($"{found.NodesAway} storage nodes did not answer");
        Say($"{found.Copies} copies seen, {found.Adopted} that nothing tells of");
    }
}
