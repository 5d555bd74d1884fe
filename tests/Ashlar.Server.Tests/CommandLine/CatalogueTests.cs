using System.Globalization;
using Ashlar.Api;
using Ashlar.CommandLine;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary><c>ashlar catalog export</c>, read by the databases themselves.</summary>
public sealed class CatalogueTests : IAsyncLifetime
{
    const string Summary =
        "SELECT name, size_bytes, provisioned_bytes, status, "
        + "(SELECT count(*) FROM VolumeBlock WHERE volume_id = id) FROM Volume ORDER BY name";

    const string Head = """{"head":{"apiVersion":"ashlar/v1","kind":"Catalogue","createdAt":"2026-11-21T01:43:12.406Z"}}""";

    const string SmallVolume =
        """{"volume":{"id":"7ed4f3e4-4004-4fc7-be51-eba2cc144e4f","pool":"main","name":"v","sizeBytes":1048576,"""
        + """ "provisionedBytes":0,"status":"online","createdAt":"2026-11-21T01:43:12.406Z"}}""";

    const string Expected = "thick|131072|131072|online|0\nvm1|1073741824|1114112|online|257\n";

    readonly TemporaryDirectory directory = new();
    RunningProgram server = null!;

    public async Task InitializeAsync()
    {
        server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "1GiB");
        await server.CallAsync("volume", "create", "thick", "--size", "128KiB", "--thick");
        await server.CallAsync("volume", "create", "gone", "--size", "1MiB");
        await server.CallAsync("volume", "delete", "gone", "--yes");
        await NbdWriter.WriteAsync(
            server, "vm1", (0, [.. Enumerable.Repeat((byte)1, 1 << 20)]), ((512L << 20) + 4096, [.. "the one block"u8, .. new byte[4083]]));
    }

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        directory.Dispose();
    }

    [FactIfTool("sqlite3", "libsqlite3.so.0")]
    public async Task A_database_of_SQLite_has_the_tables_with_a_row_for_each_block()
    {
        var file = directory["catalog.db"];
        var exported = await server.CallAsync("catalog", "export", "--sqlite", file);
        Assert.Equal((0, "", $"{file} has 2 volumes and 257 blocks of 4,096 bytes\n"), (exported.ExitCode, exported.Out, exported.Error));
        Assert.Equal(Expected, ExternalTool.Run("sqlite3", file, Summary).MustSucceed());
        Assert.Equal("ok\n", ExternalTool.Run("sqlite3", file, "PRAGMA integrity_check").MustSucceed());
        Assert.Equal("", ExternalTool.Run("sqlite3", file, "PRAGMA foreign_key_check").MustSucceed());
        Assert.Equal("0\n", ExternalTool.Run("sqlite3", file, "SELECT count(*) FROM Snapshot").MustSucceed());
        var id = (await server.CallAsync("volume", "show", "vm1", "-o", "json")).OutJson.GetProperty("id").GetString();
        Assert.Equal(
            $"{id}|\n", ExternalTool.Run("sqlite3", file, "SELECT id, snapshot_id FROM Volume WHERE name = 'vm1'").MustSucceed());

        // The last block lies where the table says.
        var place = ExternalTool.Run(
            "sqlite3",
            file,
            $"SELECT physical_node, physical_offset FROM VolumeBlock WHERE volume_id = '{id}' AND logical_block = 131073").MustSucceed();
        Assert.StartsWith("main|", place, StringComparison.Ordinal);
        using var data = File.OpenHandle($"{server.Data}/pools/main/data");
        var found = new byte[13];
        await RandomAccess.ReadAsync(data, found, long.Parse(place.Trim().Split('|')[1], CultureInfo.InvariantCulture));
        Assert.Equal("the one block"u8.ToArray(), found);
    }

    [FactIfTool("sqlite3")]
    public async Task The_statements_make_the_same_tables_and_a_script_that_is_cut_off_makes_none()
    {
        var script = (await server.CallAsync("catalog", "export", "--sql")).Out;
        await File.WriteAllTextAsync(directory["all.sql"], script);
        await File.WriteAllTextAsync(directory["cut.sql"], script[..^"COMMIT;\n".Length]);
        Assert.Equal("", ExternalTool.Run("sqlite3", directory["all.db"], $".read {directory["all.sql"]}").MustSucceed());
        Assert.Equal(Expected, ExternalTool.Run("sqlite3", directory["all.db"], Summary).MustSucceed());
        ExternalTool.Run("sqlite3", directory["cut.db"], $".read {directory["cut.sql"]}").MustSucceed();
        Assert.Equal("", ExternalTool.Run("sqlite3", directory["cut.db"], ".tables").MustSucceed());
    }

    [FactIfTool("psql", "initdb", "setpriv")]
    public async Task PostgreSQL_takes_the_same_statements()
    {
        var script = directory["all.sql"];
        await File.WriteAllTextAsync(script, (await server.CallAsync("catalog", "export", "--sql")).Out);
        using var database = new PostgresDatabase();
        database.Run("-f", script);
        Assert.Equal(Expected, database.Run("-c", Summary));
        Assert.Equal(
            "257|0|512 MiB\n",
            database.Run("-c", "SELECT count(*), min(logical_block), max(logical_block) / 256 || ' MiB' FROM VolumeBlock"));
        Assert.Equal(
            "t\n", database.Run("-c", "SELECT created_at BETWEEN now() - interval '1 day' AND now() FROM Volume WHERE name = 'vm1'"));
    }

    [Fact]
    public async Task A_file_that_is_there_is_left_alone_and_one_of_both_is_asked_for()
    {
        var file = directory["there"];
        await File.WriteAllTextAsync(file, "mine");
        var refused = await server.CallAsync("catalog", "export", "--sqlite", file);
        Assert.Equal(6, refused.ExitCode);
        Assert.Equal("mine", await File.ReadAllTextAsync(file));
        Assert.Equal(2, (await server.CallAsync("catalog", "export")).ExitCode);
        Assert.Equal(2, (await server.CallAsync("catalog", "export", "--sql", "--sqlite", directory["x"])).ExitCode);
        Assert.Equal(5, (await server.CallAsync("catalog", "export", "--sqlite", directory["no/such/place"])).ExitCode);
    }

    [Theory]
    [InlineData("HEAD", "is cut off")]
    [InlineData("""{"end":{"volumes":0,"blocks":0,"unreadablePieces":0}}""", "its head is missing")]
    [InlineData(
        "HEAD\n{\"blocks\":{\"logicalBlock\":0,\"count\":1,\"physicalNode\":\"main\",\"physicalOffset\":0}}", "blocks of no volume")]
    [InlineData(
        "HEAD\nVOLUME\n{\"blocks\":{\"logicalBlock\":0,\"count\":9223372036854775807,\"physicalNode\":\"main\",\"physicalOffset\":0}}",
        "blocks at 0 of a volume")]
    [InlineData(
        "HEAD\nVOLUME\n{\"blocks\":{\"logicalBlock\":257,\"count\":1,\"physicalNode\":\"main\",\"physicalOffset\":0}}",
        "blocks at 257 of a volume")]
    [InlineData(
        "HEAD\nVOLUME\n{\"blocks\":{\"logicalBlock\":2,\"count\":1,\"physicalNode\":\"main\",\"physicalOffset\":-1}}",
        "blocks at 2 of a volume")]
    public async Task What_a_server_cannot_mean_is_refused(string lines, string problem)
    {
        var entries = lines
            .Replace("HEAD", Head, StringComparison.Ordinal)
            .Replace("VOLUME", SmallVolume, StringComparison.Ordinal)
            .Split('\n')
            .Select(line => System.Text.Json.JsonSerializer.Deserialize(line, ApiJson.Strict.CatalogueEntry)!);
        var error = await Assert.ThrowsAsync<CommandException>(
            () => CatalogueReader.CopyAsync(entries.ToAsyncEnumerable(), new SqlScript(TextWriter.Null)));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }
}
