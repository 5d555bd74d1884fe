using System.Buffers;
using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Long values stay in the log segment that they were committed in.</summary>
[Trait("disk", "any, slow")]
public sealed class SeparatedValueTests
{
    readonly IFileSystem disk = TestStore.AnyDisk();

    KeyValueOptions Options(int separatedValueBytes = 100) =>
        TestStore.Small(disk) with { SeparatedValueBytes = separatedValueBytes, MemTableBytes = 1 << 20 };

    static string Long(int number, int length = 300) => number.ToString().PadLeft(length, 'v');

    [Theory, InlineData(0), InlineData(100), InlineData(int.MaxValue)]
    public void Every_way_of_reading_gives_the_same_wherever_values_lie(int separatedValueBytes)
    {
        using (var store = KeyValueStore.Open(TestStore.Directory, Options(separatedValueBytes)))
        {
            RequireContent(store, Fill(store));
            store.Flush();
            RequireContent(store, Fill(store));
            store.Compact();
        }

        using var again = KeyValueStore.Open(TestStore.Directory, Options(separatedValueBytes));
        RequireContent(again, Fill(again));
        Assert.Empty(again.Verify().Problems);
        Assert.Equal(separatedValueBytes == int.MaxValue, again.Verify().SeparatedValues == 0);
    }

