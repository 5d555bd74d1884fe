using System.Collections.Concurrent;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Files.Tests;

/// <summary>An upload goes on while its blocks become durable and its content is looked at, and ends when all of that has.</summary>
public sealed class OverlappedUploadTests
{
    const int Block = 8192;

    [Fact]
    public async Task The_next_block_comes_while_the_one_before_becomes_durable()
    {
        var source = new CountedStream(FileRig.Content(3 * Block));
        var nodes = new WatchedNodes(new SimulatedFileSystem(isRecording: false))
        {
            // Of the first block nothing is installed before some of the second has come.
            Before = what => what.StartsWith("install", StringComparison.Ordinal) ? source.HasGiven(Block + 2000) : Task.CompletedTask,
        };
        await using var rig = await CreateAsync(nodes);
        await rig.Files.CreateFileAsync(rig.Customer, FilePath.Parse("/f"), source).WaitAsync(Waiting.Limit);
        Assert.Equal(FileRig.Content(3 * Block), await rig.GetAsync("/f"));
        StoreInvariants.Check(rig.Store, rig.Nodes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_block_that_does_not_become_durable_ends_the_upload_and_nothing_is_visible(int failing)
    {
        var installs = 0;
        var nodes = new WatchedNodes(new SimulatedFileSystem(isRecording: false))
        {
            InstalledCopies = 1,
            Before = async what =>
            {
                if (!what.StartsWith("install", StringComparison.Ordinal) || installs++ != failing) return;
                await Task.Yield();
                throw new IOException("the disk is full");
            },
        };
        await using var rig = await CreateAsync(nodes);
        var source = new CountedStream(FileRig.Content(20 * Block), yields: true);
        var failure = await Assert.ThrowsAsync<IOException>(
            () => rig.Files.CreateFileAsync(rig.Customer, FilePath.Parse("/f"), source).WaitAsync(Waiting.Limit));
        Assert.Equal("the disk is full", failure.Message);
        // Not all of the rest was taken in vain.
        Assert.InRange(source.Given, (failing + 1) * Block, (failing + 3) * Block);
        Assert.Null(await rig.Store.StatAsync(rig.Customer, FilePath.Parse("/f")));
        Assert.Empty(await rig.Store.ListIntentsAsync(null, null, false, 10));
    }

    /// <summary>What a commit records is durable: until the last block is, nothing ends, and no copies are named.</summary>
    [Fact]
    public async Task The_last_block_is_durable_before_the_content_has_been_taken()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var nodes = new WatchedNodes(new SimulatedFileSystem(isRecording: false))
        {
            Before = what => what.StartsWith("install", StringComparison.Ordinal) ? release.Task : Task.CompletedTask,
        };
        await using var rig = await CreateAsync(nodes);
        var (path, content) = (FilePath.Parse("/f"), FileRig.Content(Block));
        var intent = (await rig.Store.OpenIntentAsync(rig.Customer, 1, path, "a test", FileRig.Lease)).Token;
        // It is pinned by now, so that nothing but the nodes is waited for.
        var pins = await rig.Store.PinAsync(intent, [new(ContentHash.Of(content), Block)]);
        var answer = (IntentToken _, IReadOnlyList<WantedBlock> _, CancellationToken _) => Task.FromResult(pins);
        var store = Intercepted<IMetadataStore>.Create(rig.Store, planted: (nameof(IUploads.PinAsync), answer));
        await using var upload = new ContentUpload(store, nodes, rig.Options, new(), rig.Customer, path, new());
        var source = new MemoryStream(content);
        Assert.Null(await upload.BeginAsync(source, default));
        var taking = upload.TakeAsync(source, intent, default);
        Assert.False(taking.IsCompleted);
        Assert.Throws<InvariantException>(() => upload.Written);
        release.SetResult();
        await taking.WaitAsync(Waiting.Limit);
        Assert.Single(upload.Written);
    }

    /// <summary>Content long enough waits for its hash at its beginning, so that nothing of known content goes to nodes.</summary>
    [Theory]
    [InlineData(8 * Block, false)]
    [InlineData((8 * Block) + 1, false)]
    [InlineData((8 * Block) - 1, false)]
    [InlineData(8 * Block, true)]
    public async Task The_first_block_of_long_content_is_expected_to_be_known_and_those_behind_known_ones_are(int length, bool isAgain)
    {
        var nodes = new WatchedNodes(new SimulatedFileSystem(isRecording: false));
        await using var rig = await CreateAsync(nodes);
        var content = FileRig.Content(length);
        if (isAgain) await rig.PutAsync("/before", content);
        nodes.Expected.Clear();
        await rig.Files.CreateFileAsync(
            rig.Customer, FilePath.Parse("/f"), new MemoryStream(content), new() { ExpectedBytes = length });
        bool[] likely = [.. nodes.Expected.Select(static each => each.IsLikelyKnown)];
        Assert.Equal(length >= 8 * Block, likely[0]);
        Assert.All(likely[1..], each => Assert.Equal(isAgain, each));

        // Nobody has said how long this one is.
        nodes.Expected.Clear();
        await rig.PutAsync("/g", FileRig.Content(9 * Block, seed: 2));
        Assert.All(nodes.Expected, static each => Assert.False(each.IsLikelyKnown));
    }

    [Fact]
    public async Task A_check_sees_every_byte_once_and_in_order_and_is_asked_at_the_end()
    {
        await using var rig = await CreateAsync(new WatchedNodes(new SimulatedFileSystem(isRecording: false)) { MaxBlockBytes = 300_000 });
        var files = new FileService(rig.Store, rig.Nodes, rig.Options with { BufferBytes = 64 << 10 });
        var content = FileRig.Content(1_000_000);
        var check = new SlowCheck();
        var entry = await files.CreateFileAsync(
            rig.Customer, FilePath.Parse("/f"), new MemoryStream(content), new() { Check = check });
        Assert.Equal((content.Length, "seen"), (entry.SizeBytes, entry.Tag));
        Assert.Equal(content, check.Seen.ToArray());
        Assert.Equal(content, await rig.GetAsync("/f"));

        var failing = new SlowCheck { FailsAt = 500_000 };
        await Assert.ThrowsAsync<InvalidDataException>(() => files.CreateFileAsync(
            rig.Customer, FilePath.Parse("/g"), new MemoryStream(content), new() { Check = failing }));
        Assert.Null(await rig.Store.StatAsync(rig.Customer, FilePath.Parse("/g")));
    }

    static async Task<FileRig> CreateAsync(WatchedNodes nodes)
    {
        var rig = new FileRig(nodes: nodes);
        rig.Customer = (await rig.Store.CreateCustomerAsync("customer", Quota.None)).Id;
        return rig;
    }

    sealed class WatchedNodes(SimulatedFileSystem disk) : DiskNodes(disk), IChunkManager
    {
        public ConcurrentQueue<BlockExpectation> Expected { get; } = [];

        Task<IChunkUpload> IChunkManager.BeginAsync(
            CustomerId customer, BlockExpectation expectation, CancellationToken cancellationToken)
        {
            Expected.Enqueue(expectation);
            return BeginAsync(customer, cancellationToken);
        }
    }

    sealed class CountedStream(byte[] content, bool yields = false) : MemoryStream(content)
    {
        readonly List<(int Bytes, TaskCompletionSource Reached)> waiting = [];

        public int Given { get; private set; }

        public Task HasGiven(int bytes)
        {
            if (Given >= bytes) return Task.CompletedTask;
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.Add((bytes, reached));
            return reached.Task;
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (yields) await Task.Delay(1, cancellationToken);
            var read = Read(buffer.Span);
            Given += read;
            foreach (var (bytes, reached) in waiting)
                if (Given >= bytes || read == 0) reached.TrySetResult();
            return read;
        }
    }

    sealed class SlowCheck : IContentCheck
    {
        int running;

        public MemoryStream Seen { get; } = new();

        public int FailsAt { get; init; } = int.MaxValue;

        public void Append(ReadOnlySpan<byte> content)
        {
            Assert.Equal(1, Interlocked.Increment(ref running));
            Thread.Sleep(2);
            Seen.Write(content);
            Interlocked.Decrement(ref running);
            if (Seen.Length > FailsAt) throw new InvalidDataException("it is not what was announced");
        }

        public ContentVerdict Finish()
        {
            Assert.Equal(1, Interlocked.Increment(ref running));
            return new("seen", FileProperties.Empty);
        }
    }
}
