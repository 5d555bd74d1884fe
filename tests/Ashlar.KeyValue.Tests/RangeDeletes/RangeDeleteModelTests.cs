using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Deleted ranges among everything else, against a sorted dictionary: snapshots and cursors from before and after them, both ways, through
/// flushes, merges, reopening and power cuts.
/// </summary>
public sealed class RangeDeleteModelTests
{
    const int Keys = 120, Operations = 400;

    [Theory, Seeds(count: 25)]
    public void Every_read_finds_what_a_sorted_dictionary_has(ulong seed) => new World(seed).Run();

    sealed class World
    {
        readonly SeededRandom random;
        readonly SimulatedClock clock = new();
        readonly List<(KeyValueSnapshot Snapshot, SortedDictionary<int, Entry> Content)> snapshots = [];
        readonly List<(KeyValueCursor Cursor, Queue<string> Expected)> cursors = [];
        readonly int valueBytes;
        SimulatedFileSystem disk = new();
        readonly SortedDictionary<int, Entry> model = [];
        KeyValueStore store;

        readonly record struct Entry(string Value, DateTimeOffset Expires);

        public World(ulong seed)
        {
            random = new SeededRandom(seed);
            valueBytes = random.OneIn(2) ? 10 : 90;
            store = Open();
        }

        public void Run()
        {
            for (var operation = 0; operation < Operations; operation++)
            {
                switch (random.Next(24))
                {
                    case < 5: Write(operation); break;
                    case < 9: DeleteRange(operation); break;
                    case 9: Fill(operation); break;
                    case 10 when snapshots.Count < 3: snapshots.Add((store.CreateSnapshot(), new(model))); break;
                    case 11 when snapshots.Count > 0: ReleaseSnapshot(); break;
                    case 12 or 13 when snapshots.Count > 0: CheckSnapshot(); break;
                    case 14 when cursors.Count < 3: OpenCursor(); break;
                    case 15 when cursors.Count > 0: ReadCursor(); break;
                    case 16: store.Flush(); break;
                    case 17 when random.OneIn(3): store.Compact(); break;
                    case 18 when random.OneIn(3): Reopen(random.OneIn(2)); break;
                    case 19: clock.Advance(TimeSpan.FromSeconds(random.Next(3))); break;
                    case < 22: CheckScan(range => store.Scan(range.Keys, range.Direction), model); break;
                    default: CheckKey(); break;
                }
            }

            while (cursors.Count > 0) ReadCursor();
            foreach (var (snapshot, _) in snapshots) snapshot.Dispose();
            snapshots.Clear();
            Require(store.Verify().Problems);
            store.Compact();
            Assert.Equal(0, store.GetStatistics().DeletedRanges); // Nobody needs them any more.
            CheckScan(range => store.Scan(range.Keys, range.Direction), model);
            Require(store.Verify().Problems);
            store.Dispose();
        }

        void Write(int operation)
        {
            var batch = new WriteBatch();
            for (var count = random.Next(1, 4); count > 0; count--) PutOrDelete(batch, random.Next(Keys), operation);
            store.Write(batch, Durability.Sync);
        }

        void PutOrDelete(WriteBatch batch, int key, int operation)
        {
            if (random.OneIn(4))
            {
                batch.Delete(KeyOf(key));
                model.Remove(key);
                return;
            }

            var value = $"{operation}".PadLeft(random.Next(1, valueBytes), 'v');
            var expires = random.OneIn(5) ? clock.GetUtcNow() + TimeSpan.FromSeconds(random.Next(1, 8)) : DateTimeOffset.MaxValue;
            if (expires == DateTimeOffset.MaxValue) batch.Put(KeyOf(key), TestStore.Bytes(value));
            else batch.Put(KeyOf(key), TestStore.Bytes(value), expires);
            model[key] = new(value, expires);
        }

        void Fill(int operation)
        {
            var first = random.Next(Keys);
            for (var key = first; key < Math.Min(Keys, first + 60); key++)
            {
                var value = $"{operation}".PadLeft(valueBytes, 'f');
                store.Put(KeyOf(key), TestStore.Bytes(value), Durability.Unflushed);
                model[key] = new(value, DateTimeOffset.MaxValue);
            }

            store.Sync();
        }

        void DeleteRange(int operation)
        {
            var batch = new WriteBatch();
            if (random.OneIn(4)) PutOrDelete(batch, random.Next(Keys), operation);
            var (from, to) = (random.OneIn(5) ? 0 : random.Next(Keys), random.OneIn(5) ? Keys : 0);
            to = Math.Max(to, Math.Min(Keys, from + random.Next(40)));
            batch.DeleteRange((from, to) switch
            {
                (0, Keys) => KeyRange.All,
                (0, _) => KeyRange.Before(KeyOf(to)),
                (_, Keys) => KeyRange.From(KeyOf(from)),
                _ => KeyRange.Between(KeyOf(from), KeyOf(to)),
            });
            foreach (var key in model.Keys.Where(key => key >= from && key < to).ToArray()) model.Remove(key);
            if (random.OneIn(4)) PutOrDelete(batch, random.Next(Keys), operation);
            store.Write(batch, Durability.Sync);
        }

