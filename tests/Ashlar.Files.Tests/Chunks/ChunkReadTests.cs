using Ashlar.Files.Tests.Nodes;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Files.Tests.Chunks;

/// <summary>Any copy will do, and none that is wrong is given.</summary>
public sealed class ChunkReadTests
{
    static byte[] Content { get; } = NodeExtensions.Content(1, 700_000);

    [Fact]
    public async Task A_damaged_copy_is_passed_by_and_reported()
    {
        await using var rig = new NodeRig(3);
        var copies = await StoreAsync(rig, Content);
        rig.Damage(copies.Durable[0], copies.Name, 300_000);
        rig.Damage(copies.Durable[1], copies.Name, 600_000);
        for (var round = 0; round < 20; round++) Assert.Equal(Content, await rig.ReadAsync(copies));
        Assert.Equal(
            copies.Durable.Take(2).Select(node => (node, CopyProblem.Damaged)).Order(),
            rig.Reports.All.Select(report => (report.Node, report.Problem)).Distinct().Order());
        rig.Damage(copies.Durable[1], copies.Name, 300_001);
        rig.Damage(copies.Durable[2], copies.Name, 300_002);
        var failure = await Assert.ThrowsAsync<BlockUnreadableException>(() => ReadRangeAsync(rig, copies, 262_144, 262_144));
        Assert.Equal(3, failure.Failures.Count(one => one is StorageNodeException { Kind: NodeErrorKind.Damaged }));
    }

    [Fact]
    public async Task A_missing_copy_is_reported_and_one_that_cannot_be_asked_for_is_not()
    {
        await using var rig = new NodeRig(3);
        var copies = await StoreAsync(rig, Content);
        await rig[copies.Durable[0]].RemoveAsync(copies.Name, default);
        rig[copies.Durable[1]].DieAfter(0);
        for (var round = 0; round < 20; round++) Assert.Equal(Content, await rig.ReadAsync(copies));
        Assert.Equal([(copies.Name, copies.Durable[0], CopyProblem.Missing)], rig.Reports.All.Distinct());
    }

    [Fact]
    public async Task What_a_wire_does_to_a_piece_is_found()
    {
        await using var rig = new NodeRig(3);
        var copies = await StoreAsync(rig, Content);
        foreach (var node in copies.Durable.Skip(1)) rig[node].Garble = bytes => bytes.Span[77] ^= 8;
        for (var round = 0; round < 20; round++) Assert.Equal(Content, await rig.ReadAsync(copies));
        await rig.AssertTidyAsync();
    }

    [Fact]
    public async Task A_block_that_has_moved_is_found_where_it_is_now()
    {
        await using var rig = new NodeRig(4);
        var copies = await StoreAsync(rig, Content);
        Assert.Equal(Content, await rig.ReadAsync(copies));
        var other = rig.Nodes.Single(node => !copies.Durable.Contains(node.Id));
        await BlockCopy.RunAsync(rig[copies.Durable[0]], other, copies.Block, rig.Buffers, null, default);
        foreach (var node in copies.Durable) await rig[node].RemoveAsync(copies.Name, default);
        rig.Catalogue.Put(copies.Name, copies.LengthBytes, 3, [other.Id]);
        Assert.Equal(Content, await rig.ReadAsync(copies));
        await other.RemoveAsync(copies.Name, default);
        await Assert.ThrowsAsync<BlockUnreadableException>(() => rig.ReadAsync(copies));
        await Assert.ThrowsAsync<BlockUnreadableException>(() => rig.Chunks.ReadAsync(
            new CustomerId(8), new FileBlock(copies.Name, copies.LengthBytes), 0, new byte[10])); // Another customer's.
    }

    [Fact]
    public async Task A_slow_node_is_asked_no_longer_than_most_reads_take()
    {
        var clock = new SimulatedClock();
        await using var rig = new NodeRig(2, clock: clock);
        var copies = await StoreAsync(rig, Content);
        using var release = new SemaphoreSlim(0);
        HoldFirstRead(rig, release);

        var reading = ReadRangeAsync(rig, copies, 0, 1000);
        await Waiting.UntilAsync(() => clock.UntilNextTimer < rig.Options.ReadLimit, "a second read is considered");
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(Content[..1000], await reading);
        Assert.Equal(1, rig.Pieces.HedgedReads);
        release.Release(10);
        await rig.AssertTidyAsync();
    }

    [Fact]
    public async Task A_node_that_does_not_answer_is_not_waited_for_when_no_read_may_be_made_twice_any_more()
    {
        var clock = new SimulatedClock();
        await using var rig = new NodeRig(2, new ChunkOptions { HedgePercent = 0, HealthPeriod = TimeSpan.FromDays(1) }, clock);
        var copies = await StoreAsync(rig, Content);
        using var release = new SemaphoreSlim(0);
        for (var round = 0; round < 2; round++)
        {
            HoldFirstRead(rig, release);

            var reading = ReadRangeAsync(rig, copies, 0, 1000);
            await Waiting.UntilAsync(() => clock.UntilNextTimer < rig.Options.ReadLimit, "a second read is considered");
            clock.Advance(TimeSpan.FromSeconds(1));
            if (round == 1)
            {
                await Waiting.UntilAsync(() => clock.UntilNextTimer == rig.Options.ReadLimit, "the limit runs");
                Assert.False(reading.IsCompleted);
                clock.Advance(rig.Options.ReadLimit);
            }

            Assert.Equal(Content[..1000], await reading);
        }

        release.Release(10);
        await rig.AssertTidyAsync();
    }

