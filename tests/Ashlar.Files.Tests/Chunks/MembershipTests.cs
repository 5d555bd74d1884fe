using Ashlar.Files.Tests.Nodes;
using Ashlar.Simulation;

namespace Ashlar.Files.Tests.Chunks;

/// <summary>Copies are counted by the nodes that belong to the store, not by those that happen to be open.</summary>
public sealed class MembershipTests
{
    static byte[] Content { get; } = NodeExtensions.Content(1, 100_000);

    [Fact]
    public async Task With_two_of_three_nodes_missing_nothing_is_acknowledged_on_one()
    {
        await using var rig = new NodeRig(1);
        rig.AddAbsent();
        rig.AddAbsent();
        var refusal = await Assert.ThrowsAsync<NotEnoughNodesException>(() => rig.StoreAsync(Content));
        Assert.Equal((2, 1), (refusal.Needed, refusal.Possible));
        Assert.Contains("is not open", refusal.Message, StringComparison.Ordinal);
        var redundancy = await rig.Known.GetRedundancyAsync();
        Assert.Equal((3, 1, 3, 2), (redundancy.Nodes, redundancy.UsableNodes, redundancy.Copies, redundancy.AcknowledgedCopies));

        // One more comes: two copies, of three that are wanted.
        rig.Add();
        var copies = await rig.StoreAsync(Content);
        Assert.Equal((2, 3), (copies.Durable.Count, copies.WantedCopies));
    }

    [Fact]
    public async Task A_node_that_is_not_open_counts_with_its_domain()
    {
        await using var rig = new NodeRig(2, domainOf: _ => "rack a");
        rig.AddAbsent("rack b");
        var refusal = await Assert.ThrowsAsync<NotEnoughNodesException>(() => rig.StoreAsync(Content));
        Assert.Equal((2, 1), (refusal.NeededDomains, refusal.PossibleDomains));
        Assert.All(rig.Nodes, node => Assert.DoesNotContain(NodeCall.Append, node.Calls)); // Nothing was written in vain.
        rig.Known.Register(rig.Known.Ids.Except(rig.Nodes.Select(node => node.Id)).Single(), "rack b", isMember: false);
        await rig.StoreAsync(Content);
    }

    [Fact]
    public async Task A_node_that_was_never_open_does_not_stand_for_a_disk_of_its_own()
    {
        await using var rig = new NodeRig(2);
        foreach (var node in rig.Nodes) node.Health = health => health with { Device = "disk 1" };
        rig.AddAbsent();
        var copies = await rig.StoreAsync(Content);
        await copies.Completed;
        Assert.Equal((2, 3), (copies.Durable.Count, copies.WantedCopies));

        // One that was open, and is on another disk, does so also when it is closed.
        var other = rig.Add();
        other.Health = health => health with { Device = "disk 2" };
        await rig.Known.GetHealthAsync();
        rig.Known.Detach(other.Id);
        var refusal = await Assert.ThrowsAsync<NotEnoughNodesException>(() => rig.StoreAsync(NodeExtensions.Content(2, 5000)));
        Assert.Equal((2, 1), (refusal.NeededDomains, refusal.PossibleDomains));
    }

    [Fact]
    public async Task A_node_that_is_opened_later_takes_its_place_and_one_that_is_closed_keeps_it()
    {
        var clock = new SimulatedClock();
        await using var rig = new NodeRig(3, clock: clock);
        var node = rig.Nodes[0];
        rig.Known.SetDraining(node.Id, true);
        rig.Known.Detach(node.Id);
        Assert.Equal(3, rig.Known.Count);
        Assert.Equal(NodeState.Unavailable, (await rig.Known.GetHealthAsync())[node.Id].State);
        await NodeExtensions.AssertRefusedAsync(
            NodeErrorKind.Unavailable, () => rig.Known.Find(node.Id)!.ListAsync(null, 1, default).AsTask());
        clock.Advance(rig.Options.LostAfter);
        Assert.True(rig.Known.IsLost(node.Id));
        rig.Known.Add(node);
        Assert.False(rig.Known.IsLost(node.Id));
        Assert.True(rig.Known.IsDraining(node.Id));
        Assert.Equal(NodeState.Up, (await rig.Known.GetHealthAsync())[node.Id].State);
        Assert.Throws<ArgumentException>(() => rig.Known.Add(node));
    }

    [Fact]
    public async Task A_node_that_is_gone_for_good_counts_no_more()
    {
        await using var rig = new NodeRig(2);
        var gone = rig.AddAbsent();
        rig.Known.MarkGone(gone);
        Assert.True(rig.Known.IsLost(gone));
        var copies = await rig.StoreAsync(Content);
        await copies.Completed;
        Assert.Equal((2, 2), (copies.Durable.Count, copies.WantedCopies));
        rig.Known.Remove(gone);
        Assert.True(rig.Known.IsLost(gone));
    }

    [Fact]
    public async Task Copies_in_one_domain_are_not_multiplied_because_another_is_down()
    {
        await using var rig = new NodeRig(6, domainOf: number => number < 5 ? "rack a" : "rack b");

        // The other rack goes down between the beginning and the end of the upload.
        await using var writer = await rig.StreamAsync(Content);
        var digest = await writer.FinishAsync();
        rig.Nodes[5].DieAfter(0);
        await Assert.ThrowsAsync<NotEnoughNodesException>(
            () => writer.StoreAsync(new BlockName(digest.Hash, 1), NodeExtensions.Owner));
        await rig.SettleAsync();
        Assert.InRange(rig.Nodes.Take(5).Count(node => node.Calls.Contains(NodeCall.Install)), 0, 3);
    }
}
