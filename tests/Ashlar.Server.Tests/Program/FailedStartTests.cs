using System.Net;
using System.Net.Sockets;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Server.Tests.Program;

/// <summary>A start that fails leaves everything as it was.</summary>
public sealed class FailedStartTests : IDisposable
{
    const string Data = "/srv/disks/data";

    readonly SimulatedFileSystem disk = new(isRecording: false);
    readonly TcpListener taker = new(IPAddress.Loopback, 0);

    public FailedStartTests()
    {
        taker.Start();
        disk.CreateDirectory("/srv");
    }

    static FaultRule TooLarge => new(FaultOperations.SetLength, FaultKind.TooLarge) { PathPattern = "*/main/data" };

    int TakenPort => ((IPEndPoint)taker.LocalEndpoint).Port;

    ServerOptions Options => new()
    {
        DataDirectory = Data,
        ApiPort = 0,
        NbdPort = 0,
        IscsiPort = 0,
        PoolSizeBytes = 64 << 20,
        FileSystem = disk,
        Entropy = new SeededEntropy(1),
    };

    [Theory]
    [InlineData("nbd", StartProblem.NbdPort)]
    [InlineData("iscsi", StartProblem.IscsiPort)]
    [InlineData("api", StartProblem.ApiPort)]
    [InlineData("address", StartProblem.ListenAddress)]
    [InlineData("size", StartProblem.PoolTooLarge)]
    [InlineData("file", StartProblem.PoolTooLarge)]
    public async Task What_a_first_start_has_created_is_gone_when_it_fails(string what, StartProblem problem)
    {
        var error = await Assert.ThrowsAsync<ServerStartException>(() => StartAsync(what));
        Assert.Equal(problem, error.Problem);
        Assert.Equal(["srv"], disk.List("/"));
        Assert.Empty(disk.List("/srv"));
        await (await StartAsync("")).DisposeAsync();
    }

    [Theory]
    [InlineData("/srv/disks/data/pools/main/data")]
    [InlineData("/srv/disks/data/pools/main/meta/*")]
    [InlineData("/srv/disks/data/FORMAT*")]
    public async Task A_disk_without_room_for_a_first_start_has_nothing_of_it(string path)
    {
        const FaultOperations Takes = FaultOperations.Write | FaultOperations.Allocate;
        var full = new FaultRule(Takes, FaultKind.NoSpace) { PathPattern = path, IsSticky = true };
        var error = await Assert.ThrowsAnyAsync<AshlarException>(
            () => AshlarServer.StartAsync(Options with { FileSystem = new FaultyFileSystem(disk, full) }, Log()));
        Assert.Contains("no", error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(disk.List("/srv"));
    }

    [Fact]
    public async Task A_directory_that_was_there_stays_as_it_was()
    {
        disk.CreateDirectories($"{Data}/lost+found");
        await Assert.ThrowsAsync<ServerStartException>(() => StartAsync("nbd"));
        Assert.Equal(["lost+found"], disk.List(Data));
    }

    [Theory]
    [InlineData("nbd")]
    [InlineData("api")]
    [InlineData("another size")]
    public async Task A_later_start_that_fails_leaves_the_data(string what)
    {
        await using (var server = await StartAsync(""))
        {
            using var http = new HttpClient { BaseAddress = new Uri(server.Endpoints.Api) };
            using var body = new StringContent("""{"name":"vm1","sizeBytes":1048576}""", null, "application/json");
            Assert.Equal(HttpStatusCode.Created, (await http.PostAsync("/v1/pools/main/volumes", body)).StatusCode);
        }

        await Assert.ThrowsAsync<ServerStartException>(() => StartAsync(what));
        await using var again = await StartAsync("");
        Assert.Equal(1, again.GetStatus().Pools[0].VolumeCount);
        Assert.Equal(64 << 20, again.GetStatus().Pools[0].CapacityBytes);
    }

    [Fact]
    public async Task A_pool_that_has_grown_is_started_with_its_new_size_or_none()
    {
        await using (var server = await StartAsync(""))
        {
            using var http = new HttpClient { BaseAddress = new Uri(server.Endpoints.Api) };
            using var body = new StringContent("""{"capacityBytes":134217728}""", null, "application/json");
            Assert.Equal(HttpStatusCode.OK, (await http.PatchAsync("/v1/pools/main", body)).StatusCode);
        }

        var error = await Assert.ThrowsAsync<ServerStartException>(() => StartAsync(""));
        Assert.Equal("pool main holds 128 MiB, and is to be started with 64 MiB", error.Message);
        foreach (long? size in new long?[] { 128 << 20, null })
        {
            await using var again = await AshlarServer.StartAsync(Options with { PoolSizeBytes = size }, Log());
            Assert.Equal(128 << 20, again.GetStatus().Pools[0].CapacityBytes);
        }
    }

    public void Dispose() => taker.Dispose();

    Task<AshlarServer> StartAsync(string what)
    {
        var options = what switch
        {
            "nbd" => Options with { NbdPort = TakenPort },
            "iscsi" => Options with { IscsiPort = TakenPort },
            "api" => Options with { ApiPort = TakenPort },
            "address" => Options with { Listen = [IPAddress.Parse("192.0.2.1")], AllowUnauthenticated = true },
            "size" => Options with { PoolSizeBytes = 2L << 50 },
            "another size" => Options with { PoolSizeBytes = 1L << 30 },
            "file" => Options with { FileSystem = new FaultyFileSystem(disk, TooLarge) },
            _ => Options,
        };
        return AshlarServer.StartAsync(options, Log());
    }

    static ServerLog Log() => new(new StringWriter(), TimeProvider.System);
}
