using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.Volumes;

namespace Ashlar.Server.Tests.Pools;

/// <summary>
/// Pools are made, get a device, are renamed, exported, imported and deleted, and the power fails: what was answered has happened, what was
/// not has happened or not, and no other pool, and nothing of others, is touched.
/// </summary>
public sealed class PoolChangesCrashTests
{
    const long Mebibyte = 1 << 20;
    const string Data = "/var/data", Own = "/disks/own", Given = "/disks/given", More = "/disks/more", Foreign = "/disks/foreign";

    static readonly byte[] Content = new SeededRandom(5).Bytes(4096);

    [Fact]
    public async Task Power_may_fail_at_any_moment_while_pools_change()
    {
        var options = new CrashExplorerOptions
        {
            StateBudget = 250,
            NestedOneIn = 25,
            NestedBudget = 2,
            RandomSubsets = 2,
            ExhaustiveLimit = 3,
        };
        var result = await CrashExplorer.ExploreAsync(disk => WorkAsync(disk, disk), CheckAsync, options);
        if (options.Replay is not null) return;
        Assert.True(result is { Images: >= 100, Points: >= 60 }, result.ToString());
    }

    // The mistakes are planted below the server: syncs that are not there.
    [Theory]
    [InlineData("/var/data/system/pool-*", FaultOperations.Sync)]
    [InlineData("/var/data/system", FaultOperations.SyncDirectory)]
    [InlineData("/disks/given", FaultOperations.Sync)]
    public Task A_sync_that_is_missing_is_found(string path, FaultOperations operations) =>
        MissingSync.MustBeFoundAsync(WorkAsync, CheckAsync, path, operations, stateBudget: 400);

    static async Task WorkAsync(SimulatedFileSystem disk, IFileSystem files)
    {
        var options = OptionsFor(files);
        disk.CreateDirectories("/var");
        disk.CreateDirectories("/disks");
        using (var file = disk.Open(Given, FileOpenMode.CreateNew)) Fill(file, 3 * Mebibyte, []);
        using (var file = disk.Open(Foreign, FileOpenMode.CreateNew)) Fill(file, Mebibyte, Content);
        disk.SyncDirectory("/disks");
        using var directory = DataDirectory.Open(options);
        directory.Keep();
        directory.BeginFirstStart(new(Guid.Empty, DateTimeOffset.UnixEpoch));
        await PoolFiles.FormatAsync(directory.PoolPath("main"), "main", Mebibyte, options);
        new PoolRegistry(files, directory.SystemPath).Install(PoolRegistry.Main(options.Entropy));
        directory.CompleteFirstStart();
        disk.RestartTrace();

        await using var pools = await ServedPools.OpenAsync(directory, options, new(_ => { }, options.TimeProvider), _ => { });
        await pools.CreateAsync(new() { Name = "fast", Devices = [Given, Own], SizeBytes = Mebibyte }, "me");
        disk.Mark(new Pool("fast", Mark.Available));
        await pools.Get("fast").CreateAsync(new() { Name = "vm1", SizeBytes = Mebibyte });
        Assert.True(pools.Get("fast").TryAttach("vm1", new(ClientProtocol.Nbd, "me", "me"), out _, out var session));
        await session.WriteAsync(0, Content);
        await session.FlushAsync();
        disk.Mark(new Pool("fast", Mark.Written));
        await pools.AddDeviceAsync("fast", new() { Path = More, SizeBytes = Mebibyte }, "me");
        disk.Mark(new Pool("fast", Mark.Grown));
        session.Dispose();
        disk.Mark(new Pool("fast", Mark.Leaving));
        await pools.ChangeAsync("fast", new() { Name = "slow" }, "me");
        disk.Mark(new Pool("slow", Mark.Grown));
        await pools.ExportAsync("slow", force: false, "me");
        disk.Mark(new Pool("slow", Mark.Exported));
        await pools.ImportAsync(new() { Devices = [More, Given, Own] }, "me");
        disk.Mark(new Pool("slow", Mark.Leaving));
        await pools.DeleteAsync("slow", force: true, "me");
        disk.Mark(new Pool("slow", Mark.Gone));
    }

    static async Task CheckAsync(CrashState state)
    {
        var options = OptionsFor(state.Disk);
        using var directory = DataDirectory.Open(options);
        directory.Keep();
        await using var pools = await ServedPools.OpenAsync(directory, options, new(_ => { }, options.TimeProvider), _ => { });
        state.RecoveryDone();
        Assert.Empty(pools.Warnings);
        Assert.NotNull(pools.Get("main"));
        foreach (var entry in pools.Entries) Assert.True(entry.Problem is null, $"{entry.Name}: {entry.Problem}");

        var last = state.Marks.OfType<Pool>().LastOrDefault();
        var entryNow = pools.Entries.SingleOrDefault(entry => entry.Name is "fast" or "slow");
        if (last is { Mark: Mark.Gone })
        {
            Assert.Null(entryNow);
            Assert.Equal(["foreign", "given"], state.Disk.List("/disks").Where(name => !name.EndsWith(".lock", StringComparison.Ordinal)));
            Assert.Equal(["main"], state.Disk.List($"{Data}/pools"));
        }
        else if (last is { Mark: not Mark.Leaving })
        {
            Assert.NotNull(entryNow);
        }
        if (entryNow is null)
        {
            // It can be made, and made again.
            await pools.CreateAsync(new() { Name = "fast", Devices = [Given], Force = true }, "me");
            await pools.DeleteAsync("fast", force: false, "me");
        }
        else if (last is { Mark: Mark.Written or Mark.Grown } && entryNow.Served is { } served)
        {
            if (last.Mark == Mark.Grown) Assert.True(served.Usage.CapacityBytes >= 4 * Mebibyte);
            Assert.True(served.TryAttach("vm1", new(ClientProtocol.Nbd, "me", "me"), out _, out var session));
            var found = new byte[Content.Length];
            await session.ReadAsync(0, found);
            session.Dispose();
            Assert.Equal(Content, found);
        }
        using var foreign = state.Disk.Open(Foreign, FileOpenMode.ReadOnly);
        var kept = new byte[Content.Length];
        foreign.Read(kept, 0);
        Assert.Equal(Content, kept);
    }

    static void Fill(IFile file, long lengthBytes, byte[] content)
    {
        file.SetLength(lengthBytes);
        file.Write(content, 0);
        file.Sync();
    }

    static ServerOptions OptionsFor(IFileSystem disk) => new()
    {
        DataDirectory = Data,
        FileSystem = disk,
        TimeProvider = new SimulatedClock(),
        Entropy = new SeededEntropy(1),
    };

    enum Mark
    {
        Available,
        Written,
        Grown,
        Exported,
        Leaving,
        Gone,
    }

    sealed record Pool(string Name, Mark Mark);
}
