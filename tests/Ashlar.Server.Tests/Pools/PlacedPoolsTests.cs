using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Server.Tests.Pools;

/// <summary>Portable pools have all of themselves on their devices.</summary>
public sealed class PlacedPoolsTests
{
    const long Mebibyte = PoolsUnderTest.Mebibyte;

    static readonly byte[] Content = new SeededRandom(5).Bytes(8192);

    readonly SimulatedFileSystem disk = new(isRecording: false);

    [Fact]
    public async Task Nothing_of_a_pool_is_in_the_data_directory_but_its_record()
    {
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            await server.Pools.CreateAsync(Portable("/a", "/b"), "me");
            Assert.Equal(16 * Mebibyte, server.Show("fast").CapacityBytes);
            await server.WriteAsync("fast", "vm1", Content);
            await server.Pools.AddDeviceAsync("fast", new() { Path = "/c", SizeBytes = 8 * Mebibyte }, "me");
            Assert.Equal(24 * Mebibyte, server.Show("fast").CapacityBytes);
            Assert.Equal(["main"], disk.List("/data/pools"));
        }
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            Assert.Equal(24 * Mebibyte, server.Show("fast").CapacityBytes);
            Assert.Equal(Content, await server.ReadAsync("fast", "vm1", Content.Length));
            await server.Pools.DeleteAsync("fast", force: true, "me");
        }
        Assert.Equal(["data"], disk.List("/"));
    }

    [Fact]
    public async Task A_pool_is_taken_by_a_server_that_has_never_seen_it()
    {
        await using (var here = await PoolsUnderTest.OpenAsync(disk))
        {
            await here.Pools.CreateAsync(Portable("/a", "/b"), "me");
            await here.WriteAsync("fast", "vm1", Content);
            await here.Pools.ChangeAsync("fast", new() { Name = "slow" }, "me");
            await here.Pools.ExportAsync("slow", force: false, "me");
            Assert.Equal("exported", here.Show("slow").State);
        }
        await using (var there = await PoolsUnderTest.OpenAsync(disk, "/other", host: 2, seed: 2))
        {
            var imported = await there.Pools.ImportAsync(new() { Devices = ["/b", "/a"] }, "me");
            Assert.Equal("slow", imported.Name);
            Assert.Equal(Content, await there.ReadAsync("slow", "vm1", Content.Length));
            await there.Pools.AddDeviceAsync("slow", new() { Path = "/c", SizeBytes = 8 * Mebibyte }, "me");
        }
        await using (var there = await PoolsUnderTest.OpenAsync(disk, "/other", host: 2, seed: 3))
        {
            Assert.Equal(24 * Mebibyte, there.Show("slow").CapacityBytes);
            await there.Pools.ExportAsync("slow", force: false, "me");
        }
        await using (var here = await PoolsUnderTest.OpenAsync(disk))
        {
            var back = await here.Pools.ImportAsync(new() { Devices = ["/a", "/b", "/c"], Name = "again" }, "me");
            Assert.Equal("again", back.Name);
            Assert.Equal(Content, await here.ReadAsync("again", "vm1", Content.Length));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    public async Task A_pool_that_another_machine_has_is_refused_as_it_is_and_taken_by_force(int? raid)
    {
        var request = new Ashlar.Api.CreatePool
        {
            Name = "fast",
            Devices = ["/a", "/b"],
            SizeBytes = 8 * Mebibyte,
            IsPortable = true,
            Raid = raid is { } level ? new() { Level = level } : null,
        };
        var first = new SimulatedFileSystem();
        var dead = await PoolsUnderTest.OpenAsync(first);
        await dead.Pools.CreateAsync(request, "me");
        await dead.WriteAsync("fast", "vm1", Content);
        var image = first.LosePower(7);
        await dead.DisposeAsync();

        await using var there = await PoolsUnderTest.OpenAsync(image, "/other", host: 2, seed: 2);
        var refused = await Assert.ThrowsAsync<ApiException>(() => there.Pools.ImportAsync(new() { Devices = ["/a", "/b"] }, "me"));
        Assert.Equal(ProblemKind.InUse, refused.Kind);
        Assert.Contains("in use by host1", refused.Message, StringComparison.Ordinal);
        Assert.Null(there.Pools.FindEntry("fast"));
        await there.Pools.ImportAsync(new() { Devices = ["/a", "/b"], Force = true }, "me");
        Assert.Equal(Content, await there.ReadAsync("fast", "vm1", Content.Length));

        // The first one does not get it back by being started.
        await using var again = await PoolsUnderTest.OpenAsync(image.LosePower(8), host: 1, seed: 4);
        Assert.Equal("unavailable", again.Show("fast").State);
        Assert.Contains("in use by host2", again.Show("fast").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_is_taken_and_a_pool_that_is_there_are_refused()
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await server.Pools.CreateAsync(new() { Name = "fast", Devices = ["/a"], SizeBytes = 8 * Mebibyte, IsPortable = true }, "me");
        await server.Pools.ExportAsync("fast", force: false, "me");
        Assert.Equal(
            ProblemKind.Exists,
            (await Assert.ThrowsAsync<ApiException>(() => server.Pools.ImportAsync(new() { Devices = ["/a"], Name = "main" }, "me"))).Kind);
        await server.Pools.ImportAsync(new() { Devices = ["/a"] }, "me");
        Assert.Equal(
            ProblemKind.Exists,
            (await Assert.ThrowsAsync<ApiException>(() => server.Pools.ImportAsync(new() { Devices = ["/a"] }, "me"))).Kind);
    }

    [Fact]
    public async Task What_is_known_of_a_pool_that_is_elsewhere_is_forgotten_and_the_pool_left_alone()
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await server.Pools.CreateAsync(new() { Name = "fast", Devices = ["/a"], SizeBytes = 8 * Mebibyte, IsPortable = true }, "me");
        await server.WriteAsync("fast", "vm1", Content);
        await server.Pools.ExportAsync("fast", force: false, "me");
        await server.Pools.DeleteAsync("fast", force: true, "me");
        Assert.Null(server.Pools.FindEntry("fast"));
        await server.Pools.ImportAsync(new() { Devices = ["/a"] }, "me");
        Assert.Equal(Content, await server.ReadAsync("fast", "vm1", Content.Length));
    }

    [Fact]
    public async Task A_pool_whose_map_was_made_in_the_data_directory_goes_on_being_opened()
    {
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            await server.Pools.CreateAsync(new() { Name = "scratch", SizeBytes = 8 * Mebibyte }, "me");
            await server.WriteAsync("scratch", "vm1", Content);
            await server.Pools.AddDeviceAsync("scratch", new() { Path = "/b", SizeBytes = 8 * Mebibyte }, "me");
        }
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            Assert.Equal(16 * Mebibyte, server.Show("scratch").CapacityBytes);
            Assert.Equal(Content, await server.ReadAsync("scratch", "vm1", Content.Length));
            Assert.Equal(["main", "scratch"], disk.List("/data/pools"));
        }
    }

    [Fact]
    public async Task A_device_that_is_too_small_is_refused_and_left_as_it_is()
    {
        using (var file = disk.Open("/small", FileOpenMode.CreateNew)) file.SetLength(4 * Mebibyte);
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        var refused = await Assert.ThrowsAsync<ApiException>(
            () => server.Pools.CreateAsync(new() { Name = "fast", Devices = ["/small"], IsPortable = true }, "me"));
        Assert.Equal(ProblemKind.UnusableDevice, refused.Kind);
        Assert.Contains("too few for a pool", refused.Message, StringComparison.Ordinal);
        Assert.Null(server.Pools.FindEntry("fast"));
    }

    [Fact]
    public async Task A_device_that_vanishes_under_a_pool_without_redundancy_is_told()
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await server.Pools.CreateAsync(new() { Name = "fast", Devices = ["/a"], SizeBytes = 8 * Mebibyte, IsPortable = true }, "me");
        disk.Delete("/a");
        await server.UntilAsync(() => server.Show("fast").Warnings.Count > 0, "a warning");
        Assert.Contains("/a is gone", server.Show("fast").Warnings[0], StringComparison.Ordinal);
        Assert.Contains(server.Log, line => line.StartsWith("pool fast: /a is gone", StringComparison.Ordinal));
        await server.WriteAsync("fast", "vm1", Content);
    }

    static Ashlar.Api.CreatePool Portable(params string[] devices) =>
        new() { Name = "fast", Devices = devices, SizeBytes = 8 * Mebibyte, IsPortable = true };
}
