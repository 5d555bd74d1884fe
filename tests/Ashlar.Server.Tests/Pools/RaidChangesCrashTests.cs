using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Pools;

/// <summary>
/// A pool on a RAID set is made, its devices come, are replaced and go, another server takes it, it is deleted, and the power fails: what
/// was answered has happened, what was not has happened or not, and what was flushed is there as long as the pool is.
/// </summary>
public sealed class RaidChangesCrashTests
{
    const string Here = "/var/data", There = "/var/other";

    static readonly byte[] Content = new SeededRandom(5).Bytes(4096);

    [Fact]
    public async Task Power_may_fail_at_any_moment_while_devices_come_and_go()
    {
        var options = new CrashExplorerOptions
        {
            StateBudget = TestTier.IsDeep ? 600 : 15,
            NestedOneIn = 25,
            NestedBudget = 1,
            RandomSubsets = 1,
            ExhaustiveLimit = 2,
        };
        var result = await CrashExplorer.ExploreAsync(disk => WorkAsync(disk, disk), CheckAsync, options);
        if (options.Replay is not null) return;
        Assert.True(result.Images >= (TestTier.IsDeep ? 300 : 9), result.ToString());
    }

    // The mistakes are planted below the server: syncs that are not there.
    [Theory]
    [InlineData("/var/data/system/pool-*", FaultOperations.Sync)]
    [InlineData("/disks/?", FaultOperations.Sync)]
    public Task A_sync_that_is_missing_is_found(string path, FaultOperations operations) =>
        MissingSync.MustBeFoundAsync(WorkAsync, CheckAsync, path, operations, stateBudget: 120);

    static async Task WorkAsync(SimulatedFileSystem disk, IFileSystem files)
    {
        disk.CreateDirectory("/var");
        disk.CreateDirectory("/disks");
        await (await PoolsUnderTest.OpenAsync(files, There, seed: 2)).DisposeAsync();
        await using (var here = await PoolsUnderTest.OpenAsync(files, Here))
        {
            disk.RestartTrace();
            await here.Pools.CreateAsync(
                new()
                {
                    Name = "safe",
                    Devices = ["/disks/a", "/disks/b"],
                    SizeBytes = PoolsUnderTest.Mebibyte,
                    Raid = new() { Level = 1, Spares = ["/disks/s"] },
                },
                "me");
            disk.Mark(Mark.Available);
            await here.WriteAsync("safe", "vm1", Content);
            disk.Mark(Mark.Written);
            await here.Pools.AddDeviceAsync("safe", new() { Path = "/disks/t", IsSpare = true }, "me");
            await here.Pools.RemoveDeviceAsync("safe", "/disks/s", null, "me");
            await here.Pools.ReplaceDeviceAsync("safe", new() { Path = "/disks/a", Replacement = "/disks/n" }, "me");
            await here.UntilAsync(() => here.States("safe").Count == 3, "that the old one has gone");
            await here.Pools.ExportAsync("safe", force: false, "me");
            disk.Mark(Mark.Exported);
        }
        await using var there = await PoolsUnderTest.OpenAsync(files, There, seed: 3);
        await there.Pools.ImportAsync(new() { Devices = ["/disks/n", "/disks/b", "/disks/t"], Name = "taken" }, "me");
        disk.Mark(Mark.Imported);
        disk.Mark(Mark.Leaving);
        await there.Pools.DeleteAsync("taken", force: true, "me");
        disk.Mark(Mark.Gone);
    }

    static async Task CheckAsync(CrashState state)
    {
        var last = state.Marks.OfType<Mark>().LastOrDefault();
        await using (var here = await PoolsUnderTest.OpenAsync(state.Disk, Here, seed: 11))
        {
            state.RecoveryDone();
            Assert.Empty(here.Pools.Warnings);
            var entry = here.Pools.FindEntry("safe");
            Assert.Null(entry?.Problem);
            if (last is Mark.Available or Mark.Written or Mark.Exported or Mark.Imported) Assert.NotNull(entry);
            if (entry?.Served is not null)
            {
                if (last >= Mark.Written) Assert.Equal(Content, await here.ReadAsync("safe", "vm1", Content.Length));
                Assert.NotEqual("failed", here.Show("safe").Raid!.State);
                return;
            }
            if (entry is null)
            {
                // It can be made, and made again.
                Assert.Equal([], state.Disk.List("/disks").Where(name => last == Mark.None && !IsLock(name)));
                if (last == Mark.None) await here.Pools.CreateAsync(
                    new()
                    {
                        Name = "safe",
                        Devices = ["/disks/a", "/disks/b"],
                        SizeBytes = PoolsUnderTest.Mebibyte,
                        Raid = new() { Level = 1 },
                    },
                    "me");
                return;
            }
        }
        await using var there = await PoolsUnderTest.OpenAsync(state.Disk, There, seed: 12);
        var taken = there.Pools.FindEntry("taken");
        Assert.Null(taken?.Problem);
        if (last == Mark.Gone)
        {
            Assert.Null(taken);
            Assert.Equal([], state.Disk.List("/disks").Where(name => !IsLock(name) && name is not ("n" or "b" or "t")));
            return;
        }
        if (last == Mark.Leaving) return;
        if (last == Mark.Imported) Assert.NotNull(taken);
        if (taken is null) await there.Pools.ImportAsync(new() { Devices = await MembersAsync(state.Disk), Name = "taken" }, "me");
        Assert.Equal(Content, await there.ReadAsync("taken", "vm1", Content.Length));
        Assert.Equal("healthy", there.Show("taken").Raid!.State);
    }

    static async Task<IReadOnlyList<string>> MembersAsync(SimulatedFileSystem disk)
    {
        var members = new List<string>();
        foreach (var name in disk.List("/disks").Where(name => !IsLock(name)))
        {
            await using var device = FileDevice.Open(disk, $"/disks/{name}", PoolFiles.BlockSizeBytes, isReadOnly: true);
            if (await RaidArray.IdentifyAsync(device) is not null) members.Add($"/disks/{name}");
        }
        return members;
    }

    static bool IsLock(string name) => name.EndsWith(".lock", StringComparison.Ordinal);

    enum Mark
    {
        None = 0,
        Available,
        Written,
        Exported,
        Imported,
        Leaving,
        Gone,
    }
}
