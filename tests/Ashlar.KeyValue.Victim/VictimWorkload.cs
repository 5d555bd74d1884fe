using Ashlar.KeyValue.Sharding;
using Ashlar.Simulation;

namespace Ashlar.KeyValue.Victim;

/// <summary>A key and its new value; null deletes it.</summary>
public readonly record struct Change(string Key, string? Value);

/// <summary>What one call writes. No changes: a call of <see cref="KeyValueStore.Sync"/>.</summary>
public sealed record VictimOperation(Durability Durability, IReadOnlyList<Change> Changes)
{
    public bool IsSync { get; } = Changes.Count == 0;

    /// <summary>Bytes of keys and values.</summary>
    public long SizeBytes => Changes.Sum(change => (long)change.Key.Length + (change.Value?.Length ?? 0));

    /// <summary>What of it concerns some of the keys; if nothing, it promises nothing there.</summary>
    public VictimOperation Of(Func<string, bool> isConcerned)
    {
        if (IsSync) return this;
        Change[] part = [.. Changes.Where(change => isConcerned(change.Key))];
        return this with { Changes = part, Durability = part.Length == 0 ? Durability.Relaxed : Durability };
    }
}

/// <summary>
/// What each thread writes, derived from numbers alone: the victim need not tell what it wrote, only that it began and that it
/// was acknowledged.
/// </summary>
public static class VictimWorkload
{
    public const int Threads = 4;

    /// <summary>The last thread keeps so many writes outstanding.</summary>
    public const int AsynchronousThread = Threads - 1, Outstanding = 8;

    const int OwnKeys = 40, SharedKeys = 4;

    /// <summary>Small enough for every flush and merge to happen within a blink.</summary>
    public static KeyValueOptions Options { get; } = new()
    {
        MemTableBytes = 16 << 10,
        TableBytes = 16 << 10,
        BlockCacheBytes = 1 << 20,
        RelaxedLossBytes = 256 << 10,
        LogSegmentBytes = 64 << 10,
    };

    public const int Shards = 3;

    public static KeyValueOptions OptionsOf(StoreKind kind) => kind == StoreKind.Collecting
        ? Options with { MemTableBytes = 8 << 10, LogSegmentBytes = 12 << 10, SpaceAmplification = 1.1 }
        : Options;

    public static ShardedKeyValueOptions ShardedOptions { get; } = new()
    {
        ShardCount = Shards,
        SaltedPrefix = System.Text.Encoding.UTF8.GetBytes(SharedPrefix),
    };

    /// <summary>Bytes of relaxed writes that power loss may take from one engine of the store.</summary>
    public static long MostLost(StoreKind kind) => Options.RelaxedLossBytes / (kind == StoreKind.Sharded ? Shards : 1);

    public static IEnumerable<string> OwnKeysOf(int thread) => Enumerable.Range(0, OwnKeys).Select(number => $"{OwnPrefix(thread)}{number:d2}");

    public static string OwnPrefix(int thread) => $"own {thread} ";

    public const string SharedPrefix = "shared ";

    public static VictimOperation Operation(ulong seed, int life, int thread, int index)
    {
        var random = new SeededRandom(
            new SeededRandom(seed ^ (((ulong)life << 40) + ((ulong)thread << 32) + (uint)index)).NextUInt64());
        var durability = random.OneIn(thread switch { 0 => 1, 1 => 4, 2 => 60, _ => 3 })
            ? Durability.Sync
            : Durability.Relaxed;
        if (thread != AsynchronousThread && random.OneIn(50)) return new(Durability.Sync, []);
        var changes = new List<Change>();
        var count = random.OneIn(3) ? random.Next(2, 6) : 1;
        for (var i = 0; i < count; i++)
        {
            var key = random.OneIn(8) ? $"{SharedPrefix}{random.Next(SharedKeys)}" : $"{OwnPrefix(thread)}{random.Next(OwnKeys):d2}";
            // Within a batch the last change of a key counts; each key once keeps the judge simple.
            if (changes.Exists(change => change.Key == key)) continue;
            changes.Add(new(key, random.OneIn(4) ? null : Value(random, life, thread, index)));
        }

        return new(durability, changes);
    }

    // A value says who wrote it. Some are long enough for several sectors and for a place of their own, some just so or just not.
    static string Value(SeededRandom random, int life, int thread, int index)
    {
        var length = random.Next(20) switch { 0 => 9000, 1 => 1500, 2 => random.Next(254, 259), < 8 => random.Next(150, 700), _ => random.Next(20, 120) };
        return $"{life}.{thread}.{index}".PadRight(length, (char)('a' + random.Next(26)));
    }
}
