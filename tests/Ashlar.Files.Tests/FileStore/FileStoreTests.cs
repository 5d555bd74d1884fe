using Ashlar.Files.Tests.Chunks;
using Ashlar.Files.Tests.Nodes;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Files.Tests.FileStore;

/// <summary>All parts together: files over metadata in the key-value store and blocks on storage nodes.</summary>
public sealed class FileStoreTests : IAsyncLifetime
{
    readonly SimulatedClock clock = new();
    EmbeddedMetadataStore metadata = null!;
    CustomerId customer;

    public async Task InitializeAsync()
    {
        metadata = EmbeddedStores.Open(new SimulatedFileSystem(isRecording: false), clock);
        customer = (await metadata.CreateCustomerAsync("one", Quota.None)).Id;
    }

    public Task DisposeAsync() => metadata.DisposeAsync().AsTask();

    [Fact]
    public async Task A_file_goes_to_three_nodes_comes_back_is_stored_once_and_is_collected_when_nothing_refers_to_it()
    {
        await using var store = new Store(this, 4);
        var content = NodeExtensions.Content(1, 700_000);
        await store.CreateAsync("/a", content);
        Assert.Equal(content, await store.ReadAsync("/a"));
        Assert.Equal(content[300_000..300_100], await store.ReadAsync("/a", 300_000, 100));

        await store.CreateAsync("/b", content);
        await store.Chunks.SettleAsync();
        Assert.Equal(3, await store.CountCopiesAsync());
        Assert.Empty(await metadata.ListUnderReplicatedAsync(null, 10)); // A copy that came after the commit was recorded when it came.
        var name = (await metadata.GetFileAsync(customer, FilePath.Parse("/a"))).Blocks[0].Name;
        Assert.Equal(3, (await metadata.GetLocationsAsync(customer, [name]))[0]!.Nodes.Count);
        var verification = await new FileVerifier(metadata, store.Holders).RunAsync();
        Assert.Empty(verification.Problems);

        await store.Service.DeleteDirectoryAsync(customer, FilePath.Parse("/a"));
        await store.CollectAsync();
        Assert.Equal(content, await store.ReadAsync("/b"));
        await store.Service.DeleteDirectoryAsync(customer, FilePath.Parse("/b"));
        await store.CollectAsync();
        Assert.Equal(0, await store.CountCopiesAsync());
    }

    [Fact]
    public async Task A_file_outlives_the_nodes_that_it_was_written_to_one_after_another()
    {
        await using var store = new Store(this, 4);
        var content = NodeExtensions.Content(2, 300_000);
        await store.CreateAsync("/file", content);
        for (var round = 0; round < 4; round++)
        {
            var victim = store.Rig.Nodes[round];
            victim.DieAfter(0);
            store.Rig.Known.MarkGone(victim.Id);
            await store.Care.ReplaceLostAsync(victim.Id);
            await store.Repair.RunAsync();
            Assert.Equal(content, await store.ReadAsync("/file"));
            victim.Before = null;
            store.Rig.Known.Remove(victim.Id);
            store.Rig.Known.Add(victim);
            await store.Care.CompareAsync(victim.Id);
            Assert.Equal(3, await store.CountCopiesAsync());
        }

        Assert.Empty((await new FileVerifier(metadata, store.Holders).RunAsync()).Problems);
    }

    /// <summary>A node is lost at any moment of an upload: the file is whole, or not there.</summary>
    [Theory, Seeds(count: 2)]
    public async Task Uploads_and_the_loss_of_nodes_leave_whole_files_or_none(ulong seed)
    {
        var random = new SeededRandom(seed);
        var (made, refused) = (0, 0);
        for (var round = 0; round < TestTier.Choose(12, 200); round++)
        {
            await using var store = new Store(this, 3);
            var content = NodeExtensions.Content((int)(seed % 1000) + round, random.Next(5000, 400_000));
            var path = $"/{seed}-{round}";
            var victims = store.Rig.Nodes.Where(_ => random.OneIn(3)).ToArray();
            foreach (var node in victims) node.DieAfter(random.Next(16));
            try
            {
                await store.CreateAsync(path, content);
                made++;
            }
            catch (Exception e) when (e is FileStoreException or StorageNodeException)
            {
                refused++;
                Assert.NotEmpty(victims);
                Assert.Null(await metadata.StatAsync(customer, FilePath.Parse(path)));
            }

            foreach (var node in store.Rig.Nodes) node.Before = null;
            await store.Rig.SettleAsync();
            await store.Repair.RunAsync();
            if (await metadata.StatAsync(customer, FilePath.Parse(path)) is null) continue;
            Assert.Equal(content, await store.ReadAsync(path));
            Assert.InRange(await store.CountCopiesAsync(), 3, 4);
            await store.Service.DeleteDirectoryAsync(customer, FilePath.Parse(path));
        }

        Assert.True(made > 3, $"{made} made, {refused} refused");
    }

