using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Ashlar.Volumes;

namespace Ashlar.Server.Tests.Data;

/// <summary>The first start of a server, cut off by power or by the death of its process: it is begun anew, or was completed.</summary>
public sealed class FirstStartTests
{
    const long PoolBytes = 1 << 20;
    const string Started = "started", Flushed = "flushed";

    static readonly byte[] Data = new SeededRandom(5).Bytes(4096);

    [Fact]
    public async Task Power_may_fail_and_the_process_may_die_at_any_moment_of_the_first_start()
    {
        var options = new CrashExplorerOptions { StateBudget = 1500, NestedOneIn = 10, KilledOneIn = 3, NestedBudget = 5 };
        var result = await CrashExplorer.ExploreAsync(disk => WorkAsync(disk, disk), CheckAsync, options);
        if (options.Replay is not null) return;
        Assert.True(result is { Images: >= 100, Points: >= 40, Nested: >= 50, Deaths: >= 10 }, result.ToString());
    }

    // The mistakes are planted below the server: syncs that are not there.
    [Theory]
    [InlineData("/var/data/FORMAT.new", FaultOperations.Sync, "Unsupported|Corrupt|FORMAT")]
    [InlineData("/var/data", FaultOperations.SyncDirectory, "was taken for a new one|holds 'pools' but no FORMAT")]
    [InlineData("/var/data/pools/main/data", FaultOperations.Sync, "")]
    [InlineData("/var/data/pools/main/meta/*", FaultOperations.Sync, "")]
    public async Task A_sync_that_is_missing_is_found_by_a_crash_and_by_nothing_else(string path, FaultOperations operations, string asWhat)
    {
        var disk = new SimulatedFileSystem();
        var rule = new FaultRule(operations, FaultKind.Skip) { PathPattern = path, IsSticky = true };
        var faulty = new FaultyFileSystem(disk, rule);
        await WorkAsync(disk, faulty);
        Assert.True(faulty.FiredCount > 0, "nothing was planted");
        await CrashExplorer.CheckEndAsync(disk, CheckAsync);
        var found = await Assert.ThrowsAsync<CrashCheckException>(() => CrashExplorer.ExploreAsync(
            disk, CheckAsync, new CrashExplorerOptions { StateBudget = 1500, NestedOneIn = 10, NestedBudget = 5, Replay = null }));
        Assert.Matches(asWhat, found.InnerException!.ToString());
    }

    [Fact]
    public async Task Power_may_fail_at_any_moment_while_a_start_that_failed_takes_back_what_it_created()
    {
        var options = new CrashExplorerOptions { StateBudget = 1500, NestedOneIn = 20, NestedBudget = 3 };
        var result = await CrashExplorer.ExploreAsync(disk => TakeBackAsync(disk, disk), CheckAsync, options);
        if (options.Replay is not null) return;
        Assert.True(result is { Images: >= 100, Points: >= 40 }, result.ToString());
    }

    // The syncs of the data directory before these are of the first start.
    [Theory]
    [InlineData(6, "/pools/main/.* No such file")] // That it is no data directory any more, before its pool goes.
    [InlineData(7, "holds 'pools' but no FORMAT")] // That the pool is gone, before FORMAT.new goes.
    public async Task Each_step_of_taking_back_is_durable_before_the_next(int sync, string asWhat)
    {
        var disk = new SimulatedFileSystem();
        var rule = new FaultRule(FaultOperations.SyncDirectory, FaultKind.Skip) { PathPattern = "/var/data", Nth = sync };
        var faulty = new FaultyFileSystem(disk, rule);
        await TakeBackAsync(disk, faulty);
        Assert.Equal(1, faulty.FiredCount);
        await CrashExplorer.CheckEndAsync(disk, CheckAsync);
        var found = await Assert.ThrowsAsync<CrashCheckException>(() => CrashExplorer.ExploreAsync(
            disk, CheckAsync, new CrashExplorerOptions { StateBudget = 1500, Replay = null }));
        Assert.Matches(asWhat, found.InnerException!.Message);
    }

