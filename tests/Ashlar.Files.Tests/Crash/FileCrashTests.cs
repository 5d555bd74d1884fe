using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Files.Tests;

/// <summary>
/// Power is lost at every point of create, delete, rename and collect, under metadata and nodes at once: what was answered is there, whole,
/// invariants I1 to I3 hold in each state, and what is left over goes.
/// </summary>
public sealed class FileCrashTests(ITestOutputHelper output)
{
    [Fact]
    public Task Whatever_a_crash_leaves_keeps_the_invariants_and_every_file_that_was_answered() => CrashExploration.RunAsync(
        "file crash states",
        nameof(Whatever_a_crash_leaves_keeps_the_invariants_and_every_file_that_was_answered),
        TestTier.Choose(2, 40),
        TestTier.Choose(200, 20_000),
        seed => ExploreAsync(seed, TestTier.Choose(120, 1000)),
        output);

    [Theory]
    [InlineData("files are not synced")]
    [InlineData("directories are not synced")]
    [InlineData("blocks are durable after the commit")]
    [InlineData("metadata are not synced")]
    [InlineData("copies go before the row says so")]
    [InlineData("missing directories are made before the file")]
    public async Task A_planted_bug_is_found(string bug)
    {
        var found = await Assert.ThrowsAsync<CrashCheckException>(async () =>
        {
            for (var seed = 0UL; seed < 5; seed++) await ExploreAsync(seed, 250, bug);
        });
        output.WriteLine(found.Message);
    }

    static async Task<CrashExplorerResult> ExploreAsync(ulong seed, int states, string bug = "")
    {
        var disk = new SimulatedFileSystem();
        DiskNodes nodes = bug == "blocks are durable after the commit"
            ? new LateNodes(disk)
            : new DiskNodes(disk)
            {
                SkipsFileSync = bug == "files are not synced",
                SkipsDirectorySync = bug == "directories are not synced",
            };
        var workload = new FileWorkload(seed, length: 12)
        {
            CollectorStore = bug == "copies go before the row says so" ? store => RemovesFirst(store, nodes) : store => store,
        };
        IFileSystem metadataDisk = bug == "metadata are not synced" ? new UnsyncedFileSystem(disk) : disk;
        await using (var rig = new FileRig(disk, nodes: nodes, seed: seed, metadataDisk: metadataDisk))
        {
            rig.Customer = (await rig.Store.CreateCustomerAsync("customer", Quota.None)).Id;
            if (bug == "missing directories are made before the file") rig.ServeThrough(MakesParentsFirst);
            disk.RestartTrace();
            await workload.RunAsync(rig);
        }

        return await CrashExplorer.ExploreAsync(
            disk,
            state => CheckAsync(workload, state),
            new CrashExplorerOptions { Seed = seed, StateBudget = states, NestedOneIn = 50, NestedBudget = 3, KilledOneIn = 100 });
    }

    static async Task CheckAsync(FileWorkload workload, CrashState state)
    {
        var clock = new SimulatedClock();
        clock.Advance(TimeSpan.FromDays(1));
        await using var rig = new FileRig(state.Disk, clock, seed: state.Seed) { Customer = new(1) };
        var tree = await FileTree.ReadAsync(rig);
        StoreInvariants.Check(rig.Store, rig.Nodes);
        state.RecoveryDone();
        var (before, after) = workload.Expected(state.Marks);
        Assert.True(tree.Equals(before) || tree.Equals(after), $"expected {before}\n      or {after}\n   found {tree}");

        await rig.DrainAsync();
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
        Assert.Equal(tree, await FileTree.ReadAsync(rig));
        Assert.True((await new FileVerifier(rig.Store, rig.Nodes).RunAsync()).IsProved);
    }

    static IMetadataStore RemovesFirst(IMetadataStore store, DiskNodes nodes)
    {
        return Intercepted<IMetadataStore>.Create(store, planted: (nameof(ICollection.BeginDeletionAsync), BeginAsync));

        async Task<BlockLocations?> BeginAsync(CollectionCandidate block, TimeSpan condemned, CancellationToken cancellationToken)
        {
            foreach (var node in nodes.Nodes) await nodes.RemoveAsync(node, block.Block, cancellationToken);
            return await store.BeginDeletionAsync(block, condemned, cancellationToken);
        }
    }

    static IMetadataStore MakesParentsFirst(EmbeddedMetadataStore store)
    {
        return Intercepted<IMetadataStore>.Create(store, planted: (nameof(IUploads.CommitInlineAsync), CommitAsync));

        async Task<NamespaceEntry> CommitAsync(CustomerId customer, ulong id, FileCommit file, CancellationToken cancellationToken)
        {
            var parent = file.Path.Parent;
            if (file.CreateParents && await store.StatAsync(customer, parent, cancellationToken) is null)
            {
                var batch = new WriteBatch();
                var entry = new NamespaceEntry
                {
                    Path = parent,
                    Kind = NamespaceEntryKind.Directory,
                    IsImplicit = true,
                    CreatedAt = DateTimeOffset.UnixEpoch,
                    UpdatedAt = DateTimeOffset.UnixEpoch,
                };
                batch.Put(MetadataKeys.Directory(customer, parent), Rows.Write(entry));
                var key = MetadataKeys.Usage(customer, parent.Bucket, 200);
                var part = store.Rows.Get(key) is { } row ? Rows.ReadUsage(key, row) : default;
                batch.Put(key, Rows.Write(part + new Usage(0, 0, 1)));
                await store.Rows.WriteAsync(batch, cancellationToken: cancellationToken);
            }

            return await store.CommitInlineAsync(customer, id, file, cancellationToken);
        }
    }

    /// <summary>Answers at once, and writes when the next block comes.</summary>
    sealed class LateNodes(IFileSystem disk) : DiskNodes(disk)
    {
        Func<Task> owed = () => Task.CompletedTask;

        protected override async Task<IReadOnlyCollection<NodeId>> InstallAsync(
            CustomerId customer, BlockName name, byte[] content, IReadOnlyCollection<NodeId> holders)
        {
            await owed();
            owed = () => base.InstallAsync(customer, name, content, holders);
            return [.. Nodes.Except(holders).Take(InstalledCopies)];
        }
    }

    sealed class UnsyncedFileSystem(IFileSystem inner) : PassingFileSystem(inner)
    {
        public override IFile Open(string path, FileOpenMode mode) => new UnsyncedFile(base.Open(path, mode));
    }

    sealed class UnsyncedFile(IFile inner) : PassingFile(inner)
    {
        public override void Sync()
        {
        }
    }
}