    [Fact]
    public async Task A_hundred_clients_who_store_the_same_content_at_once_make_one_block_of_it()
    {
        await using var store = new Store(this, 3);
        var content = NodeExtensions.Content(4, 100_000);
        await Task.WhenAll(Enumerable.Range(0, 100).Select(number => store.CreateAsync($"/{number}", content)));
        await store.Chunks.SettleAsync();
        for (var number = 0; number < 100; number += 9) Assert.Equal(content, await store.ReadAsync($"/{number}"));
        await store.CollectAsync();
        await store.Repair.RunAsync();
        Assert.Equal(3, await store.CountCopiesAsync()); // Those of the others are gone, also those that came late.
        Assert.True((await new FileVerifier(metadata, store.Holders).RunAsync()).IsProved);
    }

    /// <summary>Two have acknowledged and die before the third copy is made: the file is away, and comes back with one of them.</summary>
    [Fact]
    public async Task Nodes_that_die_after_they_have_acknowledged_have_what_they_acknowledged()
    {
        await using var store = new Store(this, 3);
        using var release = new SemaphoreSlim(0);
        store.Rig.Nodes[2].Before = async call =>
        {
            if (call != NodeCall.Install) return;
            await release.WaitAsync();
            throw new StorageNodeException(store.Rig.Nodes[2].Id, NodeErrorKind.Unavailable, "no answer");
        };
        var content = NodeExtensions.Content(5, 100_000);
        await store.CreateAsync("/file", content);
        foreach (var node in store.Rig.Nodes.Take(2)) node.DieAfter(0);
        release.Release(100);
        await store.Chunks.SettleAsync();
        store.Rig.Nodes[2].Before = null;
        await Assert.ThrowsAsync<BlockUnreadableException>(() => store.ReadAsync("/file"));
        Assert.Equal(1, (await store.Repair.RunAsync())[RepairOutcome.Unreadable]); // And nothing is changed by that.
        store.Rig.Nodes[0].Before = null;
        Assert.Equal(content, await store.ReadAsync("/file"));
        store.Rig.Nodes[1].Before = null;
        store.Repair.Unreadable.Retry(); // As whoever sees nodes come back does.
        await store.Repair.RunAsync();
        Assert.Equal(3, await store.CountCopiesAsync());
        Assert.True((await new FileVerifier(metadata, store.Holders).RunAsync()).IsProved);
    }

