using Ashlar.Files.Tests.Nodes;
using Ashlar.Simulation;

namespace Ashlar.Files.Tests.Chunks;

/// <summary>A node that takes calls and never answers holds nobody up for longer than the limits say.</summary>
public sealed class SilentNodeTests
{
    static byte[] Content { get; } = NodeExtensions.Content(1, 300_000);

    readonly SimulatedClock clock = new();

    [Fact]
    public async Task Every_call_ends_and_says_that_the_node_cannot_be_had()
    {
        await using var rig = new NodeRig(1, clock: clock);
        var silence = new TaskCompletionSource();
        rig.Nodes[0].Before = _ => silence.Task;
        var node = rig.Known.Find(rig.Nodes[0].Id)!;
        var block = new CustomerBlock(NodeExtensions.Owner, NodeExtensions.NameOf(Content));
        var calls = new Func<Task>[]
        {
            () => node.GetHealthAsync(default).AsTask(), () => node.BeginAsync(1, default).AsTask(),
            () => node.AppendAsync(default, 0, Content, default).AsTask(), () => node.InstallAsync(default, block, null, default).AsTask(),
            () => node.AbortAsync(default, default).AsTask(), () => node.ReadAsync(block, 0, new byte[10], default).AsTask(),
            () => node.FindAsync(block, default).AsTask(), () => node.VerifyAsync(block, default).AsTask(),
            () => node.ListAsync(null, 1, default).AsTask(), () => node.RemoveAsync(block, null, default).AsTask(),
            () => node.RestoreAsync(block, default).AsTask(), () => node.PurgeAsync(1, default).AsTask(),
        };
        foreach (var call in calls)
        {
            var begun = clock.Elapsed;
            await NodeExtensions.AssertRefusedAsync(NodeErrorKind.Unavailable, () => RunAsync(rig, call()));
            Assert.InRange(clock.Elapsed - begun, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2));
        }

        // After many it is not asked any more, until it answers.
        for (var i = calls.Length; i < rig.Options.LateCalls; i++)
            await NodeExtensions.AssertRefusedAsync(NodeErrorKind.Unavailable, () => RunAsync(rig, calls[^1]()));
        var asked = rig.Nodes[0].Calls.Count;
        await NodeExtensions.AssertRefusedAsync(NodeErrorKind.Unavailable, calls[^1]);
        Assert.Equal(asked, rig.Nodes[0].Calls.Count);
        rig.Nodes[0].Before = null;
        silence.SetResult();
        await TestKit.Waiting.UntilAsync(
            () => node.PurgeAsync(1, default).AsTask() is { IsFaulted: false }, "what was late has ended, and it is asked again");
        await TestKit.Waiting.UntilAsync(
            () => rig.Disks[0].List("/node/temp").Count == 0, "the upload that began too late is given up");
    }

    [Fact]
    public async Task Memory_that_a_silent_node_was_given_is_nobody_elses_until_it_answers()
    {
        await using var rig = new NodeRig(2, new ChunkOptions { HedgePercent = 0, HealthPeriod = TimeSpan.FromDays(1) }, clock);
        var copies = await rig.StoreAsync(Content);
        var silence = new TaskCompletionSource();
        foreach (var node in rig.Nodes) node.Before = call => call == NodeCall.Read ? silence.Task : Task.CompletedTask;
        var content = new byte[1000];
        var reading = rig.Chunks.ReadAsync(NodeExtensions.Owner, new FileBlock(copies.Name, copies.LengthBytes), 0, content);
        await Assert.ThrowsAsync<BlockUnreadableException>(() => RunAsync(rig, reading));
        Assert.True(rig.Buffers.InUse > 0);
        foreach (var node in rig.Nodes) node.Before = null;
        silence.SetResult();
        await rig.AssertTidyAsync();
        Assert.Equal(Content, await rig.ReadAsync(copies));
    }

    [Fact]
    public async Task Repair_collection_and_hits_go_on_without_it()
    {
        await using var rig = new NodeRig(4, clock: clock);
        var copies = await rig.StoreAsync(Content);
        await copies.Completed;
        rig.Catalogue.Put(copies);
        var silent = rig[copies.Durable[0]];
        var silence = new TaskCompletionSource();
        silent.Before = _ => silence.Task;
        var row = rig.Catalogue[copies.Name];
        Assert.Equal(copies.Durable.Skip(1).Order(), (await RunAsync(rig, rig.Chunks.FindCopiesAsync(row))).Order());
        var repair = new BlockRepair(rig.Known, rig.Buffers, rig.Catalogue, null, new SeededEntropy(4));
        Assert.Equal(RepairOutcome.Short, await RunAsync(rig, repair.RepairAsync(copies.Block)));
        var holders = new NodeHolders(rig.Known, clock);
        Assert.Equal(CopyState.Away, await RunAsync(rig, holders.VerifyAsync(silent.Id, copies.Block)));
        Assert.False(await RunAsync(rig, holders.RemoveAsync(silent.Id, copies.Block)));
        Assert.Null(await RunAsync(rig, holders.ListAsync(silent.Id, null, 10)));
        clock.Advance(rig.Options.LostAfter);
        Assert.Equal(RepairOutcome.Whole, await RunAsync(rig, repair.RepairAsync(copies.Block)));
        silent.Before = null;
        silence.SetResult();
        await rig.SettleAsync();
    }

    [Fact]
    public async Task An_upload_goes_on_without_it()
    {
        await using var rig = new NodeRig(3, new ChunkOptions { HealthPeriod = TimeSpan.FromDays(1) }, clock);
        await rig.Known.GetHealthAsync();
        var silence = new TaskCompletionSource();
        rig.Nodes[0].Before = _ => silence.Task;
        IChunkManager chunks = rig.Chunks;
        await using var upload = await RunAsync(rig, chunks.BeginAsync(NodeExtensions.Owner));
        await RunAsync(rig, upload.AppendAsync(Content).AsTask());
        var wanted = await RunAsync(rig, upload.SealAsync());
        Assert.Equal(2, (await RunAsync(rig, upload.InstallAsync(new BlockName(wanted.Hash, 1), []))).Count);
        rig.Nodes[0].Before = null;
        silence.SetResult();
        await RunAsync(rig, rig.Chunks.SettleAsync());
    }

    async Task<T> RunAsync<T>(NodeRig rig, Task<T> task)
    {
        await RunAsync(rig, (Task)task);
        return await task;
    }

    // Lets time pass as long as somebody waits for it, and for nothing else: the nodes that answer have answered.
    async Task RunAsync(NodeRig rig, Task task)
    {
        var calm = 0;
        while (!task.IsCompleted)
        {
            await Task.Delay(1);
            calm = rig.Nodes.TrueForAll(node => node.Open == 0 || node.Before is not null) ? calm + 1 : 0;
            if (calm < 5 || task.IsCompleted || clock.UntilNextTimer is not { } next) continue;
            clock.Advance(next);
            calm = 0;
        }

        await task;
    }
}
