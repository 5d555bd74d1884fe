using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>A cursor over values that are not in memory asks the disk for those that it will come to.</summary>
public sealed class LookAheadTests
{
    const int Count = 200;

    // Longer than what the value cache takes and than what is read between two values, so that each value is asked for alone.
    const int ValueBytes = 20_000;

    readonly SimulatedFileSystem disk = TestStore.NewDisk();

    KeyValueOptions Options => TestStore.Small(disk) with { SeparatedValueBytes = 100, MemTableBytes = 1 << 20 };

    SimulatedPageCache PageCache => disk.PageCache;

    [Theory, InlineData(ScanDirection.Forward), InlineData(ScanDirection.Backward)]
    public void A_scan_waits_for_its_first_values_only(ScanDirection direction)
    {
        using var store = OpenCold();
        RequireValues(store.Scan(KeyRange.All, direction), Numbers(0, Count, direction));
        Assert.Equal(2, PageCache.Waits);
        Assert.Equal(Count - 2, PageCache.Hints.Count);
        Assert.All(PageCache.Hints, hint => Assert.Equal(ValueBytes, hint.LengthBytes));
    }

    [Theory, InlineData(ScanDirection.Forward), InlineData(ScanDirection.Backward)]
    public void It_is_never_further_ahead_than_values_were_asked_for(ScanDirection direction)
    {
        using var store = OpenCold();
        using var cursor = store.Scan(KeyRange.All, direction);
        for (var read = 1; read <= Count; read++)
        {
            Assert.True(cursor.MoveNext());
            _ = cursor.Value;
            var ahead = Math.Max(0, PageCache.Hints.Count + 2 - read);
            Assert.InRange(ahead, 0, Math.Min(read, ValueLookAhead.MaxEntries));
        }

        Assert.False(cursor.MoveNext());
    }

    [Theory, InlineData(ScanDirection.Forward), InlineData(ScanDirection.Backward)]
    public void Nothing_outside_the_range_is_asked_for(ScanDirection direction)
    {
        using var store = OpenCold();
        var range = KeyRange.Between(TestStore.Bytes(Key(50)), TestStore.Bytes(Key(80)));
        RequireValues(store.Scan(range, direction), Numbers(50, 80, direction));
        Assert.Equal(30 - 2, PageCache.Hints.Count);
    }

    [Theory, InlineData(ScanDirection.Forward), InlineData(ScanDirection.Backward)]
    public void A_scan_of_keys_asks_for_nothing(ScanDirection direction)
    {
        using var store = OpenCold();
        using var cursor = store.Scan(KeyRange.All, direction);
        while (cursor.MoveNext()) _ = cursor.Key;
        Assert.Empty(PageCache.Hints);
        Assert.Equal(0, PageCache.Waits);
    }

    [Fact]
    public void A_scan_that_passes_values_over_asks_for_nothing()
    {
        using var store = OpenCold();
        using var cursor = store.Scan(KeyRange.All);
        for (var i = 0; cursor.MoveNext(); i++)
        {
            if (i % 3 != 0) _ = cursor.Value;
        }

        // Two in a row had to wait, each time; what they began ended with the value that was passed over.
        Assert.InRange(PageCache.Hints.Count, 1, Count);
        PageCache.Drop();
        using var sparse = store.Scan(KeyRange.All);
        for (var i = 0; sparse.MoveNext(); i++)
        {
            if (i % 2 != 0) _ = sparse.Value;
        }

        Assert.Empty(PageCache.Hints);
        Assert.Equal(Count / 2, PageCache.Waits);
    }

    [Fact]
    public void It_ends_with_a_value_that_is_passed_over()
    {
        using var store = OpenCold();
        using var cursor = store.Scan(KeyRange.All);
        for (var i = 0; i < 20; i++)
        {
            Assert.True(cursor.MoveNext());
            _ = cursor.Value;
        }

        Assert.True(cursor.MoveNext());
        var hints = PageCache.Hints.Count;
        Assert.InRange(hints, 18, 40);
        var left = 0;
        while (cursor.MoveNext()) left++;
        Assert.Equal(Count - 21, left);
        Assert.Equal(hints, PageCache.Hints.Count);
    }

