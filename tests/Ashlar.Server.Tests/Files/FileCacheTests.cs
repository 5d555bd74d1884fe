using System.Net;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Files;

/// <summary>A cache on a disk, as the server has it: it makes reads sooner, and never wrong or impossible.</summary>
public sealed class FileCacheTests : IAsyncLifetime
{
    readonly TemporaryDirectory directory = new();
    readonly byte[] content = new SeededRandom(7).Bytes(700_000);
    RunningProgram? server;

    string Cache => directory["cache"];

    public Task InitializeAsync()
    {
        Directory.CreateDirectory(Cache);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task It_is_there_again_after_a_restart_and_what_is_damaged_is_not_given()
    {
        await StartAsync();
        await File.WriteAllBytesAsync(directory["f"], content);
        Assert.Equal(0, (await server!.CallAsync("file", "put", directory["f"], "/f")).ExitCode);
        Assert.Equal(0, (await server.CallAsync("file", "prewarm", "/f")).ExitCode);
        await Waiting.UntilAsync(async () => (await StatusAsync()).Disk == 3 * 262_144, "the pieces are kept");
        Assert.Equal((3, 0), ((await StatusAsync()).Misses, (await StatusAsync()).Hits));

        await StartAsync();
        await Waiting.UntilAsync(async () => (await StatusAsync()).Disk == 3 * 262_144, "the pieces are found");
        await ReadAsync();
        Assert.Equal((0, 3), ((await StatusAsync()).Misses, (await StatusAsync()).Hits));
        Assert.Matches(@"768(\.0+)? KiB of 31\.50? MiB", (await server!.CallAsync("status")).Out);

        await server.StopAsync();
        await using (var file = new FileStream($"{Cache}/pieces", FileMode.Open))
        {
            file.Position = 4096 + 4096 + 1000;
            file.WriteByte(1);
            file.Position += 266_240;
            file.WriteByte(1);
        }

        await StartAsync();
        await ReadAsync();
        Assert.NotEqual(0, (await StatusAsync()).Misses);
    }

    [Fact]
    public async Task A_disk_that_is_not_there_or_goes_away_is_told_of_and_passed_by()
    {
        Directory.Delete(Cache);
        await StartAsync();
        await File.WriteAllBytesAsync(directory["f"], content);
        Assert.Equal(0, (await server!.CallAsync("file", "put", directory["f"], "/f")).ExitCode);
        await ReadAsync();
        Assert.False(Directory.Exists(Cache));
        Assert.Contains($"the cache of files, {Cache}, is passed by", (await server.CallAsync("status")).Out, StringComparison.Ordinal);

        Directory.CreateDirectory(Cache);
        await StartAsync();
        Assert.DoesNotContain("passed by", (await server.CallAsync("status")).Out, StringComparison.Ordinal);
        Directory.Delete(Cache, recursive: true);
        await ReadAsync();
        await Waiting.UntilAsync(
            async () => (await server.CallAsync("status")).Out.Contains("passed by", StringComparison.Ordinal), "it is told");
        await ReadAsync();
    }

    async Task StartAsync()
    {
        if (server is not null) await server.DisposeAsync();
        server = await RunningProgram.StartInAsync(directory["data"], "--file-cache", Cache, "--file-cache-size", "32MiB");
    }

    async Task<(long Hits, long Misses, long Disk)> StatusAsync()
    {
        var cache = (await server!.CallAsync("status", "-o", "json")).OutJson.GetProperty("files").GetProperty("cache");
        return (Number("diskHits"), Number("diskMisses"), Number("diskBytes"));

        long Number(string name) => cache.GetProperty(name).GetInt64();
    }

    async Task ReadAsync()
    {
        using var http = new HttpClient { BaseAddress = new Uri(server!.Status.Endpoints.Api) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", (await File.ReadAllTextAsync($"{server.Data}/files/key")).Trim());
        using var answer = await http.GetAsync("/v1/customers/main/files/f");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(content, await answer.Content.ReadAsByteArrayAsync());
    }
}
