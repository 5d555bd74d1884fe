using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>The workload is about to write its <paramref name="Step"/>-th change.</summary>
sealed record Begun(int Step);

/// <summary>The store has promised that everything up to the <paramref name="Step"/>-th change is durable.</summary>
sealed record Promised(int Step);

/// <summary>
/// Puts, deletes, batches, syncs, flushes, compactions and reopenings, derived from a seed, with what the store must hold
/// after each change.
/// </summary>
sealed class CrashWorkload
{
    public const string Directory = "/data/store";

    readonly List<Dictionary<string, int>> contents = [[]];
    readonly Dictionary<string, List<int>> stepsByContent = [];
    readonly List<Action<Runner>> operations = [];
    readonly int syncOneIn;

    public CrashWorkload(ulong seed, int operationCount, int keyCount = 10)
    {
        Seed = seed;
        var random = new SeededRandom(seed);
        syncOneIn = random.Next(1, 5);
        Remember();
        for (var i = 0; i < operationCount; i++) operations.Add(Choose(random, keyCount));
        Steps = contents.Count - 1;
    }

    public ulong Seed { get; }

    public int Steps { get; }

    /// <summary>Bytes of values that the last run moved.</summary>
    public long MovedValueBytes { get; private set; }

    /// <summary>Everything small, so that a short workload passes through all that the engine does.</summary>
    public static KeyValueOptions Options(
        IFileSystem disk, ulong seed) => new()
        {
            FileSystem = disk,
            Entropy = new SeededEntropy(seed),
            TimeProvider = new SimulatedClock(),
            MemTableBytes = seed % 2 == 0 ? 1500 : 4000,
            SeparatedValueBytes = (seed / 2 % 4) switch { 0 => 0, 1 => 60, 2 => 256, _ => int.MaxValue },
            LogSegmentBytes = seed % 3 == 0 ? 1 << 20 : 1500,
            SpaceAmplification = 1.1,
            TableBytes = 1024,
            BlockBytes = 256,
            LogChunkBytes = 2048,
            ManifestRewriteBytes = 400,
            LevelZeroTables = 2,
            RelaxedLossBytes = 4096,
            BlockCacheBytes = 1 << 20,
            BackgroundInline = true,
        };

    public void Run(SimulatedFileSystem disk) => Run(disk, disk);

    /// <summary>Runs on a disk that the store sees through another.</summary>
    public void Run(SimulatedFileSystem disk, IFileSystem seen)
    {
        var runner = new Runner(disk, () => KeyValueStore.Open(Directory, Options(seen, Seed)));
        foreach (var operation in operations) operation(runner);
        runner.Close();
        MovedValueBytes = runner.MovedValueBytes;
    }

    /// <summary>Changes after which the store held this, and nothing else.</summary>
    public IReadOnlyList<int> StepsWith(string content) => stepsByContent.TryGetValue(content, out var steps) ? steps : [];

    public string ContentAt(int step) =>
        Describe(contents[step].OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, pair.Value)));

    public static string Describe(KeyValueStore store)
    {
        var entries = new List<(string, int)>();
        using var cursor = store.Scan(KeyRange.All);
        while (cursor.MoveNext())
        {
            var value = Encoding.UTF8.GetString(cursor.Value);
            var number = int.Parse(value.TrimStart('.'));
            if (value != Value(number))
                throw new InvalidOperationException(
                    $"{Encoding.UTF8.GetString(cursor.Key)} holds a value that was never written: {value}");
            entries.Add((Encoding.UTF8.GetString(cursor.Key), number));
        }

        return Describe(entries);
    }

    static string Describe(IEnumerable<(string Key, int Value)> entries) =>
        string.Join(' ', entries.Select(entry => $"{entry.Key}={entry.Value}"));

    // Lengths differ, and some values span several sectors.
    static string Value(int number) => number.ToString().PadLeft(number % 7 == 0 ? 700 : 20 + (number * 37 % 90), '.');

    void Remember()
    {
        var text = ContentAt(contents.Count - 1);
        if (!stepsByContent.TryGetValue(text, out var steps)) stepsByContent[text] = steps = [];
        steps.Add(contents.Count - 1);
    }

    Action<Runner> Choose(SeededRandom random, int keyCount)
    {
        switch (random.Next(24))
        {
            case 0: return runner => runner.Store.Flush();
            case 1: return runner => runner.Store.Compact();
            case 2: return runner => runner.Reopen();
            case 3: return runner => runner.Sync(runner.LastStep);
        }

        var count = random.OneIn(3) ? random.Next(2, 4) : 1;
        var durability = random.OneIn(syncOneIn) ? Durability.Sync : Durability.Relaxed;
        var step = contents.Count;
        var after = new Dictionary<string, int>(contents[^1]);
        var changes = new List<Change>();
        for (var i = 0; i < count; i++)
        {
            var change = new Change($"key{random.Next(keyCount):d2}", (step * 4) + i, (ChangeKind)random.Next(6));
            changes.Add(change);
            if (change.Kind is ChangeKind.Delete or ChangeKind.PutExpired) after.Remove(change.Key);
            else after[change.Key] = change.Value;
        }

        contents.Add(after);
        Remember();
        return runner => runner.Write(step, changes, durability);
    }

    // What has expired when it is written deletes, and what expires late does not expire: the model needs no clock.
    enum ChangeKind
    {
        Delete,
        PutExpired,
        PutExpiring,
        Put,
    }

    readonly record struct Change(string Key, int Value, ChangeKind Kind);

    sealed class Runner(SimulatedFileSystem disk, Func<KeyValueStore> open)
    {
        public KeyValueStore Store { get; private set; } = open();

        public int LastStep { get; private set; }

        public long MovedValueBytes { get; private set; }

        public void Write(int step, List<Change> changes, Durability durability)
        {
            var batch = new WriteBatch();
            foreach (var change in changes)
            {
                var key = Encoding.UTF8.GetBytes(change.Key);
                var value = Encoding.UTF8.GetBytes(Value(change.Value));
                if (change.Kind == ChangeKind.Delete) batch.Delete(key);
                else if (change.Kind == ChangeKind.PutExpired) batch.Put(key, value, DateTimeOffset.UnixEpoch.AddDays(1));
                else if (change.Kind == ChangeKind.PutExpiring) batch.Put(key, value, DateTimeOffset.MaxValue);
                else batch.Put(key, value);
            }

            disk.Mark(new Begun(step));
            Store.Write(batch, durability);
            LastStep = step;
            if (durability == Durability.Sync) disk.Mark(new Promised(step));
        }

        public void Sync(int step)
        {
            Store.Sync();
            disk.Mark(new Promised(step));
        }

        public void Reopen()
        {
            Close();
            Store = open();
        }

        public void Close()
        {
            MovedValueBytes += Store.GetStatistics().MovedValueBytes;
            Store.Dispose();
            disk.Mark(new Promised(LastStep));
        }
    }
}
