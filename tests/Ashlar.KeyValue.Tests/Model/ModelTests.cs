using System.Collections.Concurrent;
using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Random sequences of everything a user can do, against a dictionary; power cuts, reopening, a full disk and failing calls
/// are operations like others.
/// </summary>
public sealed class ModelTests(ITestOutputHelper output)
{
    const int Length = 300;

    [Theory, Seeds(count: 60)]
    public void A_store_behaves_like_a_sorted_dictionary_that_power_cuts_may_only_shorten(ulong seed)
    {
        var operations = SeededRandom.For(seed, "operations");
        var all = Enumerable.Range(0, Length).Select(_ => operations.NextUInt64()).ToArray();
        var chosen = Environment.GetEnvironmentVariable("ASHLAR_MODEL_STEPS") is { Length: > 0 } text
            ? [.. text.Split(',').Select(int.Parse)]
            : Enumerable.Range(0, Length).ToArray();
        if (FailureOf(seed, all, chosen) is not { } failure) return;
        var shrunk = SequenceShrinker.Shrink(chosen, positions => FailureOf(seed, all, positions) is not null);
        var last = FailureOf(seed, all, shrunk) ?? failure;
        throw new InvalidOperationException(
            $"""
            Seed {seed}: {last.Message}
            Replay: ASHLAR_SEED={seed} ASHLAR_MODEL_STEPS={string.Join(',', shrunk)} ASHLAR_TEST_FILTER=ModelTests ./test KeyValue
            """,
            last);
    }

    [Fact]
    public void So_it_does_in_many_short_sequences()
    {
        const int Short = 60;
        var first = TestSeeds.First(nameof(So_it_does_in_many_short_sequences));
        var sequences = TestTier.Choose(300, 20_000);
        var failures = new ConcurrentQueue<(ulong Seed, Exception Failure)>();
        Parallel.For(0, sequences, new ParallelOptions { MaxDegreeOfParallelism = 2 }, number =>
        {
            var seed = first + (ulong)number;
            var operations = SeededRandom.For(seed, "operations");
            var all = Enumerable.Range(0, Length).Select(_ => operations.NextUInt64()).ToArray();
            if (FailureOf(seed, all, [.. Enumerable.Range(0, Short)]) is { } failure) failures.Enqueue((seed, failure));
        });
        var some = string.Join(", ", failures.Take(3).Select(one => $"seed {one.Seed}: {one.Failure.Message}"));
        Assert.True(failures.IsEmpty, $"{failures.Count} sequences fail: {some}");
        output.WriteLine(JsonSerializer.Serialize(
            new { line = "engine model sequences", seed = first, sequences, operations = Short, failures = failures.Count }));
    }

    // Each operation makes its choices from a number of its own: what is left out does not change the others.
    static Exception? FailureOf(ulong seed, ulong[] operations, IReadOnlyList<int> positions)
    {
        var world = new World(new SimulatedFileSystem(), inline: seed % 4 != 0, seed);
        try
        {
            foreach (var position in positions) world.Step(operations[position]);
            world.Check();
            return null;
        }
        catch (Exception failure)
        {
            return failure;
        }
        finally
        {
            world.End();
        }
    }

    sealed class World
    {
        readonly bool inline;
        readonly int separatedValueBytes;
        readonly SimulatedClock clock = new();
        readonly List<(KeyValueSnapshot Snapshot, Content Content)> snapshots = [];
        SeededRandom random;
        SimulatedFileSystem disk;
        FaultyFileSystem faults;
        KeyValueStore store;
        bool isFull;
        bool mayFail;

        // The last promised state, and the states after each relaxed write since.
        readonly List<Content> history = [[]];

        public World(SimulatedFileSystem disk, bool inline, ulong seed)
        {
            random = new SeededRandom(seed);
            this.disk = disk;
            faults = new FaultyFileSystem(disk);
            this.inline = inline;
            separatedValueBytes = random.OneIn(3) ? int.MaxValue : random.Next(110);
            store = Open();
        }

        IEnumerable<KeyValuePair<string, string>> Model => history[^1].At(clock.GetUtcNow());

        public void Step(ulong operation)
        {
            random = new SeededRandom(operation);
            try
            {
                Do(random.Next(42));
            }
            catch (StorePoisonedException)
            {
                Recover();
            }
            catch (StorageException) when (isFull || mayFail)
            {
                // Refused: nothing has changed.
            }
        }

