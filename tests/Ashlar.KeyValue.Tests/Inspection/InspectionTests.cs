using System.Globalization;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Every file of a store can be shown, whole or damaged, and showing it never fails.</summary>
[Trait("disk", "any")]
public sealed class InspectionTests
{
    readonly IFileSystem disk = TestStore.AnyDisk();

    public InspectionTests()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with { SeparatedValueBytes = 60 });
        for (var i = 0; i < 40; i++) store.Put($"key{i:d3}", new string('v', i % 2 == 0 ? 100 : 20));
        store.Put("expiring"u8, "1"u8, TimeSpan.FromDays(1));
        store.Delete("key000");
        store.Flush();
        store.Put("late", "1");
        store.Delete("key001");
        store.BackUp("/backups");
    }

    [Fact]
    public void A_table_shows_its_entries()
    {
        var (text, result) = Inspect("table-");
        Assert.Equal(0, result.Problems);
        Assert.Contains("footer: table", text, StringComparison.Ordinal);
        Assert.Contains("top index block", text, StringComparison.Ordinal);
        Assert.Contains("42 delete \"key000\"", text, StringComparison.Ordinal);
        Assert.Contains("41 put \"expiring\", expires at", text, StringComparison.Ordinal);
        Assert.Contains("2 put \"key001\", 20 bytes", text, StringComparison.Ordinal);
        Assert.Matches("39 put \"key038\", 100 bytes in log \\d+ at byte \\d+", text);
    }

    [Fact]
    public void A_log_shows_its_groups_and_entries()
    {
        var newest = disk.List(TestStore.Directory).Last(name => name.StartsWith("log-", StringComparison.Ordinal));
        var (text, result) = Inspect(newest);
        Assert.Equal(new InspectionResult(2, 0), result);
        Assert.Contains("group from sequence 43, 1 entries", text, StringComparison.Ordinal);
        Assert.Contains("43 put \"late\", 1 bytes", text, StringComparison.Ordinal);
        Assert.Contains("44 delete \"key001\"", text, StringComparison.Ordinal);
        Assert.Contains("seal", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Manifest_and_backup_record_show_what_they_list()
    {
        var (text, result) = Inspect("MANIFEST");
        Assert.Equal(0, result.Problems);
        Assert.Contains("+ table", text, StringComparison.Ordinal);
        Assert.Contains("keys \"expiring\" to \"key039\"", text, StringComparison.Ordinal);
        Assert.Contains("closed", text, StringComparison.Ordinal);
        Assert.Contains("backup 1 of store", Inspect("backup-", "/backups").Text, StringComparison.Ordinal);
    }

    [Theory, InlineData("table-"), InlineData("log-"), InlineData("MANIFEST")]
    public void Any_damaged_byte_is_shown_and_the_rest_goes_on(string prefix)
    {
        var name = disk.List(TestStore.Directory).Last(name => name.StartsWith(prefix, StringComparison.Ordinal));
        var whole = Inspect(name).Result;
        var bytes = StoreImage.Take(disk).Files[name];
        for (var at = 0; at < bytes.Length; at++)
        {
            Flip(name, at);
            var (text, result) = Inspect(name);
            // Some bytes count for nothing: zeros behind a group.
            if (result.Problems == 0) Assert.Equal(whole, result);
            else Assert.Contains("BAD", text, StringComparison.Ordinal);
            Flip(name, at);
        }
    }

    [Theory, InlineData("table-"), InlineData("log-"), InlineData("MANIFEST")]
    public void Any_length_is_shown(string prefix)
    {
        var image = StoreImage.Take(disk);
        var name = image.Files.Keys.Last(name => name.StartsWith(prefix, StringComparison.Ordinal));
        for (var length = 0; length < image.Files[name].Length; length += 7)
        {
            using var file = disk.Open($"{TestStore.Directory}/{name}", FileOpenMode.Existing);
            file.SetLength(length);
            var (text, result) = Inspect(name);
            Assert.Equal(result.Problems > 0, text.Contains("BAD", StringComparison.Ordinal));
            // What was torn off the end of a log, or of the manifest, is no damage; a table without its end is.
            if (prefix == "table-") Assert.True(result.Problems > 0, $"nothing is wrong with {length} bytes");
            file.Write(image.Files[name], 0);
        }
    }

    [Fact]
    public void Groups_behind_damage_are_shown()
    {
        var log = new SegmentWriter().Append("one").Append("two").Append("three");
        Write("log-000007", log.Flip(log.StartOf(1) + 4).Bytes);
        var (text, result) = Inspect("log-000007");
        Assert.Equal(new InspectionResult(2, 1), result);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"BAD {log.StartOf(1),8}"), text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_something_else_is_refused()
    {
        Write("other", "hello world"u8.ToArray());
        Assert.Throws<UnsupportedFormatException>(() => Inspect("other"));
        Assert.Equal(
            StorageErrorKind.NotFound,
            Assert.Throws<StorageException>(() => KeyValueInspector.Inspect("/none", TextWriter.Null, TestStore.Small(disk))).Kind);
    }

    (string Text, InspectionResult Result) Inspect(string prefix, string directory = TestStore.Directory)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        var name = disk.List(directory).First(name => name.StartsWith(prefix, StringComparison.Ordinal));
        var result = KeyValueInspector.Inspect($"{directory}/{name}", text, TestStore.Small(new ReadOnlyFileSystem(disk)));
        return (text.ToString(), result);
    }

    void Write(string name, byte[] bytes)
    {
        using var file = disk.Open($"{TestStore.Directory}/{name}", FileOpenMode.CreateNew);
        file.Write(bytes, 0);
    }

    void Flip(string name, long at)
    {
        using var file = disk.Open($"{TestStore.Directory}/{name}", FileOpenMode.Existing);
        var bytes = new byte[1];
        file.Read(bytes, at);
        bytes[0] ^= 1;
        file.Write(bytes, at);
    }
}
