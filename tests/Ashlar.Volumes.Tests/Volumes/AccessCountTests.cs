using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>Counts of requests by region: bounded, and fading.</summary>
public sealed class AccessCountTests
{
    const long MiB = 1 << 20;

    [Fact]
    public void Requests_count_in_each_region_that_they_touch()
    {
        var counts = new AccessCounts();
        Assert.Equal((MiB, 0, 0), (counts.Read().RegionBytes, counts.Read().Reads.Length, counts.Read().Writes.Length));
        counts.CountRead(0, 4096);
        counts.CountRead(MiB - 4096, 8192);
        counts.CountWrite(3 * MiB, MiB);
        counts.CountRead(0, 0);
        var (region, reads, writes) = counts.Read();
        Assert.Equal(MiB, region);
        Assert.Equal([2, 1, 0, 0], reads[..4]);
        Assert.Equal([0, 0, 0, 1, 0], writes[..5]);
    }

    [Fact]
    public void A_volume_that_grows_has_longer_regions_and_no_more_of_them()
    {
        var counts = new AccessCounts();
        for (var i = 0; i < 4; i++) counts.CountWrite(i * MiB, 1);
        counts.CountRead(4096 * MiB, 1);
        var (region, reads, writes) = counts.Read();
        Assert.Equal(8 * MiB, region);
        Assert.Equal((AccessCounts.RegionCount, 4, 1), (reads.Length, writes[0], reads[512]));
        Assert.Equal(4, writes.Sum());
        counts.CountRead(StoragePool.MaxVolumeBytes - 1, 1);
        Assert.Equal((AccessCounts.RegionCount, 2), (counts.Read().Reads.Length, counts.Read().Reads.Sum()));
    }

    [Fact]
    public async Task They_are_halved_by_the_hour_until_nothing_is_left()
    {
        var clock = new SimulatedClock();
        await using var pool = await TestPool.CreateAsync(options: TestPool.DefaultOptions() with { TimeProvider = clock });
        var volume = await pool.CreateVolumeAsync("disk", 16 << 20);
        clock.Advance(TimeSpan.FromSeconds(10)); // The first look.
        for (var i = 0; i < 8; i++) await volume.WriteAsync(new Lba(256), new byte[4096]);
        await volume.ReadAsync(Lba.Zero, new byte[4096]);
        Assert.Equal([0, 8, 0], pool.Pool.FindAccesses("disk")!.Writes.Take(3));
        Assert.Equal([1, 0], pool.Pool.FindAccesses("disk")!.Reads.Take(2));
        clock.Advance(AccessReport.HalfLife);
        Assert.Equal((4, 0), (pool.Pool.FindAccesses("disk")!.Writes[1], pool.Pool.FindAccesses("disk")!.Reads[0]));
        clock.Advance(3 * AccessReport.HalfLife);
        Assert.Equal(0, pool.Pool.FindAccesses("disk")!.Writes.Sum());
        Assert.Null(pool.Pool.FindAccesses("none"));
    }
}