    [Fact]
    public void Only_a_few_reads_are_made_twice()
    {
        var budget = new HedgeBudget(5, TimeSpan.FromMilliseconds(1));
        var twice = 0;
        for (var read = 0; read < 1000; read++)
        {
            budget.Begin();
            budget.Learn(TimeSpan.FromMilliseconds(read % 20 == 0 ? 50 : 4));
            if (budget.TryTake()) twice++;
        }

        Assert.InRange(twice, 45, 52);
        Assert.InRange(budget.Delay.TotalMilliseconds, 4, 50);
        for (var read = 0; read < 300; read++) budget.Learn(TimeSpan.Zero);
        Assert.Equal(TimeSpan.FromMilliseconds(1), budget.Delay);
    }

    [Fact]
    public async Task Reads_go_where_they_are_answered_sooner()
    {
        await using var rig = new NodeRig(3);
        var copies = await StoreAsync(rig, Content);
        rig.Nodes[0].Before = call => call == NodeCall.Read ? Task.Delay(30) : Task.CompletedTask;
        for (var round = 0; round < 60; round++) await ReadRangeAsync(rig, copies, 0, 1000);
        var counts = rig.Nodes.Select(node => node.Calls.Count(call => call == NodeCall.Read)).ToArray();
        Assert.True(counts[0] * 2 < counts[1] + counts[2], string.Join(' ', counts));
    }

    [Theory, Seeds(count: 3)]
    public async Task Any_range_of_several_blocks_is_what_was_stored(ulong seed)
    {
        var random = new SeededRandom(seed);
        await using var rig = new NodeRig(3, buffers: 10);
        var blocks = new List<FileBlock>();
        var whole = new MemoryStream();
        for (var number = 0; number < 4; number++)
        {
            var content = NodeExtensions.Content(number, random.Next(1, 600_000));
            var copies = await StoreAsync(rig, content);
            blocks.Add(new FileBlock(copies.Name, copies.LengthBytes));
            whole.Write(content);
        }

        var all = whole.ToArray();
        var reader = new BlocksReader(rig.Pieces, rig.Buffers);
        var edges = blocks.Select((_, index) => blocks.Take(index).Sum(block => (long)block.LengthBytes)).Append(all.Length).ToArray();
        for (var round = 0; round < 40; round++)
        {
            var offset = random.OneIn(3) ? Math.Max(0, random.Pick(edges) - random.Next(3)) : random.NextInt64(all.Length + 10);
            var length = random.OneIn(5) ? long.MaxValue : random.NextInt64(all.Length + 10);
            var read = new MemoryStream();
            await reader.CopyToAsync(NodeExtensions.Owner, blocks, offset, length, read);
            var expected = all.Skip((int)Math.Min(offset, all.Length)).Take((int)Math.Min(length, all.Length)).ToArray();
            Assert.True(expected.AsSpan().SequenceEqual(read.ToArray()), $"{length} bytes at {offset}");
        }

        await rig.AssertTidyAsync();
    }

    [Fact]
    public async Task A_reader_that_leaves_leaves_no_memory_behind()
    {
        await using var rig = new NodeRig(3, buffers: 6);
        var copies = await StoreAsync(rig, Content);
        for (var round = 0; round < 20; round++)
        {
            using var given = new CancellationTokenSource();
            var reading = new BlocksReader(rig.Pieces, rig.Buffers).CopyToAsync(
                NodeExtensions.Owner, [new FileBlock(copies.Name, copies.LengthBytes)], 0, long.MaxValue,
                new LeavingStream(given, round % 4), given.Token);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
            await rig.AssertTidyAsync();
        }
    }

    [Fact]
    public async Task Places_of_blocks_are_asked_for_once_and_all_at_once()
    {
        await using var rig = new NodeRig(3);
        var all = new List<StoredCopies>();
        for (var number = 0; number < 5; number++) all.Add(await StoreAsync(rig, NodeExtensions.Content(number, 1000)));
        await rig.Pieces.LocateAsync(NodeExtensions.Owner, [.. all.Select(copies => copies.Name)]);
        foreach (var copies in all) await rig.ReadAsync(copies);
        await rig.Pieces.LocateAsync(NodeExtensions.Owner, [.. all.Select(copies => copies.Name)]);
        Assert.Equal(1, rig.Catalogue.Questions);
    }

    [Fact]
    public async Task Copies_that_nobody_answers_for_do_not_count()
    {
        await using var rig = new NodeRig(3);
        var copies = await StoreAsync(rig, Content);
        var row = rig.Catalogue[copies.Name];
        Assert.Equal(row.Nodes, await rig.Chunks.FindCopiesAsync(row));
        await rig.Nodes[0].RemoveAsync(copies.Name, default);
        rig.Nodes[1].DieAfter(0);
        Assert.Equal([rig.Nodes[2].Id], await rig.Chunks.FindCopiesAsync(row));
    }

    // Whichever node is asked first does not answer.
    static void HoldFirstRead(NodeRig rig, SemaphoreSlim release)
    {
        foreach (var node in rig.Nodes)
        {
            node.Before = call =>
            {
                if (call != NodeCall.Read) return Task.CompletedTask;
                foreach (var one in rig.Nodes) one.Before = null;
                return release.WaitAsync();
            };
        }
    }

    static async Task<StoredCopies> StoreAsync(NodeRig rig, byte[] content)
    {
        var copies = await rig.StoreAsync(content);
        await copies.Completed;
        rig.Catalogue.Put(copies);
        return copies;
    }

    static async Task<byte[]> ReadRangeAsync(NodeRig rig, StoredCopies copies, int offset, int length)
    {
        var content = new byte[length];
        await rig.Chunks.ReadAsync(NodeExtensions.Owner, new FileBlock(copies.Name, copies.LengthBytes), offset, content);
        return content;
    }

    sealed class LeavingStream(CancellationTokenSource given, int after) : MemoryStream
    {
        int writes;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (writes++ >= Math.Min(after, 2)) await given.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}
