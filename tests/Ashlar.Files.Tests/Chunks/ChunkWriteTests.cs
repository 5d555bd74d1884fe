using Ashlar.Files.Tests.Nodes;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Files.Tests.Chunks;

/// <summary>A block is acknowledged when enough copies are durable, whatever happens to a node meanwhile.</summary>
public sealed class ChunkWriteTests
{
    static byte[] Content { get; } = NodeExtensions.Content(1, 300_000);

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 2, 2)]
    [InlineData(3, 2, 3)]
    [InlineData(5, 2, 3)]
    public async Task As_many_copies_are_made_as_there_can_be(int nodes, int atLeast, int inTheEnd)
    {
        await using var rig = new NodeRig(nodes);
        var copies = await rig.StoreAsync(Content);
        Assert.InRange(copies.Durable.Count, atLeast, inTheEnd);
        await copies.Completed;
        Assert.Equal(inTheEnd, copies.Durable.Distinct().Count());
        Assert.Equal(Content, await rig.ReadAsync(copies));
        foreach (var node in copies.Durable) await rig[node].VerifyAsync(copies.Name, default);
        await rig.AssertTidyAsync();
    }

    [Fact]
    public async Task What_the_nodes_can_do_is_said_in_words()
    {
        await using var rig = new NodeRig(0);
        Assert.Contains("no storage node", (await rig.Known.GetRedundancyAsync()).Risk, StringComparison.Ordinal);
        await Assert.ThrowsAsync<NotEnoughNodesException>(() => rig.Chunks.BeginAsync(1));
        rig.Add();
        Assert.Contains("stored once", (await rig.Known.GetRedundancyAsync()).Risk, StringComparison.Ordinal);
        rig.Add();
        Assert.Contains("two storage nodes", (await rig.Known.GetRedundancyAsync()).Risk, StringComparison.Ordinal);
        rig.Add();
        Assert.Null((await rig.Known.GetRedundancyAsync()).Risk);
        var repair = new BlockRepair(rig.Known, rig.Buffers, rig.Catalogue);
        await repair.RunAsync();
        rig.Add();
        Assert.Contains("fewer copies until repair", (await rig.Known.GetRedundancyAsync()).Risk, StringComparison.Ordinal);
        await repair.RunAsync();
        Assert.Null((await rig.Known.GetRedundancyAsync()).Risk);
        rig.Known.Remove(rig.Nodes[3].Id);
        rig.Nodes[0].DieAfter(0);
        Assert.Contains("2 copies instead of 3", (await rig.Known.GetRedundancyAsync()).Risk, StringComparison.Ordinal);
        rig.Nodes[1].DieAfter(0);
        Assert.Contains("nothing can be stored", (await rig.Known.GetRedundancyAsync()).Risk, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_is_alone_and_takes_no_blocks_is_said_to_take_none()
    {
        await using var rig = new NodeRig(1);
        rig.Nodes[0].DieAfter(0);
        Assert.Contains("nothing can be stored", (await rig.Known.GetRedundancyAsync()).Risk, StringComparison.Ordinal);
    }

    /// <summary>A burst of work: the nodes have all bytes, and say that they are too busy to end the upload.</summary>
    [Fact]
    public async Task Nodes_that_are_too_busy_at_the_last_step_are_asked_again_and_nothing_is_sent_twice()
    {
        await using var rig = new NodeRig(3);
        foreach (var node in rig.Nodes) BeBusy(node, NodeCall.Install, times: 3);
        var copies = await rig.StoreAsync(Content);
        await copies.Completed;
        Assert.Equal(3, copies.Durable.Count);
        Assert.All(rig.Nodes, node => Assert.Single(node.Calls, NodeCall.Begin));
        await rig.AssertTidyAsync();
    }

    [Theory]
    [InlineData(NodeCall.Append)]
    [InlineData(NodeCall.Install)]
    [InlineData(NodeCall.Read)]
    internal async Task A_copy_from_node_to_node_waits_for_one_that_is_too_busy(NodeCall call)
    {
        await using var rig = new NodeRig(2, new ChunkOptions { HealthPeriod = TimeSpan.Zero, Copies = 1, Quorum = 1 });
        var copies = await rig.StoreAsync(Content);
        await copies.Completed;
        foreach (var node in rig.Nodes) BeBusy(node, call, times: 2);
        var (source, target) = (rig[copies.Durable[0]], rig.Nodes.Single(node => node.Id != copies.Durable[0]));
        await BlockCopy.RunAsync(source, target, copies.Block, rig.Buffers, null, default);
        await target.VerifyAsync(copies.Name, default);
    }

    static void BeBusy(ScriptedNode node, NodeCall call, int times)
    {
        var left = times;
        node.Before = asked => asked == call && Interlocked.Decrement(ref left) >= 0
            ? throw new StorageNodeException(node.Id, NodeErrorKind.Busy, "512 requests are waiting")
            : Task.CompletedTask;
    }

    [Fact]
    public async Task What_is_announced_and_not_sent_keeps_no_space_from_others()
    {
        await using var rig = new NodeRig(1);
        IChunkManager chunks = rig.Chunks;
        var free = (await rig.Nodes[0].GetHealthAsync(default)).FreeBytes;
        var expectation = new BlockExpectation(BlockGeometry.MaxLengthBytes);
        var uploads = new List<IChunkUpload>();
        for (var number = 0; number < 20; number++) uploads.Add(await chunks.BeginAsync(NodeExtensions.Owner, expectation));
        Assert.InRange(free - (await rig.Nodes[0].GetHealthAsync(default)).FreeBytes, 1, 40 << 20);
        foreach (var upload in uploads) await upload.DisposeAsync();
        Assert.Equal(free, (await rig.Nodes[0].GetHealthAsync(default)).FreeBytes);

        // A node that has not got so much is not even asked.
        rig.Nodes[0].Health = health => health with { FreeBytes = 2 << 20 };
        await Assert.ThrowsAsync<NotEnoughNodesException>(() => chunks.BeginAsync(NodeExtensions.Owner, expectation));
    }

    [Fact]
    public async Task One_node_of_three_does_not_acknowledge_alone()
    {
        await using var rig = new NodeRig(3);
        rig.Nodes[0].DieAfter(0);
        rig.Nodes[2].DieAfter(0);
        var refusal = await Assert.ThrowsAsync<NotEnoughNodesException>(() => rig.StoreAsync(Content));
        Assert.Equal((2, 1), (refusal.Needed, refusal.Possible));
        Assert.Equal(2, refusal.Failures.Count);
        await rig.AssertTidyAsync();
    }

    /// <summary>A node dies at each of its calls in turn: with three others the block has three copies all the same.</summary>
    [Fact]
    public async Task A_node_that_is_lost_at_any_moment_is_replaced_at_once()
    {
        for (var moment = 0; moment < 12; moment++)
        {
            await using var rig = new NodeRig(4);
            foreach (var node in rig.Nodes) await node.GetHealthAsync(default);
            var victim = rig.Nodes[moment % 4];
            victim.DieAfter(moment);
            var copies = await rig.StoreAsync(Content);
            Assert.True(copies.Durable.Count >= 2, $"moment {moment}");
            await copies.Completed;
            Assert.Equal(3, copies.Durable.Count);
            victim.Before = null;
            foreach (var node in copies.Durable) Assert.NotNull(await rig[node].FindAsync(copies.Name, default));
            Assert.Equal(Content, await rig.ReadAsync(copies));
        }
    }

    [Theory, Seeds(count: 4)]
    public async Task Nodes_that_die_at_random_leave_enough_copies_or_an_error(ulong seed)
    {
        var random = new SeededRandom(seed);
        var acknowledged = 0;
        for (var round = 0; round < TestTier.Choose(25, 300); round++)
        {
            await using var rig = new NodeRig(random.Next(2, 6));
            var dead = rig.Nodes.Where(_ => random.OneIn(2)).ToArray();
            foreach (var node in dead) node.DieAfter(random.Next(14));
            try
            {
                var copies = await rig.StoreAsync(Content);
                var durable = copies.Durable;
                Assert.True(durable.Count >= 2);
                foreach (var node in rig.Nodes) node.Before = null;
                foreach (var node in durable) await rig[node].VerifyAsync(copies.Name, default);
                await copies.Completed;
                acknowledged++;
            }
            catch (NotEnoughNodesException)
            {
                Assert.NotEmpty(dead);
            }
        }

        Assert.True(acknowledged > 5);
    }

    [Fact]
    public async Task A_disk_that_loses_a_flush_has_no_copy_and_takes_no_other()
    {
        await using var rig = new NodeRig(4);
        var victim = 0;
        rig.Faults[victim].Add(new FaultRule(FaultOperations.Sync, FaultKind.LostSync) { PathPattern = "/node/temp/*" });
        for (var generation = 1UL; generation < 12; generation++)
        {
            var copies = await rig.StoreAsync(Content, generation);
            await copies.Completed;
            Assert.Equal(3, copies.Durable.Count);
            Assert.DoesNotContain(rig.Nodes[victim].Id, rig.Faults[victim].FiredCount > 0 ? copies.Durable : []);
        }

        Assert.Equal(NodeState.Suspect, (await rig.Known.GetHealthAsync())[rig.Nodes[victim].Id].State);
        await NodeExtensions.AssertRefusedAsync(NodeErrorKind.Suspect, () => rig.Nodes[victim].BeginAsync(1, default).AsTask());
    }

    [Fact]
    public async Task A_node_that_takes_nothing_any_more_holds_nobody_up()
    {
        var clock = new SimulatedClock();
        await using var rig = new NodeRig(3, new ChunkOptions { PiecesBehind = 1 }, clock);
        using var release = new SemaphoreSlim(0);
        rig.Nodes[1].Before = call => call == NodeCall.Append ? release.WaitAsync() : Task.CompletedTask;
        var storing = rig.StoreAsync(Content);
        await Waiting.UntilAsync(() => clock.UntilNextTimer == rig.Options.StallLimit, "somebody waits for the node");
        Assert.False(storing.IsCompleted);
        clock.Advance(rig.Options.StallLimit);
        var copies = await storing;
        Assert.Equal(2, copies.Durable.Count);
        release.Release(100);
        await copies.Completed;
        Assert.DoesNotContain(rig.Nodes[1].Id, copies.Durable);
        await rig.AssertTidyAsync();
    }

    [Fact]
    public async Task A_node_that_never_says_that_a_copy_is_durable_is_replaced()
    {
        var clock = new SimulatedClock();
        await using var rig = new NodeRig(3, new ChunkOptions { HealthPeriod = TimeSpan.FromDays(1) }, clock);
        using var release = new SemaphoreSlim(0);
        foreach (var node in rig.Nodes.Take(2)) node.Before = call => call == NodeCall.Install ? release.WaitAsync() : Task.CompletedTask;
        var storing = rig.StoreAsync(Content);
        await Waiting.UntilAsync(
            () => rig.Nodes.Count(node => node.Calls.Contains(NodeCall.Install)) == 3, "all copies are being installed");
        rig.Add();
        await rig.Nodes[2].GetHealthAsync(default);
        await Waiting.UntilAsync(() => clock.UntilNextTimer is not null, "the limit runs");
        await Task.Delay(50);
        Assert.False(storing.IsCompleted);
        clock.Advance(rig.Options.InstallLimit);
        var copies = await storing;
        Assert.Equal([rig.Nodes[2].Id, rig.Nodes[3].Id], copies.Durable);
        release.Release(10);
        await copies.Completed;
        await rig.AssertTidyAsync();
    }

    [Fact]
    public async Task The_third_copy_follows_without_being_waited_for()
    {
        await using var rig = new NodeRig(3);
        using var release = new SemaphoreSlim(0);
        rig.Nodes[2].Before = call => call == NodeCall.Install ? release.WaitAsync() : Task.CompletedTask;
        var copies = await rig.StoreAsync(Content);
        Assert.Equal(2, copies.Durable.Count);
        Assert.False(copies.Completed.IsCompleted);
        release.Release(100);
        await copies.Completed;
        Assert.Equal(3, copies.Durable.Count);
    }

    [Fact]
    public async Task Two_copies_in_one_failure_domain_are_not_enough_where_there_is_another()
    {
        await using var rig = new NodeRig(3, domainOf: number => number == 2 ? "rack b" : "rack a");
        using var release = new SemaphoreSlim(0);
        rig.Nodes[2].Before = call => call == NodeCall.Install ? release.WaitAsync() : Task.CompletedTask;
        var storing = rig.StoreAsync(Content);
        await Waiting.UntilAsync(
            () => rig.Nodes.Count(node => node.Calls.Contains(NodeCall.Install)) == 3, "all copies are being installed");
        await Task.Delay(50);
        Assert.False(storing.IsCompleted);
        release.Release(100);
        Assert.Contains(rig.Nodes[2].Id, (await storing).Durable);
        rig.Nodes[2].DieAfter(0);
        await Assert.ThrowsAsync<NotEnoughNodesException>(() => rig.StoreAsync(Content));
    }

    [Fact]
    public async Task A_node_that_got_other_bytes_has_no_copy()
    {
        await using var rig = new NodeRig(3);
        await using var writer = await rig.Chunks.BeginAsync(100);
        var piece = rig.Buffers.Rent();
        piece.LengthBytes = 100;
        using var isThere = new SemaphoreSlim(0);
        rig.Nodes[0].Before = call => call == NodeCall.Append ? isThere.WaitAsync() : Task.CompletedTask;
        await writer.WriteAsync(piece);
        var digest = await writer.FinishAsync();
        await Waiting.UntilAsync(() => rig.Nodes.Skip(1).All(node => node.Calls.Contains(NodeCall.Append)), "two have it");
        await Task.Delay(50);
        piece.Space.Span[5] ^= 1; // Between the gateway and the node.
        isThere.Release(100);
        var copies = await writer.StoreAsync(new BlockName(digest.Hash, 1), NodeExtensions.Owner);
        await copies.Completed;
        Assert.DoesNotContain(rig.Nodes[0].Id, copies.Durable);
        Assert.Contains(copies.Failures, failure => failure is StorageNodeException { Kind: NodeErrorKind.ContentDiffers });
        piece.Release();
    }

    [Fact]
    public async Task A_node_that_is_too_busy_for_a_moment_is_asked_again()
    {
        await using var rig = new NodeRig(3);
        var refusals = 0;
        rig.Nodes[0].Before = call => call == NodeCall.Append && ++refusals <= 3
            ? throw new StorageNodeException(rig.Nodes[0].Id, NodeErrorKind.Busy, "too much to do")
            : Task.CompletedTask;
        var copies = await rig.StoreAsync(Content);
        await copies.Completed;
        Assert.Equal(3, copies.Durable.Count);
        Assert.Empty(copies.Failures);
    }

    [Fact]
    public async Task A_block_that_is_probably_there_goes_to_no_node_before_that_is_known()
    {
        await using var rig = new NodeRig(3);
        IChunkManager chunks = rig.Chunks;
        var likely = new BlockExpectation(IsLikelyKnown: true);
        foreach (var isKnown in (bool[])[true, false])
        {
            await using var upload = await chunks.BeginAsync(NodeExtensions.Owner, likely);
            for (var done = 0; done < Content.Length; done += 70_000)
                await upload.AppendAsync(Content.AsMemory(done, Math.Min(70_000, Content.Length - done)));
            var wanted = await upload.SealAsync();
            Assert.Equal(new WantedBlock(ContentHash.Of(Content), Content.Length), wanted);
            Assert.All(rig.Nodes, node => Assert.DoesNotContain(NodeCall.Begin, node.Calls));
            if (isKnown) continue;
            var nodes = await upload.InstallAsync(new BlockName(wanted.Hash, 1), []);
            await rig.Chunks.SettleAsync();
            foreach (var node in nodes) await rig[node].VerifyAsync(new BlockName(wanted.Hash, 1), default);
        }

        // Only a few are in memory at a time.
        var held = new List<IChunkUpload>();
        for (var i = 0; i < 4; i++) held.Add(await chunks.BeginAsync(NodeExtensions.Owner, likely));
        Assert.Equal(2 + 1, rig.Nodes[0].Calls.Count(call => call == NodeCall.Begin));
        foreach (var upload in held) await upload.DisposeAsync();
        await rig.AssertTidyAsync();
    }

    [Fact]
    public async Task An_upload_that_is_given_up_leaves_nothing()
    {
        await using var rig = new NodeRig(3);
        for (var calls = 0; calls < 6; calls++)
        {
            var writer = await rig.StreamAsync(Content[..(1 + (calls * 49_999))]);
            await writer.DisposeAsync();
            await rig.AssertTidyAsync();
        }
    }

    [Fact]
    public async Task A_block_that_some_have_gets_the_copies_that_it_lacks()
    {
        await using var rig = new NodeRig(4);
        var first = await rig.StoreAsync(Content);
        await first.Completed;
        var holder = first.Durable[0];
        foreach (var node in first.Durable.Skip(1)) await rig[node].RemoveAsync(first.Name, default);
        IChunkManager chunks = rig.Chunks;
        await using var upload = await chunks.BeginAsync(NodeExtensions.Owner);
        await upload.AppendAsync(Content);
        Assert.Equal(new WantedBlock(first.Name.Hash, Content.Length), await upload.SealAsync());
        var more = await upload.InstallAsync(first.Name, [holder]);
        Assert.NotEmpty(more);
        Assert.DoesNotContain(holder, more);
        await upload.DisposeAsync();
        await Waiting.UntilAsync(() => rig.Nodes.Count(node => HasAsync(node).GetAwaiter().GetResult()) == 3, "three have it");
        await rig.AssertTidyAsync();

        async Task<bool> HasAsync(ScriptedNode node) => await node.Inner.FindAsync(first.Name, default) is not null;
    }

    [Fact]
    public async Task Many_uploads_at_a_time_take_no_more_memory_than_there_is()
    {
        await using var rig = new NodeRig(3, buffers: 12);
        var blocks = await Task.WhenAll(Enumerable.Range(0, 16).Select(number => StoreAsync(NodeExtensions.Content(number, 400_000))));
        await Task.WhenAll(blocks.Select(block => block.Copies.Completed));
        foreach (var (content, copies) in blocks) Assert.Equal(content, await rig.ReadAsync(copies));
        await rig.AssertTidyAsync();

        async Task<(byte[] Content, StoredCopies Copies)> StoreAsync(byte[] content) => (content, await rig.StoreAsync(content));
    }
}
