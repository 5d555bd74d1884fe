using System.Net;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Server.Tests.Program;

/// <summary>The server on a disk that runs full, or loses power.</summary>
public sealed class SimulatedDiskTests : IAsyncLifetime
{
    const string RunFile = "/data/run/server.json";

    static readonly TimeSpan RunFileInterval = TimeSpan.FromSeconds(5);

    static readonly FaultRule NoRoomForRunFile =
        new(FaultOperations.Write, FaultKind.NoSpace) { PathPattern = "*/run/*", IsSticky = true };

    readonly StringWriter lines = new();
    readonly ServerLog log;
    readonly List<AshlarServer> servers = [];

    public SimulatedDiskTests() => log = new ServerLog(lines, TimeProvider.System);

    [Fact]
    public async Task A_stopped_server_starts_on_a_full_disk_and_tells_of_it()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        await (await StartAsync(disk)).DisposeAsync();
        disk.CapacityBytes -= disk.GetFreeSpaceBytes("/");

        await using (var server = await StartAsync(disk))
        {
            var status = server.GetStatus();
            Assert.Equal("degraded", status.Health);
            Assert.Equal(disk.GetFreeSpaceBytes("/"), status.Pools[0].FreeBytes);
            using var http = new HttpClient { BaseAddress = new Uri(server.Endpoints.Api) };
            Assert.Equal("ok\n", await http.GetStringAsync("/readyz"));
        }

        disk.CapacityBytes += 1L << 30;
        await using var again = await StartAsync(disk);
        Assert.True(disk.FileExists(RunFile));
        Assert.Equal("ok", again.GetStatus().Health);
    }

    [Theory]
    [InlineData(FaultOperations.CreateDirectory)]
    [InlineData(FaultOperations.Open)]
    [InlineData(FaultOperations.Write)]
    [InlineData(FaultOperations.Rename)]
    public async Task A_disk_without_room_for_where_the_server_is_does_not_keep_it_from_serving(FaultOperations refused)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var rule = new FaultRule(refused, FaultKind.NoSpace) { PathPattern = "*/run*", IsSticky = true };
        await using var server = await StartAsync(new FaultyFileSystem(disk, rule));
        Assert.Contains(
            $"server: serving without run/server.json, so commands need --server {server.Endpoints.Api} until it can be written: ",
            lines.ToString(),
            StringComparison.Ordinal);
        using var http = new HttpClient { BaseAddress = new Uri(server.Endpoints.Api) };
        Assert.Equal("ok\n", await http.GetStringAsync("/readyz"));
    }

    [Fact]
    public async Task Where_the_server_is_is_said_as_soon_as_the_disk_has_room_and_no_longer_than_it_serves()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var full = new FaultyFileSystem(disk, NoRoomForRunFile);
        var clock = new SimulatedClock();
        var server = await StartAsync(full, clock);
        clock.Advance(4 * RunFileInterval);
        Assert.Empty(disk.List("/data/run"));

        full.Heal();
        clock.Advance(RunFileInterval);
        Assert.Equal(["server.json"], disk.List("/data/run"));
        log.Flush();
        Assert.Single(lines.ToString().Split('\n'), line => line.Contains("run/server.json is written", StringComparison.Ordinal));
        disk.Delete(RunFile); // As a user may; a second time it is not said.
        clock.Advance(4 * RunFileInterval);
        Assert.Empty(disk.List("/data/run"));
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_server_that_has_ended_says_nothing_of_itself_any_more()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var full = new FaultyFileSystem(disk, NoRoomForRunFile);
        var clock = new SimulatedClock();
        await (await StartAsync(full, clock)).DisposeAsync();
        full.Heal();
        clock.Advance(4 * RunFileInterval);
        Assert.Empty(disk.List("/data/run"));
    }

    [Fact]
    public async Task A_server_that_cannot_say_where_it_is_leaves_nothing_that_leads_elsewhere()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        await (await StartAsync(disk)).DisposeAsync();
        using (var left = disk.Open(RunFile, FileOpenMode.CreateNew)) left.Write("{}"u8, 0); // As a killed server leaves it.
        await using var server = await StartAsync(new FaultyFileSystem(disk, NoRoomForRunFile));
        Assert.Empty(disk.List("/data/run"));
    }

    [Fact]
    public async Task It_leaves_what_leads_to_a_server_that_came_later()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var clock = new SimulatedClock();
        await using var server = await StartAsync(new FaultyFileSystem(disk, NoRoomForRunFile), clock);
        using (var other = disk.Open(RunFile, FileOpenMode.CreateNew)) other.Write("{}"u8, 0); // After somebody removed the lock file.
        clock.Advance(4 * RunFileInterval);
        Assert.Equal(["server.json"], disk.List("/data/run"));
    }

    [Fact]
    public async Task A_start_that_is_refused_leaves_what_leads_to_the_server_that_runs()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        await using var server = await StartAsync(disk);
        disk.Delete("/data/lock"); // As somebody does who takes it for stale.
        await Assert.ThrowsAnyAsync<AshlarException>(() => StartAsync(disk));
        Assert.True(disk.FileExists(RunFile));
    }

    [Fact]
    public async Task A_start_after_a_loss_of_power_is_told_with_its_facts()
    {
        var disk = new SimulatedFileSystem();
        var before = await StartAsync(disk);
        using (var http = new HttpClient { BaseAddress = new Uri(before.Endpoints.Api) })
        using (var body = new StringContent("""{"name":"vm1","sizeBytes":1048576}""", null, "application/json"))
            Assert.Equal(HttpStatusCode.Created, (await http.PostAsync("/v1/pools/main/volumes", body)).StatusCode);
        var after = disk.LosePower(seed: 1);

        await using var server = await StartAsync(after);
        Assert.Matches(
            @"pool main: its map was not closed in order: read \d+ groups, \d+ bytes, of \d+ log segments; "
            + @"the log ends at byte \d+ of /data/pools/main/meta/log-\d+; \d+ torn bytes dropped\n",
            lines.ToString());
        Assert.Contains("pool main: was not closed; nothing was being overwritten\n", lines.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, server.GetStatus().Pools[0].VolumeCount);
    }

    [Fact]
    public async Task A_start_with_another_size_is_refused_before_the_pool_is_recovered()
    {
        var disk = new SimulatedFileSystem();
        await StartAsync(disk);
        var after = disk.LosePower(seed: 1);
        var refusal = await Assert.ThrowsAsync<ServerStartException>(() => StartAsync(after, poolSizeBytes: 128 << 20));
        Assert.Equal("pool main holds 64 MiB, and is to be started with 128 MiB", refusal.Message);
        Assert.DoesNotContain("pool main: was not closed", lines.ToString(), StringComparison.Ordinal);
        await using var server = await StartAsync(after);
        Assert.Contains("pool main: was not closed", lines.ToString(), StringComparison.Ordinal);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var server in servers) await server.DisposeAsync();
        log.Dispose();
    }

    async Task<AshlarServer> StartAsync(IFileSystem disk, TimeProvider? clock = null, long poolSizeBytes = 64 << 20)
    {
        var server = await AshlarServer.StartAsync(
            new()
            {
                DataDirectory = "/data",
                ApiPort = 0,
                NbdPort = 0,
                IscsiPort = 0,
                PoolSizeBytes = poolSizeBytes,
                FileSystem = disk,
                Entropy = new SeededEntropy(1),
                TimeProvider = clock ?? TimeProvider.System,
            },
            log);
        servers.Add(server);
        return server;
    }
}