    [Theory]
    [InlineData("data/pools")]
    [InlineData("data/pools/main")]
    public void A_first_start_that_is_begun_anew_removes_links_and_not_what_they_lead_to(string link)
    {
        using var root = new TemporaryDirectory();
        Directory.CreateDirectory(root["data"]);
        File.WriteAllText(root["data/FORMAT.new"], "");
        Directory.CreateDirectory(root["elsewhere"]);
        File.WriteAllText(root["elsewhere/notes"], "mine");
        Directory.CreateDirectory(Path.GetDirectoryName(root[link])!);
        File.CreateSymbolicLink(root[link], root["elsewhere"]);
        using var directory = DataDirectory.Open(OptionsFor(FileSystems.Real, seed: 1) with { DataDirectory = root["data"] });
        directory.BeginFirstStart(new(Guid.Empty, DateTimeOffset.UnixEpoch));
        directory.Keep();
        Assert.Equal("mine", File.ReadAllText(root["elsewhere/notes"]));
        Assert.Empty(Directory.GetFileSystemEntries(root["data/pools/main"]));
        Assert.Null(new FileInfo(root[link]).LinkTarget);
    }

    static async Task TakeBackAsync(SimulatedFileSystem disk, IFileSystem files)
    {
        disk.CreateDirectories("/var");
        disk.RestartTrace();
        using var directory = DataDirectory.Open(OptionsFor(files, seed: 1));
        directory.BeginFirstStart(new(Guid.Empty, DateTimeOffset.UnixEpoch));
        await (await CreatePoolAsync(directory, OptionsFor(files, seed: 1))).DisposeAsync();
        directory.CompleteFirstStart();
        directory.TakeBack();
    }

    static async Task WorkAsync(SimulatedFileSystem disk, IFileSystem files)
    {
        var (_, pool) = await StartAsync(files, seed: 1);
        disk.Mark(Started);
        await pool.CreateVolumeAsync("disk", new VolumeOptions { SizeBytes = 1 << 20, BlockSizeBytes = 4096 });
        var volume = pool.OpenVolume("disk")!;
        await volume.WriteAsync(new Lba(7), Data);
        await volume.FlushAsync();
        disk.Mark(Flushed);
        await pool.DisposeAsync();
    }

    static async Task CheckAsync(CrashState state)
    {
        var (wasNew, pool) = await StartAsync(state.Disk, state.Seed);
        await using (pool)
        {
            Assert.False(wasNew && state.Marks.Contains(Started), "a data directory that was in use was taken for a new one");
            state.RecoveryDone();
            if (!state.Marks.Contains(Flushed)) return;
            var found = new byte[Data.Length];
            await pool.OpenVolume("disk")!.ReadAsync(new Lba(7), found);
            Assert.Equal(Data, found);
        }
    }

    /// <summary>What a server does before it listens; and whether it created the pool.</summary>
    static async Task<(bool WasNew, StoragePool Pool)> StartAsync(IFileSystem disk, ulong seed)
    {
        var options = OptionsFor(disk, seed);
        using var directory = DataDirectory.Open(options);
        directory.Keep();
        if (!directory.IsNew) return (false, await PoolFiles.OpenAsync(directory.PoolPath(DataDirectory.MainPool), options));
        directory.BeginFirstStart(new(Guid.Empty, DateTimeOffset.UnixEpoch));
        var pool = await CreatePoolAsync(directory, options);
        directory.CompleteFirstStart();
        return (true, pool);
    }

    static Task<StoragePool> CreatePoolAsync(DataDirectory directory, ServerOptions options) =>
        PoolFiles.CreateAsync(directory.PoolPath(DataDirectory.MainPool), DataDirectory.MainPool, PoolBytes, options);

    static ServerOptions OptionsFor(IFileSystem disk, ulong seed) => new()
    {
        DataDirectory = "/var/data",
        FileSystem = disk,
        TimeProvider = new SimulatedClock(),
        Entropy = new SeededEntropy(seed),
    };
}
