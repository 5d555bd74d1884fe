using System.Net;
using System.Net.Sockets;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

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
    [InlineData("nvme", StartProblem.NvmePort)]
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
    [InlineData("announce")]
    public async Task What_was_in_the_directory_of_the_run_file_stays(string what)
    {
        disk.CreateDirectories($"{Data}/run");
        using (var notes = disk.Open($"{Data}/run/notes", FileOpenMode.CreateNew)) notes.Write("mine"u8, 0);
        await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(what));
        Assert.Equal(["run"], disk.List(Data));
        Assert.Contains("notes", disk.List($"{Data}/run"));
    }

    [Fact]
    public async Task Nothing_is_removed_where_a_link_leads()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["data"]);
        Directory.CreateDirectory(directory["elsewhere/inner"]);
        await File.WriteAllTextAsync(directory["elsewhere/inner/notes"], "mine");
        File.CreateSymbolicLink(directory["data/run"], directory["elsewhere"]);
        var options = Options with { DataDirectory = directory["data"], FileSystem = FileSystems.Real, NbdPort = TakenPort };
        await Assert.ThrowsAsync<ServerStartException>(() => AshlarServer.StartAsync(options, Log()));
        Assert.Equal("mine", await File.ReadAllTextAsync(directory["elsewhere/inner/notes"]));
        Assert.Equal([directory["data/run"]], Directory.GetFileSystemEntries(directory["data"]));
    }

    [Fact]
    public async Task A_start_that_fails_when_all_listens_takes_back_what_it_created_also_where_closing_fails()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync("announce on an ill disk"));
        Assert.Equal("not now", failure.Message);
        Assert.Empty(disk.List("/srv"));
    }

    [Fact]
    public async Task A_later_start_does_not_speak_of_what_it_has_created()
    {
        await (await StartAsync("")).DisposeAsync();
        using var lines = new StringWriter();
        using (var log = new ServerLog(lines, TimeProvider.System))
        {
            var options = Options with { FileSystem = RefuseToAnnounce(isIll: true) };
            await Assert.ThrowsAsync<InvalidOperationException>(() => AshlarServer.StartAsync(options, log));
        }
        Assert.Contains("closing failed", lines.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("has created", lines.ToString(), StringComparison.Ordinal);
        await (await StartAsync("")).DisposeAsync();
    }

    [Theory]
    [InlineData("nbd")]
    [InlineData("api")]
    [InlineData("announce")]
    [InlineData("another size")]
    public async Task A_later_start_that_fails_leaves_the_data(string what)
    {
        await using (var server = await StartAsync(""))
        {
            using var http = new HttpClient { BaseAddress = new Uri(server.Endpoints.Api) };
            using var body = new StringContent("""{"name":"vm1","sizeBytes":1048576}""", null, "application/json");
            Assert.Equal(HttpStatusCode.Created, (await http.PostAsync("/v1/pools/main/volumes", body)).StatusCode);
        }

        await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(what));
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
            "nvme" => Options with { NvmePort = TakenPort },
            "api" => Options with { ApiPort = TakenPort },
            "address" => Options with { Listen = [IPAddress.Parse("192.0.2.1")], AllowUnauthenticated = true },
            "size" => Options with { PoolSizeBytes = 2L << 50 },
            "another size" => Options with { PoolSizeBytes = 1L << 30 },
            "announce" => Options with { FileSystem = RefuseToAnnounce(isIll: false) },
            "announce on an ill disk" => Options with { FileSystem = RefuseToAnnounce(isIll: true) },
            "file" => Options with { FileSystem = new FaultyFileSystem(disk, TooLarge) },
            _ => Options,
        };
        return AshlarServer.StartAsync(options, Log());
    }

    /// <summary>A disk on which the last step of a start fails; a disk that is ill does not let the pool be closed either.</summary>
    FaultyFileSystem RefuseToAnnounce(bool isIll)
    {
        FaultyFileSystem? faulty = null;
        return faulty = new(disk)
        {
            BeforeOperation = (operation, path) =>
            {
                if (operation != FaultOperations.Write || !path.EndsWith("/run/server.json.new", StringComparison.Ordinal)) return;
                if (isIll)
                {
                    const FaultOperations Changes = FaultOperations.Write | FaultOperations.Sync;
                    faulty!.Add(new(Changes, FaultKind.InputOutputError) { PathPattern = "*/meta/*", IsSticky = true });
                }
                throw new InvalidOperationException("not now");
            },
        };
    }

    static ServerLog Log() => new(new StringWriter(), TimeProvider.System);
}
