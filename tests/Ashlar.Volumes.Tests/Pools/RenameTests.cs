using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>A volume gets another name and stays what it is.</summary>
public sealed class RenameTests
{
    readonly SimulatedFileSystem disk = new();

    [Fact]
    public async Task It_is_found_by_its_new_name_only_and_whoever_has_its_device_goes_on()
    {
        await using var pool = await TestPool.CreateAsync(disk: disk);
        var volume = await pool.CreateVolumeAsync("old", 1 << 20);
        await volume.WriteAsync(Lba.Zero, Content(1));
        var before = pool.Pool.FindVolume("old")!;
        var after = await pool.Pool.RenameVolumeAsync("old", "new");
        Assert.Equal(before with { Name = "new" }, after);
        Assert.Null(pool.Pool.FindVolume("old"));
        Assert.Same(volume, pool.Pool.OpenVolume("new"));
        Assert.Equal("main/new", volume.Name);
        await volume.WriteAsync(new Lba(1), Content(2));
        await volume.FlushAsync();
        await pool.CreateVolumeAsync("old", 4096); // Its name is free.

        var restarted = await TestPool.OpenAsync(disk.LosePower(seed: 1), TestPool.DefaultOptions(2));
        Assert.Equal(["new", "old"], restarted.Pool.ListVolumes().Select(each => each.Name));
        var found = new byte[8192];
        await restarted.Pool.OpenVolume("new")!.ReadAsync(Lba.Zero, found);
        Assert.Equal([.. Content(1), .. Content(2)], found);
        Assert.Equal(before.Id, restarted.Pool.FindVolume("new")!.Id);
        await restarted.DisposeAsync();
    }

    [Theory]
    [InlineData("other", VolumeNameProblem.Taken)]
    [InlineData("New", VolumeNameProblem.Invalid)]
    [InlineData("", VolumeNameProblem.Invalid)]
    public async Task A_name_that_it_cannot_have_changes_nothing(string name, VolumeNameProblem problem)
    {
        await using var pool = await TestPool.CreateAsync(disk: disk);
        await pool.CreateVolumeAsync("old", 4096);
        await pool.CreateVolumeAsync("other", 4096);
        var error = await Assert.ThrowsAsync<VolumeNameException>(async () => await pool.Pool.RenameVolumeAsync("old", name));
        Assert.Equal(problem, error.Problem);
        Assert.Equal(["old", "other"], pool.Pool.ListVolumes().Select(each => each.Name));
        await Assert.ThrowsAsync<VolumeNameException>(async () => await pool.Pool.RenameVolumeAsync("missing", "new"));
        Assert.Equal("old", (await pool.Pool.RenameVolumeAsync("old", "old")).Name);
    }

    [Fact]
    public async Task It_can_be_changed_and_deleted_by_its_new_name()
    {
        await using var pool = await TestPool.CreateAsync(disk: disk);
        await pool.CreateVolumeAsync("old", 4096);
        await pool.Pool.RenameVolumeAsync("old", "new");
        Assert.Equal(8192, (await pool.Pool.ResizeVolumeAsync("new", 8192)).SizeBytes);
        await pool.ReopenAsync();
        Assert.Equal(8192, pool.Pool.FindVolume("new")!.SizeBytes);
        await pool.DeleteVolumeAsync("new");
        Assert.Empty(pool.Pool.ListVolumes());
    }

    static byte[] Content(int seed) => new SeededRandom((ulong)seed).Bytes(4096);
}