        void ReleaseSnapshot()
        {
            var chosen = random.Next(snapshots.Count);
            snapshots[chosen].Snapshot.Dispose();
            snapshots.RemoveAt(chosen);
        }

        void CheckSnapshot()
        {
            var (snapshot, content) = snapshots[random.Next(snapshots.Count)];
            CheckScan(range => snapshot.Scan(range.Keys, range.Direction), content);
            var key = random.Next(Keys);
            Assert.Equal(ValueOf(content, key), snapshot.Get($"{key:d4}"));
        }

        void OpenCursor()
        {
            var range = RandomRange();
            var fromSnapshot = snapshots.Count > 0 && random.OneIn(2);
            var (snapshot, content) = fromSnapshot ? snapshots[random.Next(snapshots.Count)] : (null, model);
            var cursor = snapshot?.Scan(range.Keys, range.Direction) ?? store.Scan(range.Keys, range.Direction);
            cursors.Add((cursor, new(Expected(range, content))));
            if (random.OneIn(2)) StepCursor(cursors[^1], most: random.Next(10)); // It stands within what is deleted next.
        }

        void ReadCursor()
        {
            var one = cursors[0];
            cursors.RemoveAt(0);
            StepCursor(one, int.MaxValue);
            Assert.False(one.Cursor.MoveNext());
            one.Cursor.Dispose();
        }

        static void StepCursor((KeyValueCursor Cursor, Queue<string> Expected) one, int most)
        {
            for (; most > 0 && one.Expected.TryDequeue(out var next); most--)
            {
                Assert.True(one.Cursor.MoveNext(), $"{next} is missing");
                Assert.Equal(next, TextOf(one.Cursor));
            }
        }

        void CheckKey()
        {
            var key = random.Next(Keys);
            Assert.Equal(ValueOf(model, key), store.Get($"{key:d4}"));
        }

        void CheckScan(
            Func<(KeyRange Keys, int From, int To, ScanDirection Direction), KeyValueCursor> scan, SortedDictionary<int, Entry> content)
        {
            var range = RandomRange();
            Assert.Equal(string.Join(' ', Expected(range, content)), scan(range).ReadAll());
        }

        void Reopen(bool losesPower)
        {
            while (cursors.Count > 0) ReadCursor();
            foreach (var (snapshot, _) in snapshots) snapshot.Dispose();
            snapshots.Clear();
            var next = losesPower ? disk.LosePower(random.NextUInt64()) : disk; // All that was written is durable.
            store.Dispose();
            disk = next;
            store = Open();
            CheckScan(range => store.Scan(range.Keys, range.Direction), model);
        }

        string? ValueOf(SortedDictionary<int, Entry> content, int key) =>
            content.TryGetValue(key, out var entry) && entry.Expires > clock.GetUtcNow() ? entry.Value : null;

        IEnumerable<string> Expected(
            (KeyRange Keys, int From, int To, ScanDirection Direction) range, SortedDictionary<int, Entry> content)
        {
            var now = clock.GetUtcNow();
            string[] found =
            [
                .. content.Where(entry => entry.Key >= range.From && entry.Key < range.To && entry.Value.Expires > now)
                    .Select(entry => $"{entry.Key:d4}={entry.Value.Value}"),
            ];
            return range.Direction == ScanDirection.Forward ? found : found.Reverse();
        }

        (KeyRange Keys, int From, int To, ScanDirection Direction) RandomRange()
        {
            var direction = random.OneIn(2) ? ScanDirection.Forward : ScanDirection.Backward;
            var from = random.OneIn(2) ? 0 : random.Next(Keys);
            var to = random.OneIn(2) ? Keys : from + random.Next(Keys - from + 1);
            return (from == 0 && to == Keys ? KeyRange.All : KeyRange.Between(KeyOf(from), KeyOf(to)), from, to, direction);
        }

        KeyValueStore Open() => KeyValueStore.Open(TestStore.Directory, TestStore.Tiny(disk, random.NextUInt64()) with
        {
            TimeProvider = clock,
            RelaxedLossTime = TimeSpan.FromDays(1),
        });

        static void Require(IReadOnlyList<Storage.CorruptDataException> problems)
        {
            if (problems is [var problem, ..]) throw problem;
        }

        static string TextOf(KeyValueCursor cursor) =>
            $"{System.Text.Encoding.UTF8.GetString(cursor.Key)}={System.Text.Encoding.UTF8.GetString(cursor.Value)}";

        static byte[] KeyOf(int key) => TestStore.Bytes($"{key:d4}");
    }
}
