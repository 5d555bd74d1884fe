using Ashlar.Files.Tests.Nodes;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Files.Tests.Chunks;

/// <summary>Who is slow holds up nobody but himself, and takes no more memory than there is for him.</summary>
public sealed class SlowClientTests
{
    const int Slow = 100, Credit = 32;

    [Fact]
    public async Task A_hundred_slow_readers_and_writers_hold_nobody_up()
    {
        await using var rig = new NodeRig(3, buffers: Credit);
        IChunkManager chunks = rig.Chunks;
        var content = NodeExtensions.Content(1, 1_500_000);
        var copies = await rig.StoreAsync(content);
        await copies.Completed;
        rig.Catalogue.Put(copies);
        FileBlock[] file = [new(copies.Name, copies.LengthBytes)];

        using var given = new CancellationTokenSource();
        var readers = new List<Task>();
        var writers = new List<IChunkUpload>();
        for (var i = 0; i < Slow; i++)
        {
            readers.Add(chunks.CopyToAsync(NodeExtensions.Owner, file, 0, long.MaxValue, new StuckStream(), given.Token));
            writers.Add(await chunks.BeginAsync(NodeExtensions.Owner));
            await writers[i].AppendAsync(content.AsMemory(0, 300_000));
        }

        for (var round = 0; round < 3; round++)
        {
            var fast = NodeExtensions.Content(2 + round, 1_500_000);
            await using var upload = await chunks.BeginAsync(NodeExtensions.Owner);
            await upload.AppendAsync(fast);
            var wanted = await upload.SealAsync();
            Assert.InRange((await upload.InstallAsync(new BlockName(wanted.Hash, 1), [])).Count, 2, 3);
            var read = new MemoryStream();
            await chunks.CopyToAsync(NodeExtensions.Owner, file, 0, long.MaxValue, read);
            Assert.Equal(content, read.ToArray());
        }

        Assert.InRange(rig.Buffers.InUse, Slow, (2 * (Slow + 1)) + Credit);
        await given.CancelAsync();
        foreach (var reader in readers) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reader);
        foreach (var writer in writers) await writer.DisposeAsync();
        await rig.AssertTidyAsync();
        Assert.Equal((Credit / 2, Credit / 2), CreditsOf(rig));
    }

    // Each reader's first piece comes last: one that waits for what others hold would wait for ever.
    [Theory, Seeds(count: 2)]
    public async Task Pieces_that_come_in_another_order_than_they_were_asked_for_let_every_reader_go_on(ulong seed)
    {
        await using var rig = new NodeRig(2, buffers: 4);
        var content = NodeExtensions.Content(1, 2_000_000);
        var copies = await rig.StoreAsync(content);
        var random = new SeededRandom(seed);
        foreach (var node in rig.Nodes)
        {
            node.Before = call =>
            {
                lock (random) return call == NodeCall.Read ? Task.Delay(random.Next(5)) : Task.CompletedTask;
            };
        }

        var reads = Enumerable.Range(0, 20).Select(async _ =>
        {
            var read = new MemoryStream();
            FileBlock[] file = [new(copies.Name, copies.LengthBytes)];
            await rig.Chunks.CopyToAsync(NodeExtensions.Owner, file, 0, long.MaxValue, read);
            Assert.Equal(content, read.ToArray());
        });
        await Task.WhenAll(reads).WaitAsync(Waiting.Limit);
        await rig.AssertTidyAsync();
        Assert.Equal((2, 2), CreditsOf(rig));
    }

    [Fact]
    public async Task Many_uploads_at_a_time_take_what_there_is_and_one_piece_each()
    {
        await using var rig = new NodeRig(3, buffers: 8);
        IChunkManager chunks = rig.Chunks;
        var most = 0;
        foreach (var node in rig.Nodes)
        {
            node.Before = async call =>
            {
                if (call != NodeCall.Append) return;
                InterlockedMax(ref most, rig.Buffers.InUse);
                await Task.Yield();
            };
        }

        await Task.WhenAll(Enumerable.Range(0, 16).Select(async number =>
        {
            await using var upload = await chunks.BeginAsync(NodeExtensions.Owner);
            var content = NodeExtensions.Content(number, 1_200_000);
            for (var done = 0; done < content.Length; done += 100_000)
                await upload.AppendAsync(content.AsMemory(done, Math.Min(100_000, content.Length - done)));
            var wanted = await upload.SealAsync();
            Assert.Equal(ContentHash.Of(content), wanted.Hash);
            await upload.InstallAsync(new BlockName(wanted.Hash, 1), []);
        }));
        await rig.AssertTidyAsync();
        Assert.InRange(most, 1, 16 + 4 + 3); // Copies that fail and are made anew would have one each.
        Assert.Equal((4, 4), CreditsOf(rig));
    }

    // What readers and uploads may take, when nobody has any.
    static (int Downloads, int Uploads) CreditsOf(NodeRig rig)
    {
        var (downloads, uploads) = (0, 0);
        while (rig.Buffers.Downloads.TryTake()) downloads++;
        while (rig.Buffers.Uploads.TryTake()) uploads++;
        return (downloads, uploads);
    }

    static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
            if (Interlocked.CompareExchange(ref most, value, seen) == seen) return;
    }

    sealed class StuckStream : MemoryStream
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            await Task.Delay(Timeout.Infinite, cancellationToken);
    }
}
