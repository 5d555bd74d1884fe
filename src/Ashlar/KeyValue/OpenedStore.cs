using Ashlar.KeyValue;
using Ashlar.KeyValue.Sharding;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>The store of a directory, with shards or without, or a keyspace of one.</summary>
sealed class OpenedStore : IDisposable
{
    readonly KeyValueStore? plain;
    readonly ShardedKeyValueStore? sharded;
    Keyspace? keyspace;

    OpenedStore(string directory, KeyValueStore? plain, ShardedKeyValueStore? sharded)
    {
        Directory = directory;
        this.plain = plain;
        this.sharded = sharded;
    }

    public string Directory { get; }

    /// <summary>0 for a store without shards.</summary>
    public int ShardCount => sharded?.ShardCount ?? 0;

    /// <summary>What entries are read from and written to: the keyspace that was asked for, or what is in none.</summary>
    public IKeyspace Entries => (IKeyspace?)keyspace ?? (IKeyspace?)plain ?? sharded!;

    /// <summary>The keyspace that was asked for; null for none.</summary>
    public string? Keyspace => keyspace?.Name;

    public Guid Id => sharded?.StoreId ?? plain!.StoreId;

    /// <summary>Opens what is there.</summary>
    /// <param name="directory">Where.</param>
    /// <param name="isReadOnly">Whether nothing on disk is changed; then others may read at the same time.</param>
    /// <param name="create">The command that would create it.</param>
    /// <param name="keyspace">Name of the keyspace whose entries are meant; null: those that are in none.</param>
    /// <exception cref="CommandException">There is no store, or no such keyspace.</exception>
    public static OpenedStore Open(string directory, bool isReadOnly, string create, string? keyspace = null)
    {
        var store = Open(directory, new KeyValueOptions { CreateIfMissing = false, ReadOnly = isReadOnly }, create);
        try
        {
            if (keyspace is not null) store.keyspace = store.RequireKeyspace(keyspace);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

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

    /// <summary>Applies a batch: as a whole, or in a sharded store what belongs to one shard as a whole.</summary>
    public void Write(WriteBatch batch, Durability durability)
    {
        if (sharded is not null) sharded.WritePerShard(batch, durability);
        else Entries.Write(batch, durability);
    }

    /// <summary>Names of all keyspaces; a sharded store has none.</summary>
    public IReadOnlyList<string> ListKeyspaces() => plain?.ListKeyspaces() ?? [];

    /// <summary>A keyspace that is there.</summary>
    /// <exception cref="CommandException">There is none of that name, or the store is sharded.</exception>
    public Keyspace RequireKeyspace(string name) => RequirePlain().FindKeyspace(name) ?? throw new CommandException(
        ExitCode.NotFound, Api.ProblemTypes.Failed, $"there is no keyspace '{name}' in {Directory}");

    /// <summary>Creates a keyspace, durably.</summary>
    /// <exception cref="CommandException">There is one of that name already, or the store is sharded.</exception>
    public void CreateKeyspace(string name)
    {
        if (RequirePlain().FindKeyspace(name) is not null)
        {
            throw new CommandException(
                ExitCode.Conflict, Api.ProblemTypes.Exists, $"there is a keyspace '{name}' in {Directory} already");
        }

        plain!.OpenKeyspace(name);
    }

    /// <summary>Drops a keyspace with all of its keys, durably; it is there.</summary>
    public void DropKeyspace(string name) => plain!.DropKeyspace(name);

    KeyValueStore RequirePlain() =>
        plain ?? throw Usage.Error($"{Directory} is sharded, and sharded stores have no keyspaces");

    /// <summary>What a command ends with whose key is absent.</summary>
    public CommandException NoKey(string typed) => new(
        ExitCode.NotFound, Api.ProblemTypes.Failed,
        $"there is no key '{typed}'{(keyspace is null ? "" : $" in keyspace '{keyspace.Name}'")}");

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