        void Do(int choice)
        {
            switch (choice)
            {
                case 0: Reopen(); break;
                case 1: LosePower(); break;
                case 2: store.Flush(); Promise(); break;
                case 3: store.Compact(); Promise(); break;
                case 4: store.Sync(); Promise(); break;
                case 5 when snapshots.Count < 4: snapshots.Add((store.CreateSnapshot(), history[^1])); break;
                case 6 when snapshots.Count > 0: CheckSnapshot(random.Next(snapshots.Count)); break;
                case 7: Check(); break;
                case 8: clock.Advance(TimeSpan.FromMilliseconds(random.Next(1, 30))); break;
                case < 12: ScanSome(); break;
                case < 20: CheckKey(Key()); break;
                case 20: FillDisk(); break;
                case 21: FailNext(); break;
                case 22 or 23: DeleteRun(); break;
                default: Write(); break;
            }
        }

        public void Check()
        {
            Require(store.ReadAll(), Describe(Model));
            Require(store.ReadAll(ScanDirection.Backward), string.Join(' ', Model.Reverse().Select(pair => $"{pair.Key}={pair.Value}")));
            var report = store.Verify();
            if (!report.IsClean) throw report.Problems[0];
        }

        void Close()
        {
            foreach (var (snapshot, _) in snapshots) snapshot.Dispose();
            snapshots.Clear();
            FreeDisk();
            store.Dispose();
        }

        void FillDisk()
        {
            if (isFull) FreeDisk();
            else disk.CapacityBytes -= disk.GetFreeSpaceBytes("/") - random.Next(6000);
            isFull = !isFull;
        }

        void FreeDisk() => disk.CapacityBytes = 1L << 40;

        // Refused or in doubt, depending on what it meets; or never met.
        void FailNext()
        {
            mayFail = true;
            faults.Add(random.OneIn(2)
                ? new FaultRule(FaultOperations.Sync, FaultKind.LostSync)
                : new FaultRule(FaultOperations.Write, FaultKind.ShortWrite));
        }

        void Write()
        {
            var next = new Content(history[^1]);
            var batch = new WriteBatch();
            for (var count = random.OneIn(3) ? random.Next(1, 6) : 1; count > 0; count--)
            {
                var key = Key();
                if (random.OneIn(3))
                {
                    batch.Delete(TestStore.Bytes(key));
                    next.Remove(key);
                }
                else
                {
                    var value = $"{random.Next(100_000)}".PadLeft(random.OneIn(20) ? 3000 : random.Next(1, 120), 'v');
                    TimeSpan? timeToLive = random.OneIn(3) ? TimeSpan.FromMilliseconds(random.Next(1, 50)) : null;
                    if (timeToLive is { } time) batch.Put(TestStore.Bytes(key), TestStore.Bytes(value), time, clock);
                    else batch.Put(TestStore.Bytes(key), TestStore.Bytes(value));
                    next[key] = (value, timeToLive is { } some ? clock.GetUtcNow() + some : DateTimeOffset.MaxValue);
                }
            }

            Apply(batch, next);
        }

        // As the server of a queue does: what it deletes gathers, and later scans step over it as over one thing.
        void DeleteRun()
        {
            var (start, next, batch) = (Key(), new Content(history[^1]), new WriteBatch());
            foreach (var key in next.Keys.Where(key => string.CompareOrdinal(key, start) >= 0).Take(random.Next(2, 12)).ToArray())
            {
                batch.Delete(TestStore.Bytes(key));
                next.Remove(key);
            }

            Apply(batch, next);
            ScanSome();
        }

        void Apply(WriteBatch batch, Content next)
        {
            var durability = random.OneIn(2) ? Durability.Sync : random.OneIn(2) ? Durability.Relaxed : Durability.Unflushed;
            try
            {
                store.Write(batch, durability);
                history.Add(next);
            }
            catch (StorePoisonedException)
            {
                history.Add(next);
                throw;
            }

            if (durability == Durability.Sync) Promise();
        }

