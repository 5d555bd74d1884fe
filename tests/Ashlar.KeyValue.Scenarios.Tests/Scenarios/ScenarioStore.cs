using System.Text;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>The store of a scenario, with shards or without.</summary>
sealed class ScenarioStore : IDisposable
{
    readonly KeyValueStore? plain;
    readonly ShardedKeyValueStore? sharded;

    ScenarioStore(KeyValueStore? plain, ShardedKeyValueStore? sharded) => (this.plain, this.sharded) = (plain, sharded);

    public Exception? Failure => plain is null ? sharded!.Failure : plain.Failure;

    public static ScenarioStore Open(ScenarioOptions options, int generation, IFileSystem disk, ulong entropy)
    {
        var directory = ScenarioOptions.DirectoryOf(generation);
        return options.IsSharded
            ? new(null, ShardedKeyValueStore.Open(
                directory, options.Sharded(disk, entropy, generation, isNew: !ShardedKeyValueStore.IsSharded(directory, disk))))
            : new(KeyValueStore.Open(directory, options.Store(disk, entropy, generation)), null);
    }

    /// <summary>Opens a store that was restored or repaired elsewhere, only to look.</summary>
    public static ScenarioStore OpenCopy(ScenarioOptions options, string directory, IFileSystem disk)
    {
        var settings = options.Store(disk, 1, 0) with { LogArchiveDirectory = null, CreateIfMissing = false };
        return options.IsSharded
            ? new(null, ShardedKeyValueStore.Open(directory, new() { OneByOne = true, Store = settings }))
            : new(KeyValueStore.Open(directory, settings), null);
    }

    /// <summary>What is lost and found together: an engine, or a key that lies in all of them.</summary>
    public string LaneOf(string key)
    {
        if (sharded is null) return "";
        return sharded.GetShard(TestStore.Bytes(key)) is >= 0 and var shard ? $"shard {shard}" : key;
    }

    public void Write(WriteBatch batch, Durability durability)
    {
        if (plain is null) sharded!.Write(batch, durability);
        else plain.Write(batch, durability);
    }

    public byte[]? Get(string key) => plain is null ? sharded!.Get(TestStore.Bytes(key)) : plain.Get(TestStore.Bytes(key));

    public void Sync()
    {
        plain?.Sync();
        sharded?.Sync();
    }

    public void Flush()
    {
        plain?.Flush();
        sharded?.Flush();
    }

    public void Compact()
    {
        plain?.Compact();
        sharded?.Compact();
    }

    public void ArchiveLog()
    {
        plain?.ArchiveLog();
        sharded?.ArchiveLog();
    }

    /// <summary>What an archive does by itself; of several engines it is left to them.</summary>
    public void ArchiveDurableLog() => plain?.ArchiveDurableLog();

    public ulong BackUp(BackupMode mode) => plain is null
        ? sharded!.BackUp(ScenarioOptions.Backups, mode).Number
        : plain.BackUp(ScenarioOptions.Backups, mode).Number;

    public long MovedValueBytes => (plain?.GetStatistics() ?? sharded!.GetStatistics()).MovedValueBytes;

    public ulong LastSequence => (plain?.GetStatistics() ?? sharded!.GetStatistics()).LastSequence;

    public IReadOnlyList<CorruptDataException> Problems => (plain?.Verify() ?? sharded!.Verify()).Problems;

    /// <summary>All entries, by a scan.</summary>
    public SortedDictionary<string, string> ReadAll(string? prefix = null, int most = int.MaxValue)
    {
        var range = prefix is null ? KeyRange.All : KeyRange.Prefix(TestStore.Bytes(prefix));
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (plain is not null)
        {
            using var cursor = plain.Scan(range);
            while (found.Count < most && cursor.MoveNext()) Add(cursor.Key, cursor.Value);
        }
        else
        {
            using var cursor = sharded!.Scan(range);
            while (found.Count < most && cursor.MoveNext()) Add(cursor.Key, cursor.Value);
        }

        return found;

        void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
            found.Add(Encoding.UTF8.GetString(key), Encoding.UTF8.GetString(value));
    }

    /// <summary>A view of what is there now, as a function that reads it; disposed with what is returned.</summary>
    public HeldView Hold()
    {
        if (plain is not null)
        {
            var view = plain.CreateSnapshot();
            var open = view.Scan(KeyRange.All);
            return new(Read, () => { open.Dispose(); view.Dispose(); });

            IEnumerable<(string, string)> Read()
            {
                while (open.MoveNext()) yield return (Encoding.UTF8.GetString(open.Key), Encoding.UTF8.GetString(open.Value));
            }
        }

        var snapshot = sharded!.CreateSnapshot();
        var cursor = snapshot.Scan(KeyRange.All);
        return new(ReadShards, () => { cursor.Dispose(); snapshot.Dispose(); });

        IEnumerable<(string, string)> ReadShards()
        {
            while (cursor.MoveNext()) yield return (Encoding.UTF8.GetString(cursor.Key), Encoding.UTF8.GetString(cursor.Value));
        }
    }

    public void Dispose()
    {
        plain?.Dispose();
        sharded?.Dispose();
    }
}

/// <summary>A cursor that is held open.</summary>
sealed class HeldView(Func<IEnumerable<(string Key, string Value)>> read, Action release) : IDisposable
{
    public IEnumerable<(string Key, string Value)> Read() => read();

    public void Dispose() => release();
}
