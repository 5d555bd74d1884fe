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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_copy_that_was_found_damaged_meanwhile_does_not_come_back(bool isAtTheSameTime)
    {
        await using var rig = new NodeRig(3);
        using var release = new SemaphoreSlim(0);
        var copies = await StoreAsync(rig, release);
        var good = copies.Durable[0];
        if (isAtTheSameTime) rig.Catalogue.BeforeReplace = TakeOut;
        else TakeOut();
        rig.Chunks.Committed(NodeExtensions.Owner, [copies.Name]);
        release.Release(100);
        await rig.Chunks.SettleAsync();
        Assert.Equal(new[] { good, rig.Nodes[2].Id }.Order(), rig.Catalogue[copies.Name].Nodes);
        Assert.Single(await rig.Catalogue.ListUnderReplicatedAsync(null, 10));

        void TakeOut()
        {
            rig.Catalogue.BeforeReplace = null;
            rig.Catalogue.Put(copies.Name, copies.LengthBytes, 3, [good]);
        }
    }

    [Fact]
    public async Task A_late_copy_that_was_taken_away_meanwhile_or_whose_node_is_emptied_is_not_recorded()
    {
        await using var rig = new NodeRig(3);
        foreach (var isDraining in (bool[])[false, true])
        {
            using var release = new SemaphoreSlim(0);
            var copies = await StoreAsync(rig, release, NodeExtensions.Content(isDraining ? 2 : 3, 5000));
            release.Release(100);
            await copies.Completed;
            rig.Known.SetDraining(rig.Nodes[2].Id, isDraining);
            if (!isDraining) Assert.True(await rig.Nodes[2].RemoveAsync(copies.Name, default));
            rig.Chunks.Committed(NodeExtensions.Owner, [copies.Name]);
            await rig.Chunks.SettleAsync();
            Assert.Equal(copies.Acknowledged.Order(), rig.Catalogue[copies.Name].Nodes);
        }
    }

    [Fact]
    public async Task A_late_copy_of_a_block_that_is_forgotten_already_is_taken_away()
    {
        await using var rig = new NodeRig(3);
        using var release = new SemaphoreSlim(0);
        var copies = await StoreAsync(rig, release);
        rig.Catalogue.Remove(copies.Name);
        rig.Chunks.Committed(NodeExtensions.Owner, [copies.Name]);
        release.Release(100);
        await rig.Chunks.SettleAsync();
        Assert.Null(await rig.Nodes[2].FindAsync(copies.Name, default));
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

    static async Task<StoredCopies> StoreAsync(NodeRig rig, SemaphoreSlim release, byte[]? content = null)
    {
        rig.Nodes[2].Before = call => call == NodeCall.Install ? release.WaitAsync() : Task.CompletedTask;
        var copies = await rig.StoreAsync(content ?? Content);
        Assert.Equal(2, rig.Catalogue[copies.Name].Nodes.Count);
        return copies;
    }
}
