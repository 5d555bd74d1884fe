using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Repair of a store whose values have moved: segments of moved values are told from those of the log without a manifest.
/// </summary>
[Trait("disk", "any")]
public sealed class MovedValueRepairTests
{
    const string Target = "/repaired";
    const int Keys = 60;

    readonly Dictionary<string, string> model = [];
    readonly StoreImage image;

    public MovedValueRepairTests()
    {
        var disk = TestStore.AnyDisk();
        using (var store = KeyValueStore.Open(TestStore.Directory, Options(disk)))
        {
            var random = new SeededRandom(6);
            for (var i = 0; i < 1200; i++)
            {
                var key = $"key{(i < Keys ? i : random.Next(Keys)):d3}";
                model[key] = $"{i}".PadLeft(random.Next(90, 700), 'v');
                if (i % 5 == 0) store.Put(TestStore.Bytes(key), TestStore.Bytes(model[key]), TimeSpan.FromDays(1000), Durability.Relaxed);
                else store.Put(key, model[key], Durability.Relaxed);
            }

            Assert.True(store.GetStatistics().MovedValueBytes > 0);
        }

        image = StoreImage.Take(disk);
        Assert.NotEmpty(MovedSegments());
    }

    [Fact]
    public void Without_a_manifest_every_live_value_is_there_and_nothing_else_is_reported()
    {
        image.Files.Remove("MANIFEST");
        var (report, found) = Repair();
        Assert.EndsWith("MANIFEST", Assert.Single(report.Losses).FilePath, StringComparison.Ordinal);
        Assert.Equal(model, found);
    }

    [Fact]
    public void Without_manifest_and_tables_what_was_moved_comes_from_its_records()
    {
        foreach (var name in image.Files.Keys
            .Where(name => name == "MANIFEST" || name.StartsWith("table-", StringComparison.Ordinal)).ToArray())
            image.Files.Remove(name);
        var (report, found) = Repair();
        Assert.Single(report.Losses);
        // Short values lived in tables only; of the others each is in some segment, with its sequence.
        foreach (var (key, value) in model.Where(pair => pair.Value.Length >= 100)) Assert.Equal(value, found.GetValueOrDefault(key));
    }

    [Fact]
    public void A_damaged_record_costs_itself_and_is_reported()
    {
        var name = MovedSegments().First();
        image.Files.Remove("MANIFEST");
        var whole = image.Files[name];
        for (var at = LogSegmentHeader.SizeBytes; at < whole.Length; at += 29)
        {
            image.Files[name] = [.. whole];
            image.Files[name][at] ^= 0x10;
            var (report, found) = Repair();
            Assert.True(report.Losses.Count > 1, $"byte {at} went unnoticed");
            var wrong = model.Where(pair => found.GetValueOrDefault(pair.Key) != pair.Value).Select(pair => pair.Key).ToArray();
            Assert.True(wrong.Length <= 1, $"byte {at} cost {string.Join(' ', wrong)}");
        }
    }

    [Fact]
    public void A_segment_of_moved_values_is_shown_as_such()
    {
        var text = new StringWriter();
        var result = KeyValueInspector.Inspect($"{TestStore.Directory}/{MovedSegments().First()}", text, Options(image.ToDisk()));
        Assert.Equal(0, result.Problems);
        Assert.True(result.Entries > 0);
        Assert.Contains("segment of moved values", text.ToString(), StringComparison.Ordinal);
    }

    IEnumerable<string> MovedSegments()
    {
        using var manifest = Manifest.Read(
            new StoreFiles(image.ToDisk(), TestStore.Directory), Options(image.ToDisk()) with { ReadOnly = true });
        return
        [
            .. manifest.State.Segments.Values
                .Where(segment => segment.Origin == SegmentOrigin.Moved)
                .Select(segment => StoreFiles.LogName(segment.Id)),
        ];
    }

    (RepairReport Report, Dictionary<string, string> Found) Repair()
    {
        var disk = image.ToDisk();
        var report = KeyValueRepair.Run(TestStore.Directory, Target, Options(disk));
        using var repaired = KeyValueStore.Open(Target, Options(disk));
        Assert.True(repaired.Verify().IsClean);
        var found = new Dictionary<string, string>();
        using var cursor = repaired.Scan(KeyRange.All);
        while (cursor.MoveNext()) found[Encoding.UTF8.GetString(cursor.Key)] = Encoding.UTF8.GetString(cursor.Value);
        return (report, found);
    }

    static KeyValueOptions Options(IFileSystem disk) => TestStore.Small(disk) with
    {
        SeparatedValueBytes = 100,
        MemTableBytes = 3000,
        LogSegmentBytes = 8 << 10,
        LogChunkBytes = 4 << 10,
        SpaceAmplification = 1.3,
    };
}
