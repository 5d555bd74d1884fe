using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Scans pass over ranges of tombstones that other scans found; whatever is put, expires or is read by a snapshot meanwhile, they find what
/// a dictionary has.
/// </summary>
[Trait("disk", "any")]
public sealed class DeletedRangeModelTests
{
    const int Keys = 600, Operations = 1500;

    [Theory, Seeds(count: 30)]
    public void Scans_find_what_a_sorted_dictionary_has(ulong seed)
    {
        var random = new SeededRandom(seed);
        var clock = new SimulatedClock();
        var options = TestStore.Small(TestStore.AnyDisk()) with { TimeProvider = clock, MemTableBytes = 64 << 10, TableBytes = 32 << 10 };
        using var store = KeyValueStore.Open(TestStore.Directory, options);
        var model = new SortedDictionary<int, (string Value, DateTimeOffset Expires)>();
        var snapshots = new List<(KeyValueSnapshot Snapshot, (int Key, string Value, DateTimeOffset Expires)[] Content)>();
        var cursors = new List<(KeyValueCursor Cursor, Queue<string> Expected)>();
        var mostRanges = 0;
        for (var operation = 0; operation < Operations; operation++)
        {
            switch (random.Next(12))
            {
                case 0: // All of a range, one by one: what makes a range of tombstones.
                    var from = random.Next(Keys);
                    foreach (var key in model.Keys.Where(key => key >= from && key < from + 300).ToArray()) Delete(key);
                    break;
                case 1:
                    var first = random.Next(Keys);
                    for (var key = first; key < Math.Min(Keys, first + random.Next(200)); key++) Put(key, $"{operation}", null);
                    break;
                case 2 or 3:
                    Put(random.Next(Keys), $"{operation}", random.Next(3) == 0 ? TimeSpan.FromSeconds(random.Next(1, 20)) : null);
                    break;
                case 4:
                    Delete(random.Next(Keys));
                    break;
                case 5:
                    clock.Advance(TimeSpan.FromSeconds(random.Next(4)));
                    break;
                case 6 when snapshots.Count < 4:
                    snapshots.Add((store.CreateSnapshot(), Live()));
                    break;
                case 7 when snapshots.Count > 0:
                    var chosen = random.Next(snapshots.Count);
                    if (random.Next(3) == 0)
                    {
                        snapshots[chosen].Snapshot.Dispose();
                        snapshots.RemoveAt(chosen);
                    }
                    else
                    {
                        Check(range => snapshots[chosen].Snapshot.Scan(range.Keys, range.Direction), snapshots[chosen].Content);
                    }

                    break;
                case 8 when random.Next(4) == 0:
                    store.Flush();
                    break;
                case 9 when cursors.Count < 3: // Read later, while others write.
                    var range = RandomRange();
                    cursors.Add((store.Scan(range.Keys, range.Direction), new(Expected(range, Live()))));
                    break;
                case 10 when cursors.Count > 0:
                    var (cursor, expected) = cursors[0];
                    cursors.RemoveAt(0);
                    while (expected.TryDequeue(out var next))
                    {
                        Assert.True(cursor.MoveNext());
                        Assert.Equal(next, TextOf(cursor));
                    }

                    Assert.False(cursor.MoveNext());
                    cursor.Dispose();
                    break;
                default:
                    Check(wanted => store.Scan(wanted.Keys, wanted.Direction), Live());
                    break;
            }

            mostRanges = Math.Max(mostRanges, store.State.DeletedRanges.Count);
        }

        foreach (var (cursor, _) in cursors) cursor.Dispose();
        foreach (var (snapshot, _) in snapshots) snapshot.Dispose();
        Assert.InRange(mostRanges, 1, 16);

        (int, string, DateTimeOffset)[] Live() => [.. model.Select(entry => (entry.Key, entry.Value.Value, entry.Value.Expires))];

        void Put(int key, string value, TimeSpan? timeToLive)
        {
            if (timeToLive is { } time) store.Put(KeyOf(key), TestStore.Bytes(value), time, Durability.Relaxed);
            else store.Put(KeyOf(key), TestStore.Bytes(value), Durability.Relaxed);
            model[key] = (value, timeToLive is { } lives ? clock.GetUtcNow() + lives : DateTimeOffset.MaxValue);
        }

        void Delete(int key)
        {
            store.Delete(KeyOf(key), Durability.Relaxed);
            model.Remove(key);
        }

        (KeyRange Keys, int From, int To, ScanDirection Direction) RandomRange()
        {
            var direction = random.Next(2) == 0 ? ScanDirection.Forward : ScanDirection.Backward;
            var from = random.Next(2) == 0 ? 0 : random.Next(Keys);
            var to = random.Next(2) == 0 ? Keys : from + random.Next(Keys - from + 1);
            return (from == 0 && to == Keys ? KeyRange.All : KeyRange.Between(KeyOf(from), KeyOf(to)), from, to, direction);
        }

        IEnumerable<string> Expected(
            (KeyRange Keys, int From, int To, ScanDirection Direction) range, (int Key, string Value, DateTimeOffset Expires)[] content)
        {
            var now = clock.GetUtcNow();
            var found = content.Where(entry => entry.Key >= range.From && entry.Key < range.To && entry.Expires > now)
                .Select(entry => $"{entry.Key:d4}={entry.Value}").ToArray();
            return range.Direction == ScanDirection.Forward ? found : found.Reverse();
        }

        void Check(
            Func<(KeyRange Keys, int From, int To, ScanDirection Direction), KeyValueCursor> scan,
            (int Key, string Value, DateTimeOffset Expires)[] content)
        {
            var range = RandomRange();
            Assert.Equal(string.Join(' ', Expected(range, content)), scan(range).ReadAll());
        }
    }

