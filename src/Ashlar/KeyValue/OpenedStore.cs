using Ashlar.KeyValue;
using Ashlar.KeyValue.Sharding;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>The store of a directory, with shards or without.</summary>
sealed class OpenedStore : IDisposable
{
    readonly KeyValueStore? plain;
    readonly ShardedKeyValueStore? sharded;

    OpenedStore(string directory, KeyValueStore? plain, ShardedKeyValueStore? sharded)
    {
        Directory = directory;
        this.plain = plain;
        this.sharded = sharded;
    }

    public string Directory { get; }

    /// <summary>0 for a store without shards.</summary>
    public int ShardCount => sharded?.ShardCount ?? 0;

    public Guid Id => sharded?.StoreId ?? plain!.StoreId;

    /// <summary>Opens what is there.</summary>
    /// <param name="directory">Where.</param>
    /// <param name="isReadOnly">Whether nothing on disk is changed; then others may read at the same time.</param>
    /// <param name="create">The command that would create it.</param>
    /// <exception cref="CommandException">There is no store.</exception>
    public static OpenedStore Open(string directory, bool isReadOnly, string create) =>
        Open(directory, new KeyValueOptions { CreateIfMissing = false, ReadOnly = isReadOnly }, create);

    /// <summary>Opens what is there, to archive its log.</summary>
    /// <exception cref="CommandException">There is no store.</exception>
    public static OpenedStore OpenToArchive(string directory, string archive, string create) =>
        Open(directory, new KeyValueOptions { CreateIfMissing = false, LogArchiveDirectory = archive }, create);

    static OpenedStore Open(string directory, KeyValueOptions options, string create)
    {
        RequireStore(directory, create);
        return ShardedKeyValueStore.IsSharded(directory)
            ? new(directory, null, ShardedKeyValueStore.Open(directory, new() { Store = options }))
            : new(directory, KeyValueStore.Open(directory, options), null);
    }

    /// <summary>Creates a store.</summary>
    /// <param name="directory">Where; it may exist, but no store in it.</param>
    /// <param name="shardCount">How many shards; 0 for a store without.</param>
    /// <param name="hashedPrefixBytes">How many bytes of a key decide on its shard; 0 is all.</param>
    /// <param name="saltedPrefix">How keys begin that are spread over all shards; empty if none are.</param>
    /// <exception cref="CommandException">There is a store already.</exception>
    public static OpenedStore Create(string directory, int shardCount, int hashedPrefixBytes, byte[] saltedPrefix)
    {
        if (IsStore(directory))
            throw new CommandException(ExitCode.Conflict, Api.ProblemTypes.Exists, $"{directory}: there is a store already");
        if (shardCount == 0) return new(directory, KeyValueStore.Open(directory), null);
        var options = new ShardedKeyValueOptions
        {
            ShardCount = shardCount,
            HashedPrefixBytes = hashedPrefixBytes,
            SaltedPrefix = saltedPrefix,
        };
        return new(directory, null, ShardedKeyValueStore.Open(directory, options));
    }

    public byte[]? Get(ReadOnlySpan<byte> key) => plain is null ? sharded!.Get(key) : plain.Get(key);

    /// <summary>Applies a batch: as a whole, or in a sharded store what belongs to one shard as a whole.</summary>
    public void Write(WriteBatch batch, Durability durability)
    {
        if (plain is null) sharded!.WritePerShard(batch, durability);
        else plain.Write(batch, durability);
    }

    public void Sync()
    {
        plain?.Sync();
        sharded?.Sync();
    }

    public EntryCursor Scan(KeyRange range, ScanDirection direction) =>
        new(plain?.Scan(range, direction), sharded?.Scan(range, direction));

    public KeyValueStatistics GetStatistics() => plain?.GetStatistics() ?? sharded!.GetStatistics();

    public KeyValueStatistics GetStatistics(int shard) => sharded!.GetStatistics(shard);

    public VerificationReport Verify() => plain?.Verify() ?? sharded!.Verify();

    /// <summary>Backs up the store; of a sharded one the sequence counts the writes of all shards.</summary>
    public BackupInfo BackUp(string directory, BackupMode mode)
    {
        if (plain is not null) return plain.BackUp(directory, mode);
        var backup = sharded!.BackUp(directory, mode);
        return KeyValueBackupSet.Describe(backup);
    }

    public void ArchiveLog()
    {
        plain?.ArchiveLog();
        sharded?.ArchiveLog();
    }

    public void EndLogArchive()
    {
        plain?.EndLogArchive();
        sharded?.EndLogArchive();
    }

    public void Compact()
    {
        plain?.Compact();
        sharded?.Compact();
    }

    /// <summary>Closes the store and reports what that could not make durable, which <see cref="Dispose"/> does not.</summary>
    public void Close()
    {
        plain?.Close();
        sharded?.Close();
    }

    public void Dispose()
    {
        plain?.Dispose();
        sharded?.Dispose();
    }

    static bool IsStore(string directory) =>
        ShardedKeyValueStore.IsSharded(directory) || FileSystems.Real.FileExists($"{directory}/MANIFEST");

    // The engine would leave a lock file in a directory that is none of ours. Files of a store without its manifest are its
    // business: it tells what is missing.
    static void RequireStore(string directory, string create)
    {
        var disk = FileSystems.Real;
        if (disk.FileExists(directory)) throw NotFound("is a file, not the directory of a store");
        if (!disk.DirectoryExists(directory)) throw NotFound("there is no such directory");
        if (!IsStore(directory) && !disk.List(directory).Any(IsOurs))
            throw NotFound("there is no key-value store in this directory");

        static bool IsOurs(string name) =>
            Array.Exists((string[])["log-", "table-", "shard-"], prefix => name.StartsWith(prefix, StringComparison.Ordinal));

        CommandException NotFound(string problem) =>
            new(ExitCode.NotFound, Api.ProblemTypes.Failed, $"{directory}: {problem}", create);
    }
}

/// <summary>Walks the entries of a store.</summary>
sealed class EntryCursor(KeyValueCursor? plain, ShardedKeyValueCursor? sharded) : IDisposable
{
    public ReadOnlySpan<byte> Key => plain is null ? sharded!.Key : plain.Key;

    public ReadOnlySpan<byte> Value => plain is null ? sharded!.Value : plain.Value;

    public bool MoveNext() => plain?.MoveNext() ?? sharded!.MoveNext();

    public void Dispose()
    {
        plain?.Dispose();
        sharded?.Dispose();
    }
}
