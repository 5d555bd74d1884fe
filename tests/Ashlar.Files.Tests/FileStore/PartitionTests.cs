using Ashlar.Files.Tests.Chunks;
using Ashlar.Files.Tests.Nodes;
using Ashlar.Simulation;

namespace Ashlar.Files.Tests.FileStore;

/// <summary>The service reaches its nodes and not the metadata, or a part of the nodes: a file is there whole, or not at all.</summary>
public sealed class PartitionTests : IAsyncLifetime
{
    static readonly FilePath Path = FilePath.Parse("/file");

    readonly SimulatedClock clock = new();
    EmbeddedMetadataStore metadata = null!;
    CustomerId customer;

    public async Task InitializeAsync()
    {
        metadata = EmbeddedStores.Open(new SimulatedFileSystem(isRecording: false), clock);
        customer = (await metadata.CreateCustomerAsync("one", Quota.None)).Id;
    }

    public Task DisposeAsync() => metadata.DisposeAsync().AsTask();

    /// <summary>From the n-th call on nothing reaches the metadata, or no answer of theirs comes back.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Metadata_that_are_cut_off_at_any_call_of_an_upload_leave_a_whole_file_or_none(bool areAnswersLost)
    {
        var (made, refused) = (0, 0);
        for (var cut = 0; made == 0; cut++)
        {
            Assert.True(cut < 50, "an upload has no end");
            await using var store = new Store(this, 3);
            var content = NodeExtensions.Content(cut, 200_000);
            var calls = 0;
            var gateway = Intercepted<IMetadataStore>.Create(
                metadata, _ => !areAnswersLost && calls++ >= cut ? throw Cut() : Task.CompletedTask);
            if (areAnswersLost) gateway = AnswersLost.Of(gateway, () => calls++ >= cut);
            try
            {
                await store.ServiceOver(gateway).CreateFileAsync(customer, Path, new MemoryStream(content));
                made++;
            }
            catch (Exception e) when (e is FileStoreException or UnknownOutcomeException or IOException)
            {
                refused++;
            }

            // Whatever came of it, it is whole where it is there, and nothing is left of it where it is not.
            if (await metadata.StatAsync(customer, Path) is not null)
            {
                Assert.Equal(content, await store.ReadAsync());
                await metadata.DeleteFileAsync(customer, Path);
            }
            else
            {
                Assert.Equal(0, made);
            }

            await store.CollectAsync();
            Assert.Equal(0, await store.CountCopiesAsync());
        }

        Assert.InRange(refused, 3, 50);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public async Task Of_three_nodes_a_service_that_sees_two_stores_and_one_that_sees_one_does_not(int seen, bool isStored)
    {
        await using var store = new Store(this, 3);
        var content = NodeExtensions.Content(1, 200_000);
        foreach (var node in store.Rig.Nodes.Skip(seen)) node.DieAfter(0);
        var failure = await Record.ExceptionAsync(() => store.Service.CreateFileAsync(customer, Path, new MemoryStream(content)));
        Assert.Equal(isStored, failure is null);
        Assert.Equal(isStored, await metadata.StatAsync(customer, Path) is not null);
        foreach (var node in store.Rig.Nodes) node.Before = null;
        if (!isStored)
        {
            await store.CollectAsync();
            Assert.Equal(0, await store.CountCopiesAsync());
            return;
        }

        // The other side of the partition has one of the copies, or none: it says that it cannot read, and changes nothing.
        foreach (var node in store.Rig.Nodes.Take(seen)) node.DieAfter(0);
        await Assert.ThrowsAsync<BlockUnreadableException>(store.ReadAsync);
        foreach (var node in store.Rig.Nodes) node.Before = null;
        await store.Repair.RunAsync();
        Assert.Equal(3, await store.CountCopiesAsync());
        Assert.Equal(content, await store.ReadAsync());
        Assert.True((await new FileVerifier(metadata, store.Holders).RunAsync()).IsProved);
    }

    static IOException Cut() => new("the metadata do not answer");

    /// <summary>What was asked for is done, and nobody hears of it.</summary>
    class AnswersLost : System.Reflection.DispatchProxy
    {
        IMetadataStore inner = null!;
        Func<bool> isLost = null!;

        public static IMetadataStore Of(IMetadataStore inner, Func<bool> isLost)
        {
            var proxy = Create<IMetadataStore, AnswersLost>();
            (((AnswersLost)(object)proxy).inner, ((AnswersLost)(object)proxy).isLost) = (inner, isLost);
            return proxy;
        }

        protected override object? Invoke(System.Reflection.MethodInfo? targetMethod, object?[]? args)
        {
            var result = targetMethod!.Invoke(inner, System.Reflection.BindingFlags.DoNotWrapExceptions, null, args, null);
            if (result is not Task task || !isLost()) return result;
            task.GetAwaiter().GetResult(); // The metadata are in this process, and never wait for whoever asks.
            throw new UnknownOutcomeException(Cut());
        }
    }

    sealed class Store : IAsyncDisposable
    {
        readonly PartitionTests test;

        public Store(PartitionTests test, int nodes)
        {
            this.test = test;
            Rig = new NodeRig(nodes, clock: test.clock);
            Repair = new BlockRepair(Rig.Known, Rig.Buffers, test.metadata);
            Holders = new NodeHolders(Rig.Known, test.clock);
            Service = ServiceOver(test.metadata);
        }

        public NodeRig Rig { get; }

        public BlockRepair Repair { get; }

        public NodeHolders Holders { get; }

        public FileService Service { get; }

        public FileService ServiceOver(IMetadataStore metadata)
        {
            var pieces = new NodePieces(Rig.Known, Rig.Buffers, metadata, Repair, Rig.Options, test.clock);
            var chunks = new ChunkManager(Rig.Known, Rig.Buffers, pieces, Rig.Options, test.clock, catalogue: metadata);
            return new(metadata, chunks, new() { TimeProvider = test.clock });
        }

        public async Task<byte[]> ReadAsync()
        {
            var read = new MemoryStream();
            await (await Service.ReadFileAsync(test.customer, Path)).CopyToAsync(read);
            return read.ToArray();
        }

        public async Task<int> CountCopiesAsync()
        {
            var count = 0;
            foreach (var node in Rig.Nodes) count += (await node.Inner.ListAllAsync(100)).Count;
            return count;
        }

        public async Task CollectAsync()
        {
            await Rig.SettleAsync();
            var collector = new Collector(
                test.metadata, Holders, new() { Grace = TimeSpan.Zero, CondemnedFor = TimeSpan.Zero, TimeProvider = test.clock });
            for (var pass = 0; pass < 6; pass++)
            {
                test.clock.Advance(TimeSpan.FromHours(2));
                await collector.RunAsync();
                // A copy that came after its upload was given up is known to its node alone.
                if (pass == 2) await new InventorySweep(test.metadata, Holders).RunAsync(TimeSpan.Zero);
            }
        }

        public ValueTask DisposeAsync() => Rig.DisposeAsync();
    }
}
