using Ashlar.Files.Tests.Chunks;
using Ashlar.Files.Tests.Nodes;
using Ashlar.Simulation;

namespace Ashlar.Files.Tests.Repair;

/// <summary>Blocks of which no copy can be read are looked at ever more seldom, and keep nobody busy.</summary>
public sealed class UnreadableBlockTests
{
    readonly SimulatedClock clock = new();

    [Fact]
    public async Task A_block_that_stays_unreadable_is_looked_at_after_twice_as_long_each_time()
    {
        await using var rig = new NodeRig(3, clock: clock);
        var block = await StoreAsync(rig, 1);
        foreach (var node in block.Durable) rig.Damage(node, block.Name);
        var repair = NewRepair(rig);
        repair.Report(NodeExtensions.Owner, block.Name, block.Durable[0], CopyProblem.Damaged);
        var minutes = new List<double>();
        for (var since = clock.GetTimestamp(); minutes.Count < 9; clock.Advance(TimeSpan.FromSeconds(30)))
        {
            if (!await repair.HasWorkAsync()) continue;
            var before = Reads(rig);
            Assert.Equal(1, (await repair.RunAsync())[RepairOutcome.Unreadable]);
            Assert.NotEqual(before, Reads(rig));
            minutes.Add(clock.GetElapsedTime(since).TotalMinutes);
            since = clock.GetTimestamp();
        }

        Assert.Equal([0, 1, 2, 4, 8, 16, 32, 60, 60], minutes);
        var calls = Reads(rig);
        Assert.Equal(1, (await repair.RunAsync())[RepairOutcome.Unreadable]); // Told, and left alone.
        Assert.Equal(calls, Reads(rig));
        Assert.Equal(block.Name, Assert.Single(repair.Unreadable.First(10)).Block.Name);
    }

    [Fact]
    public async Task A_node_that_comes_back_is_a_reason_to_look_at_once_and_what_is_whole_is_forgotten()
    {
        await using var rig = new NodeRig(3, clock: clock);
        var (lost, kept) = (await StoreAsync(rig, 1), await StoreAsync(rig, 2));
        foreach (var node in lost.Durable) rig.Damage(node, lost.Name);
        var repair = NewRepair(rig);
        foreach (var block in (StoredCopies[])[lost, kept])
            repair.Report(NodeExtensions.Owner, block.Name, block.Durable[0], CopyProblem.Damaged);
        var outcomes = await repair.RunAsync();
        Assert.Equal((1, 1), (outcomes[RepairOutcome.Unreadable], outcomes[RepairOutcome.Whole]));
        Assert.Equal(1, repair.Unreadable.Count);
        Assert.False(await repair.HasWorkAsync());
        repair.Unreadable.Retry();
        Assert.True(await repair.HasWorkAsync());

        // It is not there any more.
        rig.Catalogue.Remove(lost.Name);
        Assert.Equal(1, (await repair.RunAsync())[RepairOutcome.Gone]);
        Assert.Equal(0, repair.Unreadable.Count);
    }

    [Fact]
    public async Task Of_a_lost_node_only_blocks_that_can_be_looked_after_are_work()
    {
        await using var rig = new NodeRig(4, clock: clock);
        var (lost, kept) = (await StoreAsync(rig, 1), await StoreAsync(rig, 2));
        var victim = lost.Durable.First(kept.Durable.Contains);
        foreach (var node in lost.Durable) rig.Damage(node, lost.Name);
        var repair = NewRepair(rig);
        var care = new NodeCare(rig.Known, rig.Catalogue, repair);
        rig.Known.MarkGone(victim);
        var outcomes = await care.ReplaceLostAsync(victim);
        Assert.Equal((1, 1), (outcomes[RepairOutcome.Unreadable], outcomes[RepairOutcome.Whole]));
        Assert.False(await care.HasWorkAsync(victim));
        clock.Advance(UnreadableBlocks.FirstWait);
        Assert.True(await care.HasWorkAsync(victim));
    }

    [Fact]
    public async Task A_pause_holds_the_next_block_back()
    {
        await using var rig = new NodeRig(4, clock: clock);
        for (var number = 0; number < 6; number++) await StoreAsync(rig, number);
        var node = rig.Nodes[0];
        var (blocks, paused, going) = ((await node.ListAllAsync()).Count, new TaskCompletionSource(), new TaskCompletionSource());
        Assert.True(blocks > 2);
        var (calls, passed) = (0, 0L);
        var draining = new NodeCare(rig.Known, rig.Catalogue, NewRepair(rig)).DrainAsync(node.Id, async bytes =>
        {
            passed += bytes;
            if (++calls != 3) return; // Before the second block.
            paused.SetResult();
            await going.Task;
        });
        await paused.Task;
        Assert.Equal(blocks - 1, (await node.ListAllAsync()).Count);
        await Task.Delay(50);
        Assert.Equal((blocks - 1, false), ((await node.ListAllAsync()).Count, draining.IsCompleted));
        going.SetResult();
        await draining;
        Assert.Empty(await node.ListAllAsync());
        Assert.Equal(blocks * 5000, passed);
    }

    BlockRepair NewRepair(NodeRig rig) => new(rig.Known, rig.Buffers, rig.Catalogue, null, new SeededEntropy(1));

    static int Reads(NodeRig rig) => rig.Nodes.Sum(node => node.Calls.Count(call => call == NodeCall.Verify));

    static async Task<StoredCopies> StoreAsync(NodeRig rig, int number)
    {
        var block = await rig.StoreAsync(new SeededRandom((ulong)number).Bytes(5000), (ulong)number + 1);
        await block.Completed;
        rig.Catalogue.Put(block);
        return block;
    }
}