    [Fact]
    public void Values_in_memory_are_not_asked_for()
    {
        using var store = OpenCold();
        RequireValues(store.Scan(KeyRange.All), Numbers(0, Count));
        var hints = PageCache.Hints.Count;
        RequireValues(store.Scan(KeyRange.All), Numbers(0, Count));
        Assert.Equal((2, hints), (PageCache.Waits, PageCache.Hints.Count));
    }

    [Fact]
    public void It_ends_every_so_often_and_goes_on_only_where_reads_wait()
    {
        using var segments = new ValueSegments(new StoreFiles(disk, "/"), new BlockCache(0));
        segments.Add(disk.Open("/values", FileOpenMode.CreateNew), 7, 0);
        var lookAhead = new ValueLookAhead(segments);
        lookAhead.CountRead(waits: true);
        lookAhead.CountRead(waits: false);
        lookAhead.CountRead(waits: true);
        Assert.False(lookAhead.IsOn);
        lookAhead.CountRead(waits: true);
        var sent = 0;
        for (; lookAhead.IsOn && sent < 10_000; sent++)
        {
            lookAhead.Add(new ValuePlace(7, sent * 100_000, 10, 0));
            lookAhead.Send();
        }

        Assert.Equal(1024, sent);
    }

    [Fact]
    public void Long_values_are_asked_for_few_at_a_time()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options);
        for (var i = 0; i < 20; i++) store.Put(TestStore.Bytes(Key(i * 7 % 20)), new byte[1 << 20], Durability.Unflushed);
        PageCache.Drop();
        using var cursor = store.Scan(KeyRange.All);
        for (var read = 1; cursor.MoveNext(); read++)
        {
            Assert.Equal(1 << 20, cursor.Value.Length);
            Assert.InRange(PageCache.Hints.Count + 2 - read, 0, 2);
        }
    }

    [Theory, InlineData(ScanDirection.Forward), InlineData(ScanDirection.Backward)]
    public void What_a_cursor_hands_out_stays_until_it_moves(ScanDirection direction)
    {
        using var store = OpenCold();
        using var cursor = store.Scan(KeyRange.All, direction);
        foreach (var number in Numbers(0, Count, direction))
        {
            Assert.True(cursor.MoveNext());
            var key = cursor.Key;
            var value = cursor.Value;
            Assert.True(cursor.Value.SequenceEqual(value));
            Assert.Equal(Key(number), Encoding.UTF8.GetString(key));
            Assert.Equal(Value(number), Encoding.UTF8.GetString(value));
        }
    }

    [Fact]
    public void A_cursor_that_is_closed_ahead_of_its_values_lets_go_of_them()
    {
        using var store = OpenCold();
        var cursor = store.Scan(KeyRange.All);
        for (var i = 0; i < 20; i++)
        {
            Assert.True(cursor.MoveNext());
            _ = cursor.Value;
        }

        for (var i = 0; i < Count; i++) store.Delete(Key(i));
        store.Compact();
        Assert.True(cursor.MoveNext());
        Assert.Equal(Value(20), Encoding.UTF8.GetString(cursor.Value));
        cursor.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cursor.MoveNext());
        Assert.Throws<InvalidOperationException>(() => cursor.Key.Length);
        Assert.Equal((0, 0), (store.GetStatistics().Cursors, store.GetStatistics().ValueSegments));
        Assert.DoesNotContain(disk.List(TestStore.Directory), name => name.StartsWith("log-", StringComparison.Ordinal));
    }

    [Theory, InlineData(ScanDirection.Forward), InlineData(ScanDirection.Backward)]
    public void A_disk_that_fails_ahead_fails_only_who_comes_there_and_the_scan_goes_on_after_it(ScanDirection direction)
    {
        using (OpenCold())
        {
        }

        var faulty = new FaultyFileSystem(disk);
        using var store = KeyValueStore.Open(TestStore.Directory, Options with { FileSystem = faulty, BlockCacheBytes = 0 });
        var failures = 0;
        for (var isWhole = false; !isWhole;)
        {
            PageCache.Drop();
            faulty.Add(new FaultRule(FaultOperations.Read, FaultKind.InputOutputError)
            {
                PathPattern = "*table-*",
                Nth = ++failures,
                IsSticky = true,
            });
            using var cursor = store.Scan(KeyRange.All, direction);
            var numbers = new List<int>();
            Read(cursor, numbers, until: failure => failure);
            isWhole = numbers.Count == Count;
            if (!isWhole) Assert.Throws<StorageException>(() => cursor.MoveNext());
            faulty.Heal();
            Read(cursor, numbers, until: failure => throw new InvalidOperationException("The disk is healthy.", failure));
            Assert.Equal(Numbers(0, Count, direction), numbers);
        }

        Assert.InRange(failures, 5, Count);
    }

    [Theory, InlineData(ScanDirection.Forward), InlineData(ScanDirection.Backward)]
    public void A_read_ahead_that_fails_once_fails_nobody(ScanDirection direction)
    {
        using (OpenCold())
        {
        }

        var faulty = new FaultyFileSystem(disk);
        using var store = KeyValueStore.Open(TestStore.Directory, Options with { FileSystem = faulty, BlockCacheBytes = 0 });
        using var cursor = store.Scan(KeyRange.All, direction);
        PageCache.Drop();
        var numbers = new List<int>();
        for (var i = 0; i < 20; i++)
        {
            Assert.True(cursor.MoveNext());
            numbers.Add(RequireValue(cursor));
        }

        var rule = new FaultRule(FaultOperations.Read, FaultKind.InputOutputError) { PathPattern = "*table-*" };
        faulty.Add(rule);
        Read(cursor, numbers, until: failure => throw new InvalidOperationException("Nobody had come there.", failure));
        Assert.Equal(1, faulty.CountFired(rule));
        Assert.Equal(Numbers(0, Count, direction), numbers);
    }

    [Fact]
    public void A_value_that_cannot_be_read_fails_who_asks_for_it_and_no_other()
    {
        using (OpenCold())
        {
        }

        var faulty = new FaultyFileSystem(disk);
        using var store = KeyValueStore.Open(TestStore.Directory, Options with { FileSystem = faulty });
        PageCache.Drop();
        using var cursor = store.Scan(KeyRange.All);
        for (var i = 0; i < Count; i++)
        {
            Assert.True(cursor.MoveNext());
            if (i % 50 == 30)
            {
                faulty.Add(new FaultRule(FaultOperations.Read, FaultKind.InputOutputError) { PathPattern = "*log-*", IsSticky = true });
                Assert.Throws<StorageException>(() => cursor.Value.Length);
                faulty.Heal();
            }

            Assert.Equal(i, RequireValue(cursor));
        }

        Assert.False(cursor.MoveNext());
    }

    [Theory, InlineData(ScanDirection.Forward), InlineData(ScanDirection.Backward)]
    public void Scans_find_what_was_there_when_they_began_whatever_they_ask_for(ScanDirection direction)
    {
        for (var seed = TestSeeds.First(nameof(LookAheadTests)); seed < TestSeeds.First(nameof(LookAheadTests)) + 20; seed++)
        {
            var random = new SeededRandom(seed);
            var clock = new SimulatedClock();
            var small = TestStore.Small(TestStore.NewDisk()) with
            {
                SeparatedValueBytes = 100,
                TimeProvider = clock,
                BlockCacheBytes = random.Pick([0, 20 << 10, 1 << 20]),
            };
            var coldDisk = (SimulatedFileSystem)small.FileSystem!;
            using var store = KeyValueStore.Open(TestStore.Directory, small);
            var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
            Change(store, model, random, random.Next(2000));
            clock.Advance(TimeSpan.FromHours(1)); // What expires has, or will not while the scan runs.
            var range = Key(random.Next(300)) is var one && Key(random.Next(300)) is var other && string.CompareOrdinal(one, other) < 0
                ? (From: one, To: other)
                : (From: other, To: one);
            using var cursor = store.Scan(KeyRange.Between(TestStore.Bytes(range.From), TestStore.Bytes(range.To)), direction);
            var expected = model
                .Where(entry => string.CompareOrdinal(entry.Key, range.From) >= 0 && string.CompareOrdinal(entry.Key, range.To) < 0)
                .ToList();
            if (direction == ScanDirection.Backward) expected.Reverse();
            Change(store, new SortedDictionary<string, string>(model), random, random.Next(1000));
            var asks = random.Next(1, 60);
            foreach (var (key, value) in expected)
            {
                if (random.OneIn(20)) coldDisk.PageCache.Drop();
                Assert.True(cursor.MoveNext(), $"seed {seed}: the scan ends before {key}");
                Assert.True(key == Encoding.UTF8.GetString(cursor.Key), $"seed {seed}: {Encoding.UTF8.GetString(cursor.Key)}, not {key}");
                if (!random.OneIn(asks)) Assert.True(value == Encoding.UTF8.GetString(cursor.Value), $"seed {seed}: another value of {key}");
            }

            Assert.False(cursor.MoveNext(), $"seed {seed}: the scan goes on");
            Assert.False(cursor.MoveNext(), $"seed {seed}: the scan goes on");
        }
    }

    static void Change(KeyValueStore store, SortedDictionary<string, string> model, SeededRandom random, int operations)
    {
        for (var i = 0; i < operations; i++)
        {
            var key = Key(random.Next(300));
            var value = $"{key} {i} ".PadRight(random.Pick([20, 300, 1500]), 'x');
            switch (random.Next(8))
            {
                case 0:
                    store.Delete(TestStore.Bytes(key), Durability.Unflushed);
                    model.Remove(key);
                    break;
                case 1:
                    store.Put(TestStore.Bytes(key), TestStore.Bytes(value), TimeSpan.FromMinutes(30), Durability.Unflushed);
                    model.Remove(key);
                    break;
                case 2:
                    store.Put(TestStore.Bytes(key), TestStore.Bytes(value), TimeSpan.FromDays(30), Durability.Unflushed);
                    model[key] = value;
                    break;
                default:
                    store.Put(TestStore.Bytes(key), TestStore.Bytes(value), Durability.Unflushed);
                    model[key] = value;
                    break;
            }
        }
    }

    // In no order of keys, so that no two that follow each other lie together; tables in memory, values not.
    KeyValueStore OpenCold()
    {
        var store = KeyValueStore.Open(TestStore.Directory, Options);
        for (var i = 0; i < Count; i++) store.Put(Key(i * 37 % Count), Value(i * 37 % Count), Durability.Unflushed);
        store.Flush();
        using (var cursor = store.Scan(KeyRange.All))
        {
            while (cursor.MoveNext())
            {
            }
        }

        PageCache.Drop();
        return store;
    }

    static void Read(KeyValueCursor cursor, List<int> numbers, Func<StorageException, Exception> until)
    {
        try
        {
            while (cursor.MoveNext()) numbers.Add(RequireValue(cursor));
        }
        catch (StorageException failure)
        {
            _ = until(failure);
        }
    }

    static void RequireValues(KeyValueCursor cursor, IEnumerable<int> numbers)
    {
        using (cursor)
        {
            foreach (var number in numbers)
            {
                Assert.True(cursor.MoveNext());
                Assert.Equal(number, RequireValue(cursor));
            }

            Assert.False(cursor.MoveNext());
        }
    }

    static int RequireValue(KeyValueCursor cursor)
    {
        var number = int.Parse(cursor.Key[3..], System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(Value(number), Encoding.UTF8.GetString(cursor.Value));
        return number;
    }

    static IEnumerable<int> Numbers(int from, int to, ScanDirection direction = ScanDirection.Forward)
    {
        var numbers = Enumerable.Range(from, to - from);
        return direction == ScanDirection.Forward ? numbers : numbers.Reverse();
    }

    static string Key(int number) => $"key{number:d3}";

    static string Value(int number) => $"{number} ".PadRight(ValueBytes, 'v');
}
