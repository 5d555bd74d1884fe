using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>A device that cannot punch holes costs space below the pool, and nothing else.</summary>
public sealed class PunchFailureTests
{
    public static TheoryData<Exception> Failures => new()
    {
        { new DeviceIOException("below", "as told", isTransient: false) },
        { new NotSupportedException("as told") },
        { StorageException.FromErrno("fallocate", "/pool.data", Errno.InputOutput) },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task What_was_let_go_of_is_free_though_it_cannot_be_punched(Exception failure)
    {
        var events = new List<PoolEvent>();
        await using var pool = await TestPool.CreateAsync(
            chunks: 2,
            options: TestPool.DefaultOptions() with { Observer = events.Add },
            wrap: device => new HookedDevice(device) { BeforeTrim = _ => throw failure });
        var volume = await pool.CreateVolumeAsync("disk", 8 << 20);
        for (var round = 1; round <= 3; round++)
        {
            await volume.WriteAsync(Lba.Zero, CrashedPool.Content(round, 32));
            Assert.Equal(0, pool.Pool.GetUsage().FreeBytes);
            await volume.TrimAsync(Lba.Zero, 32);
            await volume.FlushAsync();
            await pool.Pool.WaitForBackgroundAsync();
            Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
            Assert.Equal(round, pool.Pool.GetStatistics().PunchFailures);
            Assert.Equal(new byte[4096], await CrashedPool.ReadAsync(volume, 3));
        }

        Assert.Null(pool.Pool.GetStatistics().Failure);
        Assert.Equal(PoolEventKind.Reclaim, Assert.Single(events).Kind); // Said once.
        await volume.WriteAsync(new Lba(4), CrashedPool.Content(9));
        Assert.Equal(new byte[4096], await CrashedPool.ReadAsync(volume, 5)); // What lay there stays hidden.
    }

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Space_of_a_lost_piece_of_the_map_is_free_though_it_cannot_be_punched(Exception failure)
    {
        if (failure is StorageException) return; // A device has no such error.
        await using var pool = await TestPool.CreateAsync(wrap: device => new HookedDevice(device) { BeforeTrim = _ => throw failure });
        var volume = await pool.CreateVolumeAsync("disk", 4 << 20);
        await volume.WriteAsync(Lba.Zero, new byte[4096]);
        await pool.Pool.DisposeAsync();
        DamagedMap.DamageLeaf(pool.Disk, "disk");
        await using var damaged = await TestPool.OpenAsync(
            pool.Disk, TestPool.DefaultOptions(2), wrap: device => new HookedDevice(device) { BeforeTrim = _ => throw failure });
        await damaged.Pool.OpenVolume("disk")!.TrimAsync(Lba.Zero, MapLayout.BlocksPerLeaf);
        await damaged.Pool.CommitAsync();
        await damaged.Pool.Work.Idle;
        Assert.Equal(0, damaged.Pool.GetUsage().AllocatedBytes);
        Assert.Null(damaged.Pool.GetStatistics().Failure);
        Assert.Empty((await damaged.Pool.VerifyAsync()).Problems);
    }
}
