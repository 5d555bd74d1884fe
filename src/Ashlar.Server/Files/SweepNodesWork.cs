using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>Compares what nodes have with what the metadata tell of, and hands what nobody knows of to the collector.</summary>
sealed class SweepNodesWork(FileStore store) : FileWork(store)
{
    // Far longer than any lease.
    static readonly TimeSpan MinimumAge = TimeSpan.FromDays(2);

    public override string Type => "sweep-nodes";

    public override async Task RunAsync(TaskContext context)
    {
        var options = new CollectorOptions { TimeProvider = Store.Options.TimeProvider };
        var found = await new InventorySweep(Store.Metadata, Paced(context), options).RunAsync(MinimumAge, context.Stop.Token);
        if (found.OfUnknownCustomers > 0) Find($"{found.OfUnknownCustomers} copies of customers that there are not; they were left alone");
        if (found.NodesAway > 0) Find($"{found.NodesAway} storage nodes did not answer");
        Say($"{found.Copies} copies seen, {found.Adopted} that nothing tells of");
    }
}
