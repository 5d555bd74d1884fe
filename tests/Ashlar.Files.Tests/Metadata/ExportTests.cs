namespace Ashlar.Files.Tests;

/// <summary>FILE-4: names, files and blocks as three tables.</summary>
public sealed class ExportTests
{
    [Fact]
    public async Task Names_files_and_blocks_are_written_as_statements()
    {
        await using var rig = await FileRig.CreateAsync();
        await rig.Files.CreateDirectoryAsync(rig.Customer, FilePath.Parse("/it's"));
        var (first, second) = (FileRig.Content(8192), FileRig.Content(100, 2));
        await rig.PutAsync("/it's/f", [.. first, .. second]);
        await rig.Files.CopyFileAsync(rig.Customer, FilePath.Parse("/it's/f"), FilePath.Parse("/g"));
        await rig.PutAsync("/small", [1]);
        var other = (await rig.Store.CreateCustomerAsync("other", Quota.None)).Id;
        await rig.Files.CreateDirectoryAsync(other, FilePath.Parse("/not-asked-for"));
        var lines = (await ExportAsync(rig, rig.Customer)).Split('\n');
        Assert.Equal(("BEGIN;", "COMMIT;"), (lines[0], lines[^2]));
        const string Time = "'2026-01-01 00:00:00.000000+00:00'";
        Assert.Contains($"(1, '/it''s', 'it''s', '/', 'directory', {Time}, {Time}),", lines);
        Assert.Contains($"(1, '/it''s/f', 'f', '/it''s', 'file', {Time}, {Time}),", lines);
        var hashes = $"{ContentHash.Of(first)} {ContentHash.Of(second)}";
        Assert.Contains(lines, line => line.StartsWith($"(1, '/g', 8292, 2, 67108864, {Time}, '{hashes}')", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith($"(1, '/small', 1, 0, 67108864, {Time}, '')", StringComparison.Ordinal));
        foreach (var content in (byte[][])[first, second])
        {
            Assert.Contains(lines, line => line.Contains($"'{ContentHash.Of(content)}', ", StringComparison.Ordinal)
                && line.Contains($"'live', '{new NodeId(1)} {new NodeId(2)}', 2, {Time})", StringComparison.Ordinal));
        }

        Assert.DoesNotContain(lines, line => line.Contains("not-asked-for", StringComparison.Ordinal));
        Assert.Contains("not-asked-for", await ExportAsync(rig, null), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_rows_come_some_to_a_statement()
    {
        await using var rig = await FileRig.CreateAsync();
        for (var i = 0UL; i < 501; i++)
        {
            await rig.Store.CommitInlineAsync(
                rig.Customer, i + 1, new() { Path = FilePath.Parse($"/{i}"), Tag = "", Inline = ReadOnlyMemory<byte>.Empty });
        }

        var script = await ExportAsync(rig, null);
        Assert.Equal(3, script.Split("INSERT INTO namespace_entries").Length);
        Assert.Equal(3, script.Split("INSERT INTO file_metadata").Length);
        Assert.DoesNotContain("INSERT INTO block_locations", script, StringComparison.Ordinal);
        Assert.Equal(1002, script.Split("\n(1, '/").Length - 1);
    }

    static async Task<string> ExportAsync(FileRig rig, CustomerId? only)
    {
        var writer = new StringWriter { NewLine = "\n" };
        await rig.Store.ExportAsync(writer, only);
        return writer.ToString();
    }
}
