using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Ashlar.CommandLine;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Snapshots;

/// <summary>Snapshots as people and programs use them, on a server of the test's own.</summary>
public sealed class SnapshotCommandTests : IAsyncLifetime
{
    RunningProgram server = null!;

    public async Task InitializeAsync()
    {
        server = await RunningProgram.StartAsync();
        foreach (var name in (string[])["vm1", "vm2"]) await server.CallAsync("volume", "create", name, "--size", "1MiB");
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task Snapshots_are_taken_listed_shown_renamed_and_deleted()
    {
        Assert.Equal(
            "vm1@one is taken\nvm2@one is taken\n", (await server.CallAsync("snapshot", "create", "vm1@one", "vm2@one")).Out);
        await WriteAsync("vm1", 0, Content(1));
        await server.CallAsync("snapshot", "create", "vm1@two");
        await WriteAsync("vm1", 0, Content(2));
        Assert.Equal("vm1@one\nvm1@two\nvm2@one\n", (await server.CallAsync("snapshot", "list", "-q")).Out);
        Assert.Equal("vm1@two\n", (await server.CallAsync("snap", "ls", "vm1", "--filter", "freed>0", "-o", "name")).Out);
        var dryRun = (await server.CallAsync("snapshot", "delete", "vm1@two", "--dry-run", "-o", "json")).OutJson;
        var freed = ByteSize.Format(dryRun.GetProperty("freedBytes").GetInt64());
        Assert.NotEqual("0 B", freed);
        Assert.Matches($"Freed +{freed} if it is deleted alone", (await server.CallAsync("snapshot", "show", "vm1@two")).Out);
        Assert.Equal(2, (await server.CallAsync("volume", "show", "vm1", "-o", "json")).OutJson.GetProperty("snapshotCount").GetInt32());
        Assert.Equal("vm1@two is vm1@second now\n", (await server.CallAsync("snapshot", "rename", "vm1@two", "second")).Out);
        Assert.Equal(
            $"vm1@second: {freed} would be given back\n", (await server.CallAsync("snapshot", "delete", "vm1@second", "--dry-run")).Out);
        var asked = await CalledProgram.RunAsync(
            new Surroundings { Typed = "n\n" }, "snapshot", "delete", "vm1@second", "vm1@one", "--data", server.Data);
        Assert.Contains(
            $"Delete 2 snapshots, which gives back {freed}: vm1@second, vm1@one? [y/N] ", asked.Error, StringComparison.Ordinal);
        Assert.Equal(
            $"vm1@one is deleted\nvm1@second is deleted\n{freed} are given back\n",
            (await server.CallAsync("snapshot", "delete", "vm1@one", "vm1@second", "--yes")).Out);
        Assert.Equal("vm2@one\n", (await server.CallAsync("snapshot", "list", "-q")).Out);
        await server.StopAsync();
        Assert.Contains("snapshot main/vm1@second: renamed from two, by 127.0.0.1:", server.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "is not the path of a snapshot", "snapshot", "show", "vm1")]
    [InlineData(2, "is not the path of a snapshot", "snapshot", "show", "a/b/vm1@x")]
    [InlineData(5, "there is no snapshot main/vm1@x", "snapshot", "show", "vm1@x")]
    [InlineData(5, "there is no volume main/gone", "snapshot", "create", "gone@x")]
    [InlineData(2, "a name is 1 to 128 of", "snapshot", "create", "vm1@X")]
    [InlineData(6, "the volume is named twice", "snapshot", "create", "vm1@a", "vm1@b")]
    [InlineData(6, "a thick volume has no snapshots", "snapshot", "create", "thick@a")]
    [InlineData(2, "several pools", "snapshot", "create", "vm1@a", "tank/vm1@a")]
    [InlineData(2, "are not of one volume", "snapshot", "diff", "vm1@a", "vm2@a")]
    [InlineData(2, "is not a schedule", "volume", "set", "vm1", "--snapshots", "yearly=1")]
    [InlineData(2, "a number from 0 to 1000", "volume", "set", "vm1", "--snapshots", "hourly=1001")]
    public async Task What_cannot_be_done_is_said(int exitCode, string message, params string[] words)
    {
        await server.CallAsync("volume", "create", "thick", "--size", "64KiB", "--thick");
        var outcome = await server.CallAsync(words);
        Assert.Equal(exitCode, outcome.ExitCode);
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_volume_goes_back_when_nobody_is_attached()
    {
        await WriteAsync("vm1", 4096, Content(1));
        await server.CallAsync("snapshot", "create", "vm1@one");
        using (var client = await NbdConnection.OpenAsync(server, "vm1"))
        {
            Assert.Equal(0u, await client.WriteAsync(4096, Content(2)));
            var refused = await server.CallAsync("snapshot", "restore", "vm1@one", "--yes");
            Assert.Equal((6, "error: volume vm1 is in use: 1 NBD\n"), (refused.ExitCode, refused.Error.Split("hint")[0]));
        }

        await LeftAsync("vm1");
        Assert.Equal("vm1 is as it was at vm1@one\n", (await server.CallAsync("snapshot", "restore", "vm1@one", "--yes")).Out);
        Assert.Equal(Content(1), await ReadAsync("vm1", 4096));
    }

    [Fact]
    public async Task A_clone_is_changed_without_its_parent_and_keeps_it_until_it_is_flat()
    {
        await WriteAsync("vm1", 0, Content(1));
        await server.CallAsync("snapshot", "create", "vm1@one");
        Assert.Equal("copy is created as a clone of vm1@one\n", (await server.CallAsync("snapshot", "clone", "vm1@one", "copy")).Out);
        await WriteAsync("copy", 0, Content(2));
        Assert.Equal(Content(1), await ReadAsync("vm1", 0));
        Assert.Equal(Content(2), await ReadAsync("copy", 0));
        Assert.Equal("vm1@one", (await server.CallAsync("volume", "show", "copy", "-o", "json")).OutJson.GetProperty("origin").GetString());
        Assert.Contains("has snapshots: 1", (await server.CallAsync("volume", "delete", "vm1", "--yes")).Error, StringComparison.Ordinal);
        var needed = await server.CallAsync("volume", "delete", "vm1", "--yes", "--snapshots");
        Assert.Contains("is needed by its clone main/copy", needed.Error, StringComparison.Ordinal);
        Assert.Contains(
            "vm1@one: 0 B would be given back, and more when copy is flat or gone\n",
            (await server.CallAsync("snapshot", "delete", "vm1@one", "--dry-run")).Out,
            StringComparison.Ordinal);
        await server.CallAsync("volume", "delete", "copy", "--yes");
        needed = await server.CallAsync("volume", "delete", "vm1", "--yes", "--snapshots");
        Assert.Contains("main/copy, which is in the trash\nhint: take", needed.Error, StringComparison.Ordinal);
        await server.CallAsync("volume", "undelete", "copy");
        Assert.Equal("copy shares nothing with a snapshot\n", (await server.CallAsync("snapshot", "flatten", "copy")).Out);
        Assert.Equal("vm1 is deleted for good\n", (await server.CallAsync("volume", "delete", "vm1", "--yes", "--snapshots", "--now")).Out);
        Assert.Equal(Content(2), await ReadAsync("copy", 0));
    }

    [Fact]
    public async Task A_snapshot_is_an_export_to_be_read_and_who_reads_it_keeps_it()
    {
        await WriteAsync("vm1", 0, Content(1));
        await server.CallAsync("snapshot", "create", "vm1@one");
        await WriteAsync("vm1", 0, Content(2));
        using (var reader = await NbdConnection.OpenAsync(server, "vm1@one"))
        {
            Assert.True(reader.IsReadOnly);
            Assert.Equal(Content(1), (await reader.ReadAsync(0, 4096)).Data);
            Assert.Equal(1u, await reader.WriteAsync(0, Content(3))); // EPERM.
            Assert.Equal("1 NBD", (await server.CallAsync("snapshot", "list", "vm1", "--columns", "readers", "--no-headings")).Out.Trim());
            var refused = await server.CallAsync("snapshot", "delete", "vm1@one", "--yes");
            Assert.Contains("snapshot main/vm1@one is in use: 1 NBD client", refused.Error, StringComparison.Ordinal);
            Assert.Contains(
                "is in use: 1 NBD client",
                (await server.CallAsync("volume", "delete", "vm1", "--snapshots", "--yes")).Error,
                StringComparison.Ordinal);
            Assert.Equal(0, (await server.CallAsync("snapshot", "delete", "vm1@one", "--yes", "--force")).ExitCode);
        }

        await Assert.ThrowsAnyAsync<IOException>(() => NbdConnection.OpenAsync(server, "vm1@one"));
        Assert.Equal(Content(2), await ReadAsync("vm1", 0));
    }

    [Fact]
    public async Task Differences_of_two_snapshots_are_ranges()
    {
        await WriteAsync("vm1", 0, Content(1));
        await server.CallAsync("snapshot", "create", "vm1@one");
        await WriteAsync("vm1", 8192, Content(2));
        await WriteAsync("vm1", 12288, Content(3));
        await server.CallAsync("snapshot", "create", "vm1@two");
        var diff = (await server.CallAsync("snapshot", "diff", "vm1@one", "vm1@two", "-o", "json")).OutJson;
        var range = Assert.Single(diff.GetProperty("items").EnumerateArray());
        Assert.Equal((8192, 8192), (range.GetProperty("offsetBytes").GetInt64(), range.GetProperty("lengthBytes").GetInt64()));
        var compared = await server.CallAsync("snapshot", "diff", "vm1@one", "vm1@two");
        Assert.Contains("1 range: 8.00 KiB of data", compared.Error, StringComparison.Ordinal);
        Assert.Equal(5, (await server.CallAsync("snapshot", "diff", "vm1@two", "vm1@one")).ExitCode);
    }

    [Fact]
    public async Task Streams_go_through_files_to_another_server_one_after_the_other()
    {
        using var directory = new TemporaryDirectory();
        await using var other = await RunningProgram.StartAsync();
        await WriteAsync("vm1", 0, Content(1));
        await server.CallAsync("snapshot", "create", "vm1@one");
        await WriteAsync("vm1", 65536, Content(2));
        await server.CallAsync("snapshot", "create", "vm1@two");
        var (whole, delta) = (directory["whole"], directory["delta"]);
        Assert.Equal(0, (await server.CallAsync("snapshot", "export", "vm1@one", "--file", whole)).ExitCode);
        Assert.Equal(0, (await server.CallAsync("snapshot", "export", "vm1@two", "--since", "one", "--file", delta)).ExitCode);

        var early = await other.CallAsync("snapshot", "import", "copy", "--file", delta);
        Assert.Contains("there is no volume 'copy'", early.Error, StringComparison.Ordinal);
        Assert.Equal("copy@one is imported\n", (await other.CallAsync("snapshot", "import", "copy", "--file", whole)).Out);
        Assert.Equal("copy@two is imported\n", (await other.CallAsync("snapshot", "import", "copy", "--file", delta)).Out);
        Assert.Equal(Content(1), await ReadAsync("copy", 0, other));
        Assert.Equal(Content(2), await ReadAsync("copy", 65536, other));

        // Cut: nothing stays, and it is said.
        await File.WriteAllBytesAsync(delta, (await File.ReadAllBytesAsync(whole))[..^7]);
        var cut = await other.CallAsync("snapshot", "import", "third", "--file", delta);
        Assert.Equal(2, cut.ExitCode);
        Assert.Contains("it was cut off", cut.Error, StringComparison.Ordinal);
        Assert.Equal("copy\n", (await other.CallAsync("volume", "list", "-q")).Out);
    }

    [Fact]
    public async Task An_export_that_nobody_takes_to_its_end_or_that_the_server_cannot_end_fails_and_leaves_no_file()
    {
        using var directory = new TemporaryDirectory();
        await server.CallAsync("volume", "create", "large", "--size", "32MiB");
        await WriteAsync("large", 0, Content(1));
        await WriteAsync("large", 24 << 20, Content(2));
        await server.CallAsync("snapshot", "create", "large@one");
        string[] export = ["snapshot", "export", "large@one", "--data", server.Data];
        var unread = await CalledProgram.RunAsync(new Surroundings { Output = new ClosedPipe() }, export);
        Assert.Equal((1, "error: whoever reads the stream ended before its end\n"), (unread.ExitCode, unread.Error));

        Damage(Content(2));
        var file = directory["vm1"];
        var failed = await CalledProgram.RunAsync([.. export, "--file", file]);
        Assert.NotEqual(0, failed.ExitCode);
        Assert.False(File.Exists(file));
        var again = await CalledProgram.RunAsync([.. export, "--file", directory["missing/vm1"]]);
        Assert.Equal(5, again.ExitCode);
    }

    [Fact]
    public async Task A_volume_that_is_being_imported_is_nobodys_until_it_is_whole()
    {
        await WriteAsync("vm1", 0, Content(1));
        await WriteAsync("vm1", 512 << 10, Content(2));
        await server.CallAsync("snapshot", "create", "vm1@one");
        using var http = new HttpClient { BaseAddress = new Uri(server.Status.Endpoints.Api) };
        var whole = await http.GetByteArrayAsync("/v1/pools/main/volumes/vm1/snapshots/one/stream");
        var before = await AllocatedBytesAsync();
        var pipe = new Pipe();
        using var body = new StreamContent(pipe.Reader.AsStream());
        body.Headers.ContentType = new MediaTypeHeaderValue("application/vnd.ashlar.snapshot");
        var importing = http.PostAsync("/v1/pools/main/volumes/copy/stream", body);
        await pipe.Writer.WriteAsync(whole.AsMemory(0, whole.Length - 100));
        while (await AllocatedBytesAsync() == before) await Task.Delay(1);
        Assert.Equal("vm1\nvm2\n", (await server.CallAsync("volume", "list", "-q")).Out);
        await pipe.Writer.WriteAsync(whole.AsMemory(whole.Length - 100));
        await pipe.Writer.CompleteAsync();
        using var imported = await importing;
        Assert.Equal(HttpStatusCode.Created, imported.StatusCode);
        Assert.Equal("copy\nvm1\nvm2\n", (await server.CallAsync("volume", "list", "-q")).Out);

        async Task<long> AllocatedBytesAsync() => (await server.CallAsync("pool", "list", "-o", "json")).OutJson
            .GetProperty("items").EnumerateArray().Single().GetProperty("allocatedBytes").GetInt64();
    }

    [Fact]
    public async Task A_stream_is_refused_while_clients_are_attached_or_when_the_volume_was_written_since()
    {
        await server.CallAsync("snapshot", "create", "vm1@one");
        await WriteAsync("vm1", 0, Content(1));
        await server.CallAsync("snapshot", "create", "vm1@two");
        using var http = new HttpClient { BaseAddress = new Uri(server.Status.Endpoints.Api) };
        var whole = await http.GetByteArrayAsync("/v1/pools/main/volumes/vm1/snapshots/one/stream");
        var delta = await http.GetByteArrayAsync("/v1/pools/main/volumes/vm1/snapshots/two/stream?since=one");
        await File.WriteAllBytesAsync(Path.Combine(server.Data, "delta"), delta);
        Assert.Equal((HttpStatusCode.Created, null), await ImportAsync(http, "copy", whole));
        Assert.Equal((HttpStatusCode.Conflict, "already-imported"), await ImportAsync(http, "copy", whole));
        using (await NbdConnection.OpenAsync(server, "copy"))
        {
            Assert.Equal((HttpStatusCode.Conflict, "in-use"), await ImportAsync(http, "copy", delta));
            // There is no --force here.
            var used = await server.CallAsync("snapshot", "import", "copy", "--file", Path.Combine(server.Data, "delta"));
            Assert.EndsWith("\nhint: disconnect the clients first\n", used.Error, StringComparison.Ordinal);
        }

        await LeftAsync("copy");
        await WriteAsync("copy", 4096, Content(7));
        await LeftAsync("copy");
        Assert.Equal((HttpStatusCode.Conflict, "diverged"), await ImportAsync(http, "copy", delta));
        Assert.Equal((HttpStatusCode.Created, null), await ImportAsync(http, "copy", delta, "?revert=true"));
        Assert.Equal(Content(1), await ReadAsync("copy", 0));
        Assert.Equal(new byte[4096], await ReadAsync("copy", 4096));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid-stream"), await ImportAsync(http, "new", new byte[1 << 20]));
        using var missing = await http.GetAsync("/v1/pools/main/volumes/vm1/snapshots/gone/stream");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task A_schedule_is_set_shown_and_lifted_and_its_first_snapshot_is_taken_at_once()
    {
        Assert.Equal(
            "vm1: no labels; snapshots hourly=24,weekly=4\n",
            (await server.CallAsync("volume", "set", "vm1", "--snapshots", "weekly=4,hourly=24")).Out);
        while (!await IsTakenAsync()) await Task.Delay(1);
        Assert.Contains("hourly=24,weekly=4", (await server.CallAsync("volume", "show", "vm1")).Out, StringComparison.Ordinal);
        Assert.Equal("vm1: no labels\n", (await server.CallAsync("volume", "set", "vm1", "--snapshots", "none")).Out);

        async Task<bool> IsTakenAsync()
        {
            var listed = await server.CallAsync("snapshot", "list", "vm1", "-q");
            return listed.Out.StartsWith("vm1@auto-", StringComparison.Ordinal);
        }
    }

    static async Task<(HttpStatusCode Status, string? Problem)> ImportAsync(
        HttpClient http, string volume, byte[] stream, string query = "")
    {
        using var body = new ByteArrayContent(stream);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/vnd.ashlar.snapshot");
        using var response = await http.PostAsync($"/v1/pools/main/volumes/{volume}/stream{query}", body);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        var type = json.RootElement.TryGetProperty("type", out var problem) ? problem.GetString() : null;
        return (response.StatusCode, type?["urn:ashlar:problem:".Length..]);
    }

    async Task WriteAsync(string volume, long offset, byte[] data)
    {
        using (var client = await NbdConnection.OpenAsync(server, volume)) Assert.Equal(0u, await client.WriteAsync(offset, data));
        await LeftAsync(volume);
    }

    async Task<byte[]> ReadAsync(string volume, long offset, RunningProgram? from = null)
    {
        byte[] data;
        using (var client = await NbdConnection.OpenAsync(from ?? server, volume)) data = (await client.ReadAsync(offset, 4096)).Data;
        await LeftAsync(volume, from);
        return data;
    }

    // The server hears of a client that has left when it reads of it.
    async Task LeftAsync(string volume, RunningProgram? from = null)
    {
        while (true)
        {
            var shown = (await (from ?? server).CallAsync("volume", "show", volume, "-o", "json")).OutJson.GetProperty("clients");
            if (shown.GetProperty("nbd").GetInt32() == 0) return;
            await Task.Delay(1);
        }
    }

    // Where the server keeps it, whatever file that is.
    void Damage(byte[] content)
    {
        foreach (var path in Directory.GetFiles(server.Data, "*", SearchOption.AllDirectories))
        {
            using var file = FileSystems.Real.Open(path, FileOpenMode.Existing);
            var block = new byte[content.Length];
            for (long at = 0; file.Read(block, at) == block.Length; at += block.Length)
            {
                if (!block.AsSpan().SequenceEqual(content)) continue;
                file.Write([(byte)~content[0]], at);
                return;
            }
        }

        Assert.Fail("no file has it");
    }

    static byte[] Content(int seed) => new SeededRandom((ulong)seed).Bytes(4096);

    sealed class ClosedPipe : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw OutputException.Closed();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw OutputException.Closed();
    }
}
