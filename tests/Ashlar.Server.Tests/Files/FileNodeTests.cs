using System.Net;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Files;

/// <summary>Storage nodes of a server that runs: added, emptied, removed, given up, missing.</summary>
public sealed class FileNodeTests : IAsyncLifetime
{
    readonly TemporaryDirectory directory = new();
    RunningProgram server = null!;

    public async Task InitializeAsync() => server = await RunningProgram.StartInAsync(directory["data"]);

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task A_node_is_added_emptied_and_removed_and_files_stay()
    {
        await PutAsync("/a", 100_000);
        Assert.Equal(1, server.Status.Files!.NodeCount);
        Assert.Contains("files are stored once", server.Status.Files.Risk, StringComparison.Ordinal);
        await CallAsync("node", "add", "two", directory["two"]);
        await PutAsync("/b", 200_000);
        await CallAsync("node", "add", "three", directory["three"]);
        await CallAsync("node", "drain", "main");
        await CallAsync("node", "remove", "main");
        Assert.Equal("three\ntwo\n", await CallAsync("node", "list", "-o", "name"));
        Assert.Contains("copies read and verified", await CallAsync("file", "verify"), StringComparison.Ordinal);
        Assert.True(Directory.Exists($"{server.Data}/files/nodes/main"));
        await RestartAsync();
        Assert.Contains("copies read and verified", await CallAsync("file", "verify"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_nodes_are_never_in_one_directory()
    {
        await CallAsync("node", "add", "two", directory["two"]);
        Directory.CreateSymbolicLink(directory["link"], directory["two"]);
        Directory.CreateDirectory(directory["full"]);
        await File.WriteAllTextAsync(directory["full/notes"], "mine");
        string[] taken = [directory["two"], directory["link"], $"{server.Data}/files/nodes/main", directory["full"], directory["no/where"]];
        foreach (var path in taken)
        {
            var outcome = await server.CallAsync("node", "add", "three", path);
            Assert.True(outcome.ExitCode == 6, $"{path}: {outcome.Error}");
        }

        Assert.Equal(6, (await server.CallAsync("node", "add", "two", directory["other"])).ExitCode);
        Assert.Equal(["notes"], Directory.GetFileSystemEntries(directory["full"]).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_node_whose_disk_is_gone_is_unavailable_and_never_an_empty_one()
    {
        await CallAsync("node", "add", "two", directory["two"]);
        await PutAsync("/a", 100_000);
        await server.StopAsync();
        Directory.Move(directory["two"], directory["away"]);
        Directory.CreateDirectory(directory["two"]);
        server = await RunningProgram.StartInAsync(directory["data"]);
        Assert.Contains("unavailable", await CallAsync("node", "show", "two"), StringComparison.Ordinal);
        Assert.Contains("storage node two is not available", (await server.CallAsync("status")).Out, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(directory["two"]));
        Assert.Equal(2, server.Status.Files!.NodeCount);
        Assert.Equal(7, (await PutOutcomeAsync("/b", 100_000)).ExitCode); // One copy is not enough, whatever is there.
        Assert.Equal(0, (await server.CallAsync("file", "get", "/a", directory["got"])).ExitCode);

        Directory.Delete(directory["two"]);
        Directory.Move(directory["away"], directory["two"]);
        await RestartAsync();
        Assert.Contains("up", await CallAsync("node", "show", "two"), StringComparison.Ordinal);
        await PutAsync("/b", 100_000);
    }

    [Fact]
    public async Task A_node_that_is_given_up_is_made_up_for_and_never_taken_back()
    {
        await CallAsync("node", "add", "two", directory["two"]);
        await PutAsync("/a", 100_000);
        await CallAsync("node", "add", "three", directory["three"]);
        await CallAsync("node", "lost", "two", "--yes");
        await CallAsync("node", "remove", "two");
        Assert.DoesNotContain("not answer", await CallAsync("file", "verify"), StringComparison.Ordinal);
        Assert.Equal(6, (await server.CallAsync("node", "add", "two", directory["two"])).ExitCode); // It has blocks of before.
    }

    [Fact]
    public async Task A_copy_that_rots_is_found_by_verification()
    {
        await PutAsync("/a", 100_000);
        var block = Directory.EnumerateFiles($"{server.Data}/files/nodes/main/blocks", "*", SearchOption.AllDirectories)
            .Single(path => new FileInfo(path).Length > 100_000);
        await using (var file = File.Open(block, FileMode.Open))
        {
            file.Position = 5000;
            var flipped = (byte)(file.ReadByte() ^ 1);
            file.Position = 5000;
            file.WriteByte(flipped);
        }

        var found = await server.CallAsync("file", "verify");
        Assert.Equal(8, found.ExitCode);
        Assert.Contains("/a: the copy is damaged on storage node main", found.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_directory_without_a_file_store_gets_one()
    {
        await server.StopAsync();
        Directory.Delete($"{server.Data}/files", recursive: true);
        server = await RunningProgram.StartInAsync(directory["data"]);
        await PutAsync("/a", 10_000);
    }

    [Fact]
    public async Task A_file_store_that_is_damaged_does_not_keep_volumes_from_being_served()
    {
        await server.StopAsync();
        var record = $"{server.Data}/files/registry/node-000001";
        await File.WriteAllTextAsync(record, (await File.ReadAllTextAsync(record)).Replace("main", "niam"));
        server = await RunningProgram.StartInAsync(directory["data"]);
        Assert.Equal("unavailable", server.Status.Files!.State);
        Assert.Contains(server.Status.Warnings, warning => warning.Contains("node-000001", StringComparison.Ordinal));
        Assert.Equal(0, (await server.CallAsync("volume", "create", "vm1", "--size", "1MiB")).ExitCode);
        Assert.Equal(7, (await server.CallAsync("file", "ls")).ExitCode);
        using var http = new HttpClient();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync($"{server.Status.Endpoints.Api}/v1/customers")).StatusCode);
    }

    Task RestartAsync() => RestartAsync(directory["data"]);

    async Task RestartAsync(string data)
    {
        await server.StopAsync();
        server = await RunningProgram.StartInAsync(data);
    }

    async Task PutAsync(string path, int length)
    {
        var outcome = await PutOutcomeAsync(path, length);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
    }

    async Task<Outcome> PutOutcomeAsync(string path, int length)
    {
        await File.WriteAllBytesAsync(directory["content"], new SeededRandom((ulong)length).Bytes(length));
        return await server.CallAsync("file", "put", directory["content"], path);
    }

    async Task<string> CallAsync(params string[] words)
    {
        var outcome = await server.CallAsync(words);
        Assert.True(outcome.ExitCode == 0, $"{string.Join(' ', words)}: {outcome.ExitCode}: {outcome.Out}{outcome.Error}");
        return outcome.Out;
    }
}