    /// <summary>Nodes are closed and opened one after another while files come and go.</summary>
    [Theory, Seeds(count: 1)]
    public async Task A_restart_of_every_node_in_turn_loses_nothing(ulong seed)
    {
        var random = new SeededRandom(seed);
        await using var store = new Store(this, 4);
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        for (var round = 0; round < TestTier.Choose(8, 80); round++)
        {
            var node = store.Rig.Nodes[round % 4];
            var uploads = Enumerable.Range(0, 4).Select(async number =>
            {
                var content = NodeExtensions.Content(1000 + (round * 4) + number, 5000 + random.Next(100_000));
                await store.CreateAsync($"/{seed}-{round}-{number}", content);
                return (Path: $"/{seed}-{round}-{number}", Content: content);
            }).ToArray();
            store.Rig.Known.Detach(node.Id);
            foreach (var (path, content) in await Task.WhenAll(uploads)) files.Add(path, content);
            store.Rig.Known.Add(node);
            await store.Chunks.SettleAsync();
            await store.Care.CompareAsync(node.Id);
            await store.Repair.RunAsync();
        }

        foreach (var (path, content) in files) Assert.Equal(content, await store.ReadAsync(path));
        Assert.Empty(await metadata.ListUnderReplicatedAsync(null, 10));
        Assert.True((await new FileVerifier(metadata, store.Holders).RunAsync()).IsProved);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Content_that_has_lost_copies_is_made_durable_again_by_who_uploads_it(int lost)
    {
        await using var store = new Store(this, 3);
        var content = NodeExtensions.Content(3, 70_000);
        await store.CreateAsync("/a", content);
        await store.Rig.AssertTidyAsync();
        var block = await store.BlockOfAsync("/a");
        foreach (var node in store.Rig.Nodes.Take(lost)) Assert.True(await node.Inner.RemoveAsync(block, null, default));
        await store.CreateAsync("/b", content);
        await store.Rig.AssertTidyAsync();
        Assert.InRange(await store.CountCopiesAsync(), 2, 3);
        await store.Repair.RunAsync();
        Assert.Equal(content, await store.ReadAsync("/b"));
        Assert.Equal(content, await store.ReadAsync("/a"));
    }

    /// <summary>The medium has changed all copies, and somebody has the content still.</summary>
    [Theory]
    [InlineData(1, "read")]
    [InlineData(3, "read")]
    [InlineData(1, "scrub")]
    [InlineData(4, "repair")]
    public async Task Content_that_has_rotted_is_good_again_when_somebody_stores_it_again(int nodes, string foundBy)
    {
        await using var store = new Store(this, nodes);
        var content = NodeExtensions.Content(6, 70_000);
        await store.CreateAsync("/a", content);
        await store.Rig.AssertTidyAsync();
        await store.Chunks.SettleAsync();
        var block = await store.BlockOfAsync("/a");
        foreach (var node in (await metadata.GetLocationsAsync(customer, [block.Name]))[0]!.Nodes) store.Rig.Damage(node, block);
        if (foundBy == "read") await Assert.ThrowsAsync<BlockUnreadableException>(() => store.ReadAsync("/a"));
        if (foundBy == "scrub") Assert.Single((await store.Care.ScrubAsync(store.Rig.Nodes[0].Id, null, 10)).Bad);
        if (foundBy == "repair") Assert.Equal(RepairOutcome.Unreadable, await store.Repair.RepairAsync(block));
        await store.Repair.RunAsync();

        await store.CreateAsync("/b", content);
        await store.Rig.AssertTidyAsync();
        Assert.Equal(content, await store.ReadAsync("/b"));
        Assert.Equal(content, await store.ReadAsync("/a"));
        Assert.Equal(1, (await store.Repair.RunAsync())[RepairOutcome.Whole]);
        Assert.Equal(0, store.Repair.ReportedCount);
        Assert.True((await new FileVerifier(metadata, store.Holders).RunAsync()).IsProved);
    }

    /// <summary>Two copies are lost, and nobody knows yet that the third is not what it should be.</summary>
    [Fact]
    public async Task A_copy_that_is_left_counts_by_its_content()
    {
        await using var store = new Store(this, 3);
        var content = NodeExtensions.Content(7, 70_000);
        await store.CreateAsync("/a", content);
        await store.Rig.AssertTidyAsync();
        var block = await store.BlockOfAsync("/a");
        foreach (var node in store.Rig.Nodes.Take(2)) Assert.True(await node.Inner.RemoveAsync(block, null, default));
        store.Rig.Damage(store.Rig.Nodes[2].Id, block);
        await store.CreateAsync("/b", content);
        var good = 0;
        foreach (var node in store.Rig.Nodes)
            if (await Record.ExceptionAsync(() => node.Inner.VerifyAsync(block, default).AsTask()) is null) good++;
        Assert.InRange(good, 2, 3);
    }

    /// <summary>The whole store on nodes of a test, with the metadata of the test.</summary>
    sealed class Store : IAsyncDisposable
    {
        readonly FileStoreTests test;

        public Store(FileStoreTests test, int nodes)
        {
            this.test = test;
            Rig = new NodeRig(nodes, clock: test.clock);
            Repair = new BlockRepair(Rig.Known, Rig.Buffers, test.metadata);
            Care = new NodeCare(Rig.Known, test.metadata, Repair);
            Holders = new NodeHolders(Rig.Known, test.clock);
            Pieces = new NodePieces(Rig.Known, Rig.Buffers, test.metadata, Repair, Rig.Options, test.clock);
            Chunks = new ChunkManager(
                Rig.Known, Rig.Buffers, new MemoryCache(Pieces, 1 << 20), Rig.Options, test.clock, catalogue: test.metadata);
            Service = new FileService(test.metadata, Chunks, new FileServiceOptions { TimeProvider = test.clock });
        }

        public NodeRig Rig { get; }

        public NodePieces Pieces { get; }

        public ChunkManager Chunks { get; }

        public BlockRepair Repair { get; }

        public NodeCare Care { get; }

        public NodeHolders Holders { get; }

        public FileService Service { get; }

        public Task<NamespaceEntry> CreateAsync(string path, byte[] content) =>
            Service.CreateFileAsync(test.customer, FilePath.Parse(path), new MemoryStream(content));

        public async Task<byte[]> ReadAsync(string path, long offset = 0, long length = long.MaxValue)
        {
            var read = new MemoryStream();
            var reader = await Service.ReadFileAsync(test.customer, FilePath.Parse(path), offset, length);
            await reader.CopyToAsync(read);
            return read.ToArray();
        }

        /// <summary>The first block of a file.</summary>
        public async Task<CustomerBlock> BlockOfAsync(string path) =>
            new(test.customer, (await test.metadata.GetFileAsync(test.customer, FilePath.Parse(path))).Blocks[0].Name);

        /// <summary>Copies on all nodes.</summary>
        public async Task<int> CountCopiesAsync()
        {
            var count = 0;
            foreach (var node in Rig.Nodes) count += (await node.Inner.ListAllAsync(100)).Count;
            return count;
        }

        public async Task CollectAsync()
        {
            var collector = new Collector(
                test.metadata,
                Holders,
                new CollectorOptions { Grace = TimeSpan.Zero, CondemnedFor = TimeSpan.Zero, TimeProvider = test.clock });
            for (var pass = 0; pass < 3; pass++)
            {
                test.clock.Advance(TimeSpan.FromHours(2));
                await collector.RunAsync();
            }
        }

        public ValueTask DisposeAsync() => Rig.DisposeAsync();
    }
}
