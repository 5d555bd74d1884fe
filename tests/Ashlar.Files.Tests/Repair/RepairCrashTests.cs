using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Files.Tests.Repair;

/// <summary>
/// Power is lost at every point of repairs, scrubs, comparisons, drains and collections: every file is there with every copy that is
/// listed, but for one where one was harmed just now. Whoever looks after copies next brings all to what they should be, and leaves nothing
/// else.
/// </summary>
public sealed class RepairCrashTests(ITestOutputHelper output)
{
    [Fact]
    public Task Whatever_a_crash_leaves_of_repairs_has_every_file_and_comes_to_its_copies() => CrashExploration.RunAsync(
        "repair crash states",
        nameof(RepairCrashTests),
        TestTier.Choose(2, 24),
        TestTier.Choose(150, 8_000),
        seed => ExploreAsync(seed, TestTier.Choose(100, 600)),
        output);

    [Theory]
    [InlineData("copies are listed before they are durable")]
    [InlineData("copies go before the row says so")]
    public async Task A_planted_bug_is_found(string bug)
    {
        var found = await Assert.ThrowsAsync<CrashCheckException>(async () =>
        {
            for (var seed = 1UL; seed < 9; seed++) await ExploreAsync(seed, 250, bug);
        });
        output.WriteLine(found.Message);
    }

    static async Task<CrashExplorerResult> ExploreAsync(ulong seed, int states, string bug = "")
    {
        var disk = new SimulatedFileSystem();
        await RepairRig.FormatAsync(disk);
        disk.RestartTrace();
        var hasty = new ForgetfulFileSystem(disk);
        var workload = new RepairWorkload(seed, length: 6)
        {
            IsRepairing = isRepairing => hasty.Forgets = isRepairing && bug == "copies are listed before they are durable",
        };
        await using (var rig = new RepairRig(
            disk, seed, nodeDisk: hasty, catalogue: bug == "copies go before the row says so" ? RemovesFirst : null))
        {
            await workload.RunAsync(rig);
        }

        return await CrashExplorer.ExploreAsync(
            disk,
            CheckAsync,
            new CrashExplorerOptions { Seed = seed, StateBudget = states, NestedOneIn = 50, NestedBudget = 3, KilledOneIn = 50 });
    }

    static async Task CheckAsync(CrashState state)
    {
        var clock = new SimulatedClock();
        clock.Advance(TimeSpan.FromDays(1));
        await using var rig = new RepairRig(state.Disk, state.Seed, clock);
        var (before, after, mayLackACopy) = RepairWorkload.Expected(state.Marks);
        var found = await FilesAsync();
        Assert.True(IsEqual(found, before) || IsEqual(found, after), $"{found.Count} files, and others than before and after");
        foreach (var row in await rig.BlocksAsync())
        {
            var good = await rig.CountGoodAsync(row);
            var least = row.Nodes.Count - (mayLackACopy ? 1 : 0);
            Assert.True(good >= least, $"{row.Id.Name}: {good} good copies of {row.Nodes.Count} that are listed");
        }

        state.RecoveryDone();
        await rig.ScrubAsync();
        foreach (var node in rig.Nodes) await rig.Care.CompareAsync(node.Id);
        await rig.Repair.RunAsync();
        await rig.SweepAsync();
        clock.Advance(TimeSpan.FromDays(1));
        for (var pass = 0; pass < 4; pass++) await rig.CollectAsync();
        Assert.True(IsEqual(found, await FilesAsync()), "files changed when copies were looked after");
        Assert.True((await new FileVerifier(rig.Store, rig.Holders).RunAsync()).IsProved);
        var rows = await rig.BlocksAsync();
        foreach (var row in rows) Assert.Equal(row.WantedCopies, await rig.CountGoodAsync(row));
        foreach (var node in rig.Nodes)
        {
            var listed = rows.Where(row => row.Nodes.Contains(node.Id)).Select(row => row.Id).Order();
            Assert.Equal(listed, (await rig.Holders.ListAsync(node.Id, null, 1000))!.Select(held => held.Id).Order());
        }

        async Task<SortedDictionary<FilePath, byte[]>> FilesAsync()
        {
            var files = new SortedDictionary<FilePath, byte[]>();
            foreach (var entry in (await rig.Store.ListAsync(RepairRig.Customer, new() { Limit = 100 })).Entries)
                files.Add(entry.Path, await rig.ReadAsync(entry.Path));
            return files;
        }
    }

    static bool IsEqual(SortedDictionary<FilePath, byte[]> some, SortedDictionary<FilePath, byte[]> others) =>
        some.Count == others.Count
            && some.All(file => others.TryGetValue(file.Key, out var content) && content.AsSpan().SequenceEqual(file.Value));

    static IBlockCatalogue RemovesFirst(RepairRig rig)
    {
        return Intercepted<IBlockCatalogue>.Create(rig.Store, planted: (nameof(IBlockCatalogue.ReplaceNodesAsync), ReplaceAsync));

        async Task<BlockLocations?> ReplaceAsync(
            CustomerId customer, BlockName block, ulong version, IReadOnlyCollection<NodeId> nodes, int wanted,
            CancellationToken cancellation)
        {
            var id = new CustomerBlock(customer, block);
            var row = (await rig.Store.GetLocationsAsync(customer, [block], cancellation))[0];
            foreach (var node in row?.Nodes.Except(nodes) ?? []) await rig[node].RemoveAsync(id, null, cancellation);
            return await rig.Store.ReplaceNodesAsync(customer, block, version, nodes, wanted, cancellation);
        }
    }

    /// <summary>Syncs nothing while it forgets to.</summary>
    sealed class ForgetfulFileSystem(IFileSystem inner) : PassingFileSystem(inner)
    {
        public bool Forgets { get; set; }

        public override IFile Open(string path, FileOpenMode mode) => new ForgetfulFile(this, base.Open(path, mode));

        public override void SyncDirectory(string path)
        {
            if (!Forgets) base.SyncDirectory(path);
        }

        sealed class ForgetfulFile(ForgetfulFileSystem owner, IFile inner) : PassingFile(inner)
        {
            public override void Sync()
            {
                if (!owner.Forgets) base.Sync();
            }
        }
    }
}