    // What has expired is a tombstone in tables: who began to read before that still sees it.
    [Theory, InlineData(ScanDirection.Forward), InlineData(ScanDirection.Backward)]
    public void What_others_found_expired_is_seen_by_who_began_before(ScanDirection direction)
    {
        var clock = new SimulatedClock();
        var options = TestStore.Small(TestStore.AnyDisk()) with { TimeProvider = clock, MemTableBytes = 64 << 10, InlineMerges = 0 };
        using var store = KeyValueStore.Open(TestStore.Directory, options);
        for (var key = 0; key < 200; key++)
        {
            if (key == 100) store.Put(KeyOf(key), "lives"u8, TimeSpan.FromSeconds(1));
            else store.Put(KeyOf(key), "x"u8);
            if (key != 100) store.Delete(KeyOf(key));
        }

        using var early = store.Scan(KeyRange.All, direction);
        clock.Advance(TimeSpan.FromSeconds(2));
        store.Flush();
        using (var late = store.Scan(KeyRange.All, direction)) Assert.False(late.MoveNext());
        Assert.Equal(1, store.State.DeletedRanges.Count);
        Assert.True(early.MoveNext());
        Assert.Equal("0100=lives", TextOf(early));
        Assert.False(early.MoveNext());
    }

    [Fact]
    public void A_scan_that_fails_announces_nothing_any_more()
    {
        var disk = new FaultyFileSystem(TestStore.AnyDisk());
        var options = TestStore.Small(disk) with { BlockCacheBytes = 16 << 10, MemTableBytes = 64 << 10 };
        using var store = KeyValueStore.Open(TestStore.Directory, options);
        for (var key = 0; key < 600; key++) store.Put(KeyOf(key), "x"u8, Durability.Relaxed);
        store.Flush();
        for (var key = 0; key < 600; key++) store.Delete(KeyOf(key), Durability.Relaxed);
        for (var attempt = 1; attempt <= 20; attempt++)
        {
            var cursor = store.Scan(KeyRange.All);
            disk.Add(new FaultRule(FaultOperations.Read, FaultKind.InputOutputError) { Nth = attempt });
            Record.Exception(() => cursor.MoveNext()); // Nobody disposes of it.
            disk.Heal();
        }

        Assert.InRange(store.State.DeletedRanges.Count, 0, 1);
        Assert.Equal("", store.ReadAll());
    }

    static string TextOf(KeyValueCursor cursor) =>
        $"{System.Text.Encoding.UTF8.GetString(cursor.Key)}={System.Text.Encoding.UTF8.GetString(cursor.Value)}";

    static byte[] KeyOf(int key) => TestStore.Bytes($"{key:d4}");
}