    [Fact]
    public void Tables_hold_places_instead_of_long_values()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options());
        for (var i = 0; i < 100; i++) store.Put($"key{i:d3}", Long(i, 1000), Durability.Relaxed);
        store.Flush();
        var statistics = store.GetStatistics();
        Assert.True(statistics.TableBytes < 100 * 100, $"{statistics.TableBytes} bytes of tables");
        Assert.Equal((1, 100 * 1022), (statistics.ValueSegments, statistics.ReferencedValueBytes));
        Assert.True(statistics.ValueBytes > 100_000);
        Assert.Equal(0, statistics.LogSegments);
    }

    [Fact]
    public void A_segment_goes_with_its_last_reference()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options());
        store.Put("a", Long(1));
        store.Put("b", Long(2));
        store.Flush();
        store.Put("a", Long(3));
        store.Compact();
        Assert.Equal(2, Logs().Length);
        store.Delete("b");
        store.Compact();
        Assert.Single(Logs());
        Assert.Equal(Long(3), store.Get("a"));
        store.Delete("a");
        store.Compact();
        Assert.Empty(Logs());
    }

    [Fact]
    public void A_segment_that_a_cursor_or_a_snapshot_may_read_stays()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options());
        store.Put("a", Long(1));
        store.Flush();
        var snapshot = store.CreateSnapshot();
        var cursor = store.Scan(KeyRange.All);
        store.Delete("a");
        store.Compact();
        Assert.Equal(Long(1), snapshot.Get("a"));
        snapshot.Dispose();
        store.Put("b", "x");
        store.Compact();
        Assert.Equal($"a={Long(1)}", cursor.ReadAll());
        Assert.Empty(Logs());
    }

    [Fact]
    public void The_log_is_bounded_although_memory_holds_only_places()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options() with { LogSegmentBytes = 16 << 10 });
        for (var i = 0; i < 200; i++) store.Put($"key{i:d3}", Long(i, 1000), Durability.Relaxed);
        Assert.True(store.GetStatistics().Flushes >= 10, $"{store.GetStatistics().Flushes} flushes");
        foreach (var name in Logs())
        {
            using var file = disk.Open($"{TestStore.Directory}/{name}", FileOpenMode.ReadOnly);
            Assert.True(file.LengthBytes < 32 << 10, $"{name}: {file.LengthBytes} bytes");
        }
    }

    [Fact]
    public void Values_that_expire_are_separated_too()
    {
        var clock = new SimulatedClock();
        using var store = KeyValueStore.Open(TestStore.Directory, Options() with { TimeProvider = clock });
        store.Put(TestStore.Bytes("a"), TestStore.Bytes(Long(1)), TimeSpan.FromHours(1));
        store.Flush();
        Assert.Equal(1, store.Verify().SeparatedValues);
        Assert.Equal(Long(1), store.Get("a"));
        Assert.Equal($"a={Long(1)}", store.ReadAll(ScanDirection.Backward));
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Null(store.Get("a"));
        store.Compact();
        Assert.Empty(Logs());
    }

    [Theory, InlineData("flip"), InlineData("cut"), InlineData("swap"), InlineData("missing")]
    public void A_damaged_segment_is_an_error_never_a_wrong_value(string damage)
    {
        using (var store = KeyValueStore.Open(TestStore.Directory, Options()))
        {
            store.Put("a", Long(1));
            store.Flush();
            store.Put("b", Long(2));
            store.Flush();
        }

        var image = StoreImage.Take(disk);
        var names = Logs();
        var (first, second) = (names[0], names[1]);
        switch (damage)
        {
            case "flip": image.Files[first][250] ^= 4; break;
            case "cut": image.Files[first] = image.Files[first][..200]; break;
            case "swap": (image.Files[first], image.Files[second]) = (image.Files[second], image.Files[first]); break;
            default: image.Files.Remove(first); break;
        }

        var damaged = image.ToDisk();
        var error = Assert.Throws<CorruptDataException>(() =>
        {
            using var store = KeyValueStore.Open(TestStore.Directory, Options() with { FileSystem = damaged });
            var report = store.Verify();
            Assert.Single(report.Problems);
            store.Get("a");
        });
        Assert.EndsWith(first, error.FilePath, StringComparison.Ordinal);
    }

    [Fact]
    public void A_planted_bug_that_ignores_checksums_of_values_would_be_noticed() =>
        Assert.NotEqual(Long(1), PlantedBugs.IgnoreValueChecksum.Run(static () => new SeparatedValueTests().ReadDamaged()));

    string? ReadDamaged()
    {
        using (var store = KeyValueStore.Open(TestStore.Directory, Options()))
        {
            store.Put("a", Long(1));
            store.Flush();
        }

        var image = StoreImage.Take(disk);
        image.Files[Logs()[0]][250] ^= 4;
        var options = Options() with { FileSystem = image.ToDisk() };
        using var blind = KeyValueStore.Open(TestStore.Directory, options);
        return blind.Get("a");
    }

    static SortedDictionary<string, string> Fill(KeyValueStore store)
    {
        var content = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < 40; i++)
        {
            content[$"key{i:d2}"] = i % 5 == 0 ? "" : Long(i, i * 20);
            store.Put($"key{i:d2}", content[$"key{i:d2}"], Durability.Relaxed);
        }

        return content;
    }

    static void RequireContent(KeyValueStore store, SortedDictionary<string, string> content)
    {
        Assert.Equal(string.Join(' ', content.Select(pair => $"{pair.Key}={pair.Value}")), store.ReadAll());
        Assert.Equal(
            string.Join(' ', content.Reverse().Select(pair => $"{pair.Key}={pair.Value}")), store.ReadAll(ScanDirection.Backward));
        foreach (var (key, value) in content)
        {
            Assert.Equal(value, store.Get(key));
            var writer = new ArrayBufferWriter<byte>();
            Assert.True(store.TryGet(TestStore.Bytes(key), writer));
            Assert.Equal(value, Encoding.UTF8.GetString(writer.WrittenSpan));
            var fifty = new byte[50];
            Assert.Equal(value.Length <= 50, store.TryGet(TestStore.Bytes(key), fifty, out var length));
            Assert.Equal(value.Length, length);
            var whole = new byte[length];
            Assert.True(store.TryGet(TestStore.Bytes(key), whole, out _));
            Assert.Equal(value, Encoding.UTF8.GetString(whole));
        }
    }

    string[] Logs() => [.. disk.List(TestStore.Directory).Where(name => name.StartsWith("log-", StringComparison.Ordinal))];
}
