using System.Globalization;
using System.Net;
using Ashlar.Server.Tests.CommandLine;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Files;

/// <summary><c>ashlar file export</c>, read by the databases themselves.</summary>
public sealed class FileExportTests : ServedFiles, IDisposable
{
    const string Counts =
        "SELECT (SELECT count(*) FROM namespace_entries WHERE type = 'file'), "
        + "(SELECT count(*) FROM namespace_entries WHERE type = 'directory'), (SELECT count(*) FROM file_metadata), "
        + "(SELECT sum(size_bytes) FROM file_metadata), (SELECT count(*) FROM block_locations)";

    // Each name with its file, and what of its blocks is referred to.
    const string Joined =
        "SELECT e.path, f.size_bytes, count(b.block_hash), max(b.ref_count) FROM namespace_entries e "
        + "JOIN file_metadata f ON f.customer = e.customer AND f.path = e.path "
        + "LEFT JOIN block_locations b ON b.customer = f.customer AND f.block_hashes LIKE '%' || b.block_hash || '%' "
        + "GROUP BY e.path, f.size_bytes ORDER BY e.path";

    readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [FactIfTool("sqlite3")]
    public async Task A_database_of_SQLite_has_what_the_API_tells()
    {
        await FillAsync();
        var file = directory["files.sql"];
        var exported = await Server.CallAsync("file", "export", "--out", file);
        Assert.Equal((0, ""), (exported.ExitCode, exported.Out));
        Assert.Matches($"^{file} has .* of SQL\n$", exported.Error);
        ExternalTool.Run("sqlite3", directory["files.db"], $".read {file}").MustSucceed();
        Assert.Equal(await CountsAsync(), Query(Counts));
        Assert.Equal(await JoinAsync(), Query(Joined));
        Assert.Equal("ok\n", Query("PRAGMA integrity_check"));

        // What is cut off makes nothing.
        var script = await File.ReadAllTextAsync(file);
        await File.WriteAllTextAsync(directory["cut.sql"], script[..^"COMMIT;\n".Length]);
        ExternalTool.Run("sqlite3", directory["cut.db"], $".read {directory["cut.sql"]}").MustSucceed();
        Assert.Equal("", ExternalTool.Run("sqlite3", directory["cut.db"], ".tables").MustSucceed());

        string Query(string sql) => ExternalTool.Run("sqlite3", directory["files.db"], sql).MustSucceed();
    }

    [FactIfTool("psql", "initdb", "setpriv")]
    public async Task PostgreSQL_takes_the_same_statements()
    {
        await FillAsync();
        var script = directory["files.sql"];
        using var output = new MemoryStream();
        await CalledProgram.RunAsync(new Surroundings { Output = output }, "file", "export", "--data", Server.Data);
        await File.WriteAllBytesAsync(script, output.ToArray());
        using var database = new PostgresDatabase();
        database.Run("-f", script);
        Assert.Equal(await CountsAsync(), database.Run("-c", Counts));
        Assert.Equal(await JoinAsync(), database.Run("-c", Joined.Replace("ORDER BY e.path", "ORDER BY e.path COLLATE \"C\"")));
    }

    [Fact]
    public async Task Each_gets_what_is_his_and_nothing_is_written_over()
    {
        await FillAsync();
        await Server.CallAsync("customer", "create", "acme");
        await Server.CallAsync("user", "create", "backup", "--customer", "acme");
        var key = (await Server.CallAsync("key", "create", "backup", "--customer", "acme", "-o", "name")).Out.Trim();
        await SendAsync(key, HttpMethod.Post, "/v1/customers/acme/files/theirs", Json("""{"action":"createDirectory"}"""));
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(null, HttpMethod.Get, "/v1/customers/acme/catalogue")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync(HttpMethod.Get, "/v1/customers/acme/catalogue")).Status);
        var theirs = await SendAsync(key, HttpMethod.Get, "/v1/customers/acme/catalogue");
        Assert.Equal("application/sql", theirs.Headers["Content-Type"]);
        Assert.Contains("'/theirs'", theirs.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("odd", theirs.Text, StringComparison.Ordinal);
        Assert.Equal(0, (await Server.CallAsync("file", "export", "--all", "--out", directory["all.sql"])).ExitCode);
        var all = await File.ReadAllTextAsync(directory["all.sql"]);
        Assert.True(all.Contains("'/theirs'", StringComparison.Ordinal) && all.Contains("odd", StringComparison.Ordinal));

        var file = directory["there"];
        await File.WriteAllTextAsync(file, "mine");
        Assert.Equal(6, (await Server.CallAsync("file", "export", "--out", file)).ExitCode);
        Assert.Equal("mine", await File.ReadAllTextAsync(file));
        Assert.Equal(0, (await Server.CallAsync("file", "export", "--out", file, "--replace")).ExitCode);
        Assert.Equal(2, (await Server.CallAsync("file", "export", "-o", "json")).ExitCode);
        Assert.Equal(5, (await Server.CallAsync("file", "export", "--out", directory["no/such/place"])).ExitCode);
    }

    async Task FillAsync()
    {
        var (first, second) = (new SeededRandom(1).Bytes(200_000), new SeededRandom(2).Bytes(100_000));
        await MakeAsync("/it's%20%5C%20odd");
        await MakeAsync("/%C3%BCber");
        await PutAsync("/it's%20%5C%20odd/first", first);
        await PutAsync("/it's%20%5C%20odd/second", second);
        await PutAsync("/it's%20%5C%20odd/small", new byte[10]);
        await ActAsync("/it's%20%5C%20odd/first", """{"action":"copy","to":"/\u00fcber/copy"}""");
    }

    // As the API tells it, in the form in which the databases print it.
    async Task<string> CountsAsync()
    {
        var items = (await SendAsync(HttpMethod.Get, $"{Files}?recursive=true")).Body.GetProperty("items").EnumerateArray().ToArray();
        var files = items.Where(item => item.GetProperty("kind").ValueEquals("File")).ToArray();
        var bytes = files.Sum(file => file.GetProperty("sizeBytes").GetInt64());
        return string.Create(
            CultureInfo.InvariantCulture, $"{files.Length}|{items.Length - files.Length}|{files.Length}|{bytes}|2\n");
    }

    async Task<string> JoinAsync()
    {
        var items = (await SendAsync(HttpMethod.Get, $"{Files}?recursive=true")).Body.GetProperty("items").EnumerateArray();
        var lines = items.Where(item => item.GetProperty("kind").ValueEquals("File")).Select(item =>
        {
            var (path, size) = (item.GetProperty("path").GetString()!, item.GetProperty("sizeBytes").GetInt64());
            var (blocks, references) = size switch { 200_000 => (1, "2"), 100_000 => (1, "1"), _ => (0, "") };
            return string.Create(CultureInfo.InvariantCulture, $"{path}|{size}|{blocks}|{references}\n");
        });
        return string.Concat(lines);
    }
}
