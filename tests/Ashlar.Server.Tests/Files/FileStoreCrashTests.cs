using Ashlar.Api;
using Ashlar.Files;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Files;

/// <summary>The file store of a server is made, and a node added, on a disk that loses power at any moment.</summary>
public sealed class FileStoreCrashTests
{
    const string Made = "made", Added = "added";

    [Fact]
    public async Task Power_may_fail_at_any_moment_while_the_store_is_made_and_a_node_added()
    {
        var options = new CrashExplorerOptions
        {
            StateBudget = TestTier.Choose(30, 300),
            NestedOneIn = 20,
            KilledOneIn = 3,
            NestedBudget = 2,
        };
        var result = await CrashExplorer.ExploreAsync(disk => WorkAsync(disk, disk), CheckAsync, options);
        if (options.Replay is not null) return;
        Assert.True(result.Images >= TestTier.Choose(18, 150), result.ToString());
    }

    // The dearest of them in the deep tier.
    public static TheoryData<string, FaultOperations> Syncs()
    {
        var syncs = new TheoryData<string, FaultOperations>
        {
            { "/store/key.new", FaultOperations.Sync },
            { "/store", FaultOperations.SyncDirectory },
        };
        if (TestTier.IsDeep) syncs.Add("/store/registry", FaultOperations.SyncDirectory);
        return syncs;
    }

    [Theory, MemberData(nameof(Syncs))]
    public async Task A_sync_that_is_missing_is_found_by_a_crash(string path, FaultOperations operations)
    {
        var disk = new SimulatedFileSystem();
        var rule = new FaultRule(operations, FaultKind.Skip) { PathPattern = path, IsSticky = true };
        var faulty = new FaultyFileSystem(disk, rule);
        await WorkAsync(disk, faulty);
        Assert.True(faulty.FiredCount > 0, "nothing was planted");
        await Assert.ThrowsAsync<CrashCheckException>(() => CrashExplorer.ExploreAsync(
            disk, CheckAsync, new CrashExplorerOptions { StateBudget = 600, Replay = null }));
    }

    static async Task WorkAsync(SimulatedFileSystem disk, IFileSystem files)
    {
        disk.CreateDirectories("/store");
        disk.CreateDirectories("/disk");
        disk.RestartTrace();
        await using var tasks = new ServerTasks(_ => { }, new SimulatedClock());
        await using var store = await OpenAsync(files, 1, tasks);
        disk.Mark(Made);
        await store.Nodes.AddAsync(new AddFileNode { Name = "two", Path = "/disk/two" }, "me");
        disk.Mark(Added);
    }

    static async Task CheckAsync(CrashState state)
    {
        await using var tasks = new ServerTasks(_ => { }, new SimulatedClock());
        await using var store = await OpenAsync(state.Disk, state.Seed, tasks);
        state.RecoveryDone();
        var key = ReadKey(state.Disk).Split(':');
        var known = await store.Metadata.FindKeyAsync(key[0]);
        Assert.Equal(key[1], known?.Secret);
        var customer = Assert.Single(await store.Metadata.ListCustomersAsync(null, 10));
        Assert.Single(await store.Metadata.ListKeysAsync(customer.Id, FileStore.MainName));
        Assert.All(store.Nodes.All, node => Assert.NotNull(node.Open));
        Assert.True(!state.Marks.Contains(Added) || store.Nodes.All.Count == 2, "a node that was added is forgotten");
        var first = await store.Service.CreateDirectoryAsync(customer.Id, FilePath.Parse("/a"));
        Assert.Equal("/a", first.Path.ToString());
    }

    static string ReadKey(SimulatedFileSystem files)
    {
        using var file = files.Open("/store/key", FileOpenMode.ReadOnly);
        var bytes = new byte[file.LengthBytes];
        file.Read(bytes, 0);
        return System.Text.Encoding.ASCII.GetString(bytes).TrimEnd('\n');
    }

    static Task<FileStore> OpenAsync(IFileSystem files, ulong seed, ServerTasks tasks) => FileStore.OpenAsync(
        "/store",
        new ServerOptions
        {
            DataDirectory = "/data",
            FileSystem = files,
            TimeProvider = new SimulatedClock(),
            Entropy = new SeededEntropy(seed),
        },
        tasks,
        _ => { });
}