        void ScanSome()
        {
            var (start, end) = (Key(), Key());
            if (string.CompareOrdinal(start, end) > 0) (start, end) = (end, start);
            var direction = random.OneIn(2) ? ScanDirection.Forward : ScanDirection.Backward;
            var expected = Model.Where(pair => string.CompareOrdinal(pair.Key, start) >= 0 && string.CompareOrdinal(pair.Key, end) < 0);
            if (direction == ScanDirection.Backward) expected = expected.Reverse();
            Require(
                store.Scan(KeyRange.Between(TestStore.Bytes(start), TestStore.Bytes(end)), direction).ReadAll(),
                string.Join(' ', expected.Select(pair => $"{pair.Key}={pair.Value}")));
        }

        void CheckKey(string key) => Require(store.Get(key), Model.FirstOrDefault(pair => pair.Key == key).Value);

        void CheckSnapshot(int index)
        {
            var (snapshot, content) = snapshots[index];
            Require(snapshot.Scan(KeyRange.All).ReadAll(), Describe(content.At(clock.GetUtcNow())));
            Require(
                snapshot.Scan(KeyRange.All, ScanDirection.Backward).ReadAll(), Describe(content.At(clock.GetUtcNow()).Reverse()));
            if (!random.OneIn(3)) return;
            snapshot.Dispose();
            snapshots.RemoveAt(index);
        }

        public void End()
        {
            faults.Heal();
            CloseInDoubt();
        }

        void Reopen()
        {
            isFull = false;
            if (mayFail)
            {
                Recover();
                return;
            }

            Close();
            store = Open();
            Promise();
            Check();
        }

        /// <summary>After doubt only reopening tells what is there.</summary>
        void Recover()
        {
            faults.Heal();
            mayFail = false;
            CloseInDoubt();
            store = Open();
            RequireSomeState();
        }

        void LosePower()
        {
            var after = disk.LosePower(random.NextUInt64());
            faults.Heal();
            mayFail = false;
            CloseInDoubt();
            disk = after;
            isFull = false;
            FreeDisk();
            faults = new FaultyFileSystem(disk);
            store = Open();
            RequireSomeState();
        }

        void CloseInDoubt()
        {
            try
            {
                Close();
            }
            catch (AshlarException)
            {
                // What was in doubt before is told again.
            }
        }

        void RequireSomeState()
        {
            var found = store.ReadAll();
            var survived = history.FindIndex(state => Describe(state.At(clock.GetUtcNow())) == found);
            if (survived < 0)
                throw new InvalidOperationException(
                    $"The store holds no state since the last promise: {found}");
            history.RemoveRange(survived + 1, history.Count - survived - 1);
            Promise();
        }

        void Promise() => history.RemoveRange(0, history.Count - 1);

        string Key() => $"key{random.Next(30):d2}";

        KeyValueStore Open() => KeyValueStore.Open(TestStore.Directory, TestStore.Small(faults, inline) with
        {
            Entropy = new SeededEntropy(random.NextUInt64()),
            TimeProvider = clock,
            RelaxedLossTime = TimeSpan.FromDays(1), // No sync but those that are asked for.
            MemTableBytes = 2500,
            SeparatedValueBytes = separatedValueBytes,
            LogSegmentBytes = 6000,
            TableBytes = 1024,
            BlockBytes = 256,
            LevelZeroTables = 2,
            LogChunkBytes = 2048,
            ManifestRewriteBytes = 500,
            // Nothing fits, little fits, everything does.
            BlockCacheBytes = random.Next(3) switch { 0 => 0, 1 => 4 << 10, _ => 1 << 20 },
            MaxOpenFiles = random.Next(1, 5),
        });

        static string Describe(IEnumerable<KeyValuePair<string, string>> content) =>
            string.Join(' ', content.Select(pair => $"{pair.Key}={pair.Value}"));

        // What was written last for each key, and when that expires.
        sealed class Content : SortedDictionary<string, (string Value, DateTimeOffset ExpiresAt)>
        {
            public Content()
                : base(StringComparer.Ordinal)
            {
            }

            public Content(Content other)
                : base(other, StringComparer.Ordinal)
            {
            }

            public IEnumerable<KeyValuePair<string, string>> At(DateTimeOffset now) =>
                this.Where(pair => pair.Value.ExpiresAt > now).Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Value));
        }

        static void Require(string? found, string? expected)
        {
            if (found != expected) throw new InvalidOperationException($"found    {found}\nexpected {expected}");
        }
    }
}
