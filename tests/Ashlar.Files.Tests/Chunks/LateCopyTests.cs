using Ashlar.Files.Tests.Nodes;

namespace Ashlar.Files.Tests.Chunks;

/// <summary>A copy that becomes durable after the commit is recorded when it is.</summary>
public sealed class LateCopyTests
{
    static byte[] Content { get; } = NodeExtensions.Content(1, 100_000);

    [Fact]
    public async Task The_third_copy_is_recorded_and_the_block_lacks_none()
    {
        await using var rig = new NodeRig(3);
        using var release = new SemaphoreSlim(0);
        var copies = await StoreAsync(rig, release);
        rig.Chunks.Committed(NodeExtensions.Owner, [copies.Name]);
        Assert.Single(await rig.Catalogue.ListUnderReplicatedAsync(null, 10));
        release.Release(100);
        await rig.Chunks.SettleAsync();
        Assert.Equal(3, rig.Catalogue[copies.Name].Nodes.Count);
        Assert.Empty(await rig.Catalogue.ListUnderReplicatedAsync(null, 10));
    }

    [Fact]
    public async Task What_somebody_else_records_at_the_same_time_stays()
    {
        await using var rig = new NodeRig(3);
        using var release = new SemaphoreSlim(0);
        var copies = await StoreAsync(rig, release);
        var first = copies.Durable[0];
        rig.Catalogue.BeforeReplace = () =>
        {
            rig.Catalogue.BeforeReplace = null;
            rig.Catalogue.Put(copies.Name, copies.LengthBytes, 3, [first]); // The other one was found damaged.
        };
        rig.Chunks.Committed(NodeExtensions.Owner, [copies.Name]);
        release.Release(100);
        await rig.Chunks.SettleAsync();
        Assert.Equal(3, rig.Catalogue[copies.Name].Nodes.Count);
    }

    [Fact]
    public async Task A_row_that_lists_enough_gets_no_more()
    {
        await using var rig = new NodeRig(3);
        using var release = new SemaphoreSlim(0);
        var copies = await StoreAsync(rig, release);
        NodeId[] repaired = [.. copies.Durable, new NodeId(99)];
        rig.Catalogue.Put(copies.Name, copies.LengthBytes, 3, repaired);
        rig.Chunks.Committed(NodeExtensions.Owner, [copies.Name]);
        release.Release(100);
        await rig.Chunks.SettleAsync();
        Assert.Equal(repaired.Order(), rig.Catalogue[copies.Name].Nodes);
    }

    [Fact]
    public async Task A_block_that_is_committed_while_a_node_is_added_is_wanted_as_often_as_those_after_it()
    {
        await using var rig = new NodeRig(2);
        var copies = await rig.StoreAsync(Content);
        await copies.Completed;
        rig.Add();
        rig.Chunks.Committed(NodeExtensions.Owner, [copies.Name]);
        await rig.Chunks.SettleAsync();
        Assert.Equal(3, rig.Catalogue[copies.Name].WantedCopies);
        Assert.Single(await rig.Catalogue.ListUnderReplicatedAsync(null, 10));
    }

    static async Task<StoredCopies> StoreAsync(NodeRig rig, SemaphoreSlim release)
    {
        rig.Nodes[2].Before = call => call == NodeCall.Install ? release.WaitAsync() : Task.CompletedTask;
        var copies = await rig.StoreAsync(Content);
        Assert.Equal(2, rig.Catalogue[copies.Name].Nodes.Count);
        return copies;
    }
}
