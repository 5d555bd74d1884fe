using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>Reads beside get and cursor: whether a key is there, several keys at once, loops, and when a key expires.</summary>
public sealed class WaysOfReadingTests
{
    readonly SimulatedClock clock = new();
    readonly SimulatedFileSystem disk = TestStore.NewDisk();

    KeyValueOptions Options => TestStore.Small(disk) with { TimeProvider = clock };

    [Fact]
    public void Whether_a_key_is_there_is_told_without_reading_its_value()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options with { BlockCacheBytes = 0 });
        store.Put("a", new string('v', 500));
        store.Put("b", "2");
        store.Flush();
        store.Delete("b");
        using var snapshot = store.CreateSnapshot();
        foreach (var name in disk.List(TestStore.Directory).Where(name => name.StartsWith("log-", StringComparison.Ordinal)))
        {
            using var file = disk.Open($"{TestStore.Directory}/{name}", FileOpenMode.Existing);
            file.Write(new byte[600], 40); // What would read the value meets damage.
        }

        Assert.Throws<CorruptDataException>(() => store.Get("a"));
        Assert.True(store.ContainsKey("a"u8));
        Assert.True(snapshot.ContainsKey("a"u8));
        Assert.False(store.ContainsKey("b"u8));
        Assert.False(store.ContainsKey(default));
        Assert.False(snapshot.ContainsKey("c"u8));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Several_keys_are_read_as_of_one_moment_in_the_order_in_which_they_were_asked_for(bool isFromTables)
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options);
        for (var i = 0; i < 200; i++) store.Put($"{i:d3}", Value(i), Durability.Unflushed);
        if (isFromTables) store.Compact();
        using var snapshot = store.CreateSnapshot();
        store.Delete("003");
        int[] order = [199, 3, 500, 7, 7, .. Enumerable.Range(0, 180)];
        Check(snapshot.MultiGet(Keys(order)), number => number < 200 ? Value(number) : null);
        Check(store.MultiGet(Keys(order)), number => number is < 200 and not 3 ? Value(number) : null);
        Assert.Empty(store.MultiGet([]));
        Assert.Equal([null, "1".PadRight(40)], store.MultiGet(["x"u8.ToArray(), "001"u8.ToArray()]).Select(Text));

        void Check(byte[]?[] found, Func<int, string?> expected) => Assert.Equal(order.Select(expected), found.Select(Text));
    }

    [Fact]
    public void Long_values_of_several_keys_are_asked_for_together()
    {
        using (var store = KeyValueStore.Open(TestStore.Directory, Options with { MemTableBytes = 1 << 20 }))
        {
            for (var i = 0; i < 20; i++) store.Put($"{i:d3}", new string((char)('a' + i), 20_000), Durability.Unflushed);
        }

        using var cold = KeyValueStore.Open(TestStore.Directory, Options with { MemTableBytes = 1 << 20 });
        for (var i = 0; i < 20; i++) cold.ContainsKey(TestStore.Bytes($"{i:d3}")); // Their blocks are in memory from here on.
        disk.PageCache.Drop();
        var before = disk.PageCache.Waits;
        var found = cold.MultiGet(Keys([.. Enumerable.Range(0, 20)]));
        for (var i = 0; i < 20; i++) Assert.Equal(new string((char)('a' + i), 20_000), Text(found[i]));
        Assert.Equal(before, disk.PageCache.Waits);
        Assert.NotEmpty(disk.PageCache.Hints);
    }

    [Fact]
    public async Task Keys_that_are_written_together_are_read_together()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options with { BackgroundInline = false });
        using var done = new CancellationTokenSource();
        var writer = Task.Run(() =>
        {
            var batch = new WriteBatch();
            for (var i = 0; i < 3000 && !done.IsCancellationRequested; i++)
            {
                batch.Clear();
                batch.Put("l"u8, TestStore.Bytes($"{i}"));
                batch.Put("r"u8, TestStore.Bytes($"{i}"));
                store.Write(batch, Durability.Unflushed);
            }
        });
        for (var i = 0; i < 3000; i++)
        {
            var both = store.MultiGet(["l"u8.ToArray(), "r"u8.ToArray()]);
            Assert.Equal(Text(both[0]), Text(both[1]));
        }

        await done.CancelAsync();
        await writer;
    }

    [Fact]
    public void A_loop_over_a_scan_disposes_the_cursor_however_it_ends_and_allocates_nothing_for_an_entry()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options with { MemTableBytes = 1 << 20 });
        for (var i = 0; i < 300; i++) store.Put($"{i:d3}", "v", Durability.Unflushed);
        var count = 0;
        foreach (var entry in store.Scan(KeyRange.Prefix("1"u8)))
        {
            Assert.Equal($"{100 + count++}", Encoding.UTF8.GetString(entry.Key));
            Assert.Equal("v"u8.ToArray(), entry.ToEntry().Value.ToArray());
        }

        Assert.Equal(100, count);
        foreach (var entry in store.Scan(KeyRange.All))
            if (entry.Key[0] == '1') break;
        Assert.Throws<InvalidOperationException>(() =>
        {
            foreach (var entry in store.Scan(KeyRange.All)) throw new InvalidOperationException($"{entry.Value.Length}");
        });
        Assert.Equal(0, store.GetStatistics().Cursors);
        Walk(10);
        Walk(300);
        var (few, many) = (AllocationMeter.LeastBytes(() => Walk(10)), AllocationMeter.LeastBytes(() => Walk(300)));
        Assert.Equal(few, many);

        void Walk(int entries)
        {
            var bytes = 0;
            foreach (var entry in store.Scan(KeyRange.All))
            {
                bytes += entry.Key.Length + entry.Value.Length;
                if (--entries == 0) break;
            }

            Assert.True(bytes > 0);
        }
    }

    [Theory, InlineData(ScanDirection.Forward), InlineData(ScanDirection.Backward)]
    public async Task An_asynchronous_scan_gives_copies_of_one_moment(ScanDirection direction)
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options);
        for (var i = 0; i < 200; i++) store.Put($"{i:d3}", Value(i), Durability.Unflushed);
        var entries = new List<KeyValueEntry>();
        await foreach (var entry in store.ScanAsync(KeyRange.All, direction))
        {
            entries.Add(entry);
            store.Delete(entry.Key.Span, Durability.Unflushed);
        }

        var numbers = Enumerable.Range(0, 200);
        if (direction == ScanDirection.Backward) numbers = numbers.Reverse();
        Assert.Equal(
            numbers.Select(i => $"{i:d3}={Value(i)}"),
            entries.Select(entry => $"{Encoding.UTF8.GetString(entry.Key.Span)}={Encoding.UTF8.GetString(entry.Value.Span)}"));
        Assert.Equal(0, store.GetStatistics().Cursors);
    }

    [Fact]
    public async Task An_asynchronous_scan_that_is_cancelled_left_or_meets_damage_ends_and_lets_go_of_its_cursor()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options with { BlockCacheBytes = 0 });
        for (var i = 0; i < 200; i++) store.Put($"{i:d3}", Value(i), Durability.Unflushed);
        using var cancellation = new CancellationTokenSource();
        var count = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var entry in store.ScanAsync(KeyRange.All, cancellationToken: cancellation.Token))
                if (++count == 70) await cancellation.CancelAsync();
        });
        Assert.Equal(70, count);
        await foreach (var entry in store.ScanAsync(KeyRange.All))
            if (++count == 80) break;
        store.Compact();
        var table = disk.List(TestStore.Directory).Where(name => name.StartsWith("table-", StringComparison.Ordinal)).Order().Last();
        using (var file = disk.Open($"{TestStore.Directory}/{table}", FileOpenMode.Existing)) file.Write(new byte[64], 40);
        count = 0;
        await Assert.ThrowsAsync<CorruptDataException>(async () =>
        {
            await foreach (var entry in store.ScanAsync(KeyRange.All)) count++;
        });
        Assert.True(count > 0); // What lies before the damage was given out.
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = store.ScanAsync(KeyRange.All, (ScanDirection)7); });
        Assert.Equal(0, store.GetStatistics().Cursors);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task When_an_entry_expires_and_which_write_put_it_is_told(bool isFromTable)
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options);
        var expected = store.ExpiryAfter(TimeSpan.FromMilliseconds(10));
        Assert.Equal(clock.GetUtcNow().ToUnixTimeMilliseconds() + 10, expected.ToUnixTimeMilliseconds());
        store.Put("a", "1");
        await store.PutAsync("b"u8, "2"u8, TimeSpan.FromMilliseconds(10));
        var batch = new WriteBatch();
        batch.Put("c"u8, new byte[400], expected);
        store.Write(batch);
        if (isFromTable) store.Flush();
        using var snapshot = store.CreateSnapshot();
        Assert.Equal("1"u8.ToArray(), store.Get("a"u8, out var info));
        Assert.Equal(new KeyValueEntryInfo(1, null), info);
        Assert.True(store.TryGetInfo("b"u8, out info));
        Assert.Equal(new KeyValueEntryInfo(2, expected), info);
        Assert.True(snapshot.TryGetInfo("c"u8, out info));
        Assert.Equal(new KeyValueEntryInfo(3, expected), info);
        clock.Advance(TimeSpan.FromMilliseconds(10));
        Assert.False(store.TryGetInfo("b"u8, out info));
        Assert.Equal(default, info);
        Assert.Null(store.Get("c"u8, out info));
        Assert.Equal("a=1", store.ReadAll());
        Assert.Throws<ArgumentOutOfRangeException>("timeToLive", () => { _ = store.PutAsync("b"u8, "2"u8, TimeSpan.Zero).AsTask(); });
        Assert.Throws<ArgumentOutOfRangeException>("timeToLive", () => store.ExpiryAfter(TimeSpan.MaxValue));
        Assert.Throws<ArgumentNullException>("clock", () => batch.Put("c"u8, default, TimeSpan.FromDays(1), null!));
    }

    [Fact]
    public void A_range_lends_its_bounds_and_cannot_be_changed_by_who_has_them()
    {
        var start = "a"u8.ToArray();
        var range = KeyRange.Between(start, "c"u8);
        start[0] = (byte)'b';
        Assert.True(range.Contains("a"u8) && range.Contains("bz"u8) && !range.Contains("c"u8));
        Assert.True(range.Start.SequenceEqual("a"u8) && range.HasEnd && range.End.SequenceEqual("c"u8));
        Assert.True(KeyRange.From("a"u8) is { HasEnd: false, End.IsEmpty: true });
        Assert.True(KeyRange.All is { HasEnd: false, Start.IsEmpty: true } && KeyRange.All.Contains("x"u8));
        Assert.False(KeyRange.Before("a"u8).Contains("a"u8));
    }

    static ReadOnlyMemory<byte>[] Keys(int[] numbers) =>
        [.. numbers.Select(number => (ReadOnlyMemory<byte>)TestStore.Bytes($"{number:d3}"))];

    static string Value(int number) => $"{number}".PadRight(number % 3 == 0 ? 500 : 40);

    static string? Text(byte[]? value) => value is null ? null : Encoding.UTF8.GetString(value);
}
