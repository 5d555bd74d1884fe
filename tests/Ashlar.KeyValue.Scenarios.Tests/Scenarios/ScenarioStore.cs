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

    public bool TryWrite(WriteBatch batch, WriteConditions conditions, Durability durability) =>
        plain?.TryWrite(batch, conditions, durability) ?? sharded!.TryWrite(batch, conditions, durability);

    /// <summary>Deletes every key outside of keyspaces from one on.</summary>
    public void DeleteFrom(string start, Durability durability) => plain!.DeleteRange(KeyRange.From(TestStore.Bytes(start)), durability);

    /// <summary>Reads a key of the model.</summary>
    public byte[]? Get(string key) => Get(key, out _);

    /// <summary>The same, with the sequence of the write that put it; 0: it is absent.</summary>
    public byte[]? Get(string key, out ulong sequence)
    {
        sequence = 0;
        if (KeyspaceKeys.IsName(key, out var name)) return FindKeyspace(name) is null ? null : [];
        IKeyValueReader? reader = plain is null ? sharded : plain;
        if (KeyspaceKeys.TrySplit(key, out var keyspace, out var within)) (reader, key) = (FindKeyspace(keyspace), within);
        if (reader?.Get(TestStore.Bytes(key), out var info) is not { } value) return null;
        sequence = info.Sequence;
        return value;
    }

    public Keyspace? FindKeyspace(string name) => plain!.FindKeyspace(name);

    public Keyspace OpenKeyspace(string name) => plain!.OpenKeyspace(name);

    public bool DropKeyspace(string name) => plain!.DropKeyspace(name);

    public KeyValueTransaction BeginTransaction() => plain!.BeginTransaction();

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

    /// <summary>All entries, by scans: those of keyspaces, too, unless a prefix is given.</summary>
    public SortedDictionary<string, string> ReadAll(string? prefix = null, int most = int.MaxValue)
    {
        var range = prefix is null ? KeyRange.All : KeyRange.Prefix(TestStore.Bytes(prefix));
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (plain is not null)
        {
            using var cursor = plain.Scan(range);
            while (found.Count < most && cursor.MoveNext()) Add(cursor.Key, cursor.Value);
            if (prefix is null) AddKeyspaces();
        }
        else
        {
            using var cursor = sharded!.Scan(range);
            while (found.Count < most && cursor.MoveNext()) Add(cursor.Key, cursor.Value);
        }

        return found;

        void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
            found.Add(Encoding.UTF8.GetString(key), Encoding.UTF8.GetString(value));

        void AddKeyspaces()
        {
            foreach (var name in plain.ListKeyspaces())
            {
                found.Add(KeyspaceKeys.Of(name), "");
                using var cursor = plain.FindKeyspace(name)!.Scan(KeyRange.All);
                while (cursor.MoveNext())
                    found.Add(KeyspaceKeys.Of(name, Encoding.UTF8.GetString(cursor.Key)), Encoding.UTF8.GetString(cursor.Value));
            }
        }
    }

    /// <summary>A view of what is there now, as a function that reads it; disposed with what is returned.</summary>
    public HeldView Hold()
    {
        if (plain is not null) return HoldPlain(plain);
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

    // Cursors over keyspaces as well: one that is dropped meanwhile goes on to show what it did.
    static HeldView HoldPlain(KeyValueStore store)
    {
        var view = store.CreateSnapshot();
        var cursors = new List<(string? Keyspace, IKeyValueCursor Cursor)>();
        try
        {
            cursors.Add((null, view.Scan(KeyRange.All)));
            foreach (var name in store.ListKeyspaces())
                cursors.Add((name, view.In(store.FindKeyspace(name)!).Scan(KeyRange.All)));
        }
        catch
        {
            Release();
            throw;
        }

        return new(Read, Release);

        IEnumerable<(string, string)> Read()
        {
            foreach (var (keyspace, cursor) in cursors)
            {
                if (keyspace is not null) yield return (KeyspaceKeys.Of(keyspace), "");
                while (cursor.MoveNext())
                {
                    var key = Encoding.UTF8.GetString(cursor.Key);
                    yield return (keyspace is null ? key : KeyspaceKeys.Of(keyspace, key), Encoding.UTF8.GetString(cursor.Value));
                }
            }
        }

        void Release()
        {
            foreach (var (_, cursor) in cursors) cursor.Dispose();
            view.Dispose();
        }
    }
}

/// <summary>A cursor that is held open.</summary>
sealed class HeldView(Func<IEnumerable<(string Key, string Value)>> read, Action release) : IDisposable
{
    public IEnumerable<(string Key, string Value)> Read() => read();

    public void Dispose() => release();
}
