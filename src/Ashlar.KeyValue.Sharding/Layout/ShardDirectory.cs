using System.Globalization;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding.Layout;

/// <summary>The directory of a sharded store: the file SHARDS, and a directory for each shard.</summary>
sealed class ShardDirectory(IFileSystem fileSystem, string directory)
{
    const string ShardPrefix = "shard-";
    const string LockName = "LOCK";

    public string Directory { get; } = directory;

    public string FilePath => $"{Directory}/{ShardFile.Name}";

    public string LockPath => $"{Directory}/{LockName}";

    public bool Exists => fileSystem.FileExists(FilePath);

    /// <summary>A directory as callers name it.</summary>
    public static string FullPath(string directory) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));

    public static string NameOf(int shard) => $"{ShardPrefix}{shard:d3}";

    public static bool IsName(string name, out int shard)
    {
        shard = 0;
        return name.StartsWith(ShardPrefix, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(ShardPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out shard)
            && NameOf(shard) == name;
    }

    public string ShardPath(int shard) => $"{Directory}/{NameOf(shard)}";

    /// <summary>
    /// Reads what the store consists of and checks that the shards are its own, before any of them is opened. Nothing is modified.
    /// </summary>
    public ShardFile Read(ShardedKeyValueOptions options)
    {
        var file = ShardFile.Read(fileSystem, FilePath);
        var count = file.ShardIds.Length;
        if (options.ShardCount is { } wanted && wanted != count)
            throw new ShardLayoutException(Directory, $"the store has {count} shards, which is fixed; {wanted} were asked for");
        if (options.HashedPrefixBytes is { } prefix && prefix != file.HashedPrefixBytes)
        {
            throw new ShardLayoutException(
                Directory,
                $"the store hashes the first {file.HashedPrefixBytes} bytes of a key (0: all), which is fixed; {prefix} were asked for");
        }

        if (options.SaltedPrefix is { } salted && !salted.Span.SequenceEqual(file.SaltedPrefix))
            throw new ShardLayoutException(Directory, "the store has another salted prefix, which is fixed");
        for (var shard = 0; shard < count; shard++) RequireOwn(shard, file.ShardIds[shard]);
        return file;
    }

    /// <summary>Creates the shards, empty, and then the file that makes them a store.</summary>
    // Crash order: before SHARDS is there nothing was ever written to a shard. What an earlier creation left is therefore
    // without writes: it is used again, or removed where fewer shards are wanted now. If it has writes, SHARDS was lost.
    public ShardFile Create(ShardedKeyValueOptions options)
    {
        if (KeyValueStore.TryReadStoreId(Directory, out _, fileSystem))
            throw new ShardLayoutException(Directory, "this is a store without shards: open it with KeyValueStore");
        var count = options.ShardCount ?? ShardedKeyValueOptions.DefaultShardCount;
        var leftovers = Leftovers();
        foreach (var shard in leftovers) RequireUnwritten(shard, options);
        if (!options.Store.CreateIfMissing || options.Store.ReadOnly)
            throw new StorageException("open", FilePath, StorageErrorKind.NotFound, 0, "there is no sharded store in this directory");
        foreach (var shard in leftovers.Where(shard => shard >= count)) Remove(shard);

        var ids = new Guid[count];
        for (var shard = 0; shard < count; shard++)
        {
            using var store = KeyValueStore.Open(ShardPath(shard), options.ForShard(count, shard));
            ids[shard] = store.StoreId;
        }

        var file = new ShardFile(
            options.Store.Entropy.NextGuid(), options.HashedPrefixBytes ?? 0, options.SaltedPrefix?.ToArray() ?? [], ids);
        file.Write(fileSystem, Directory);
        return file;
    }

    /// <summary>Takes a directory that is empty or missing; nobody else fills it meanwhile.</summary>
    /// <exception cref="StorageException">It is not empty (<see cref="StorageErrorKind.AlreadyExists"/>).</exception>
    public IDisposable HoldEmpty()
    {
        fileSystem.CreateDirectories(Directory);
        var held = fileSystem.Lock(LockPath);
        if (fileSystem.List(Directory).FirstOrDefault(name => name != LockName) is not { } inTheWay) return held;
        held.Dispose();
        throw new StorageException(
            "restore", Directory, StorageErrorKind.AlreadyExists, 0,
            $"a store is restored only into an empty directory, and \"{inTheWay}\" is in it; of a mount point take a directory below");
    }

    /// <summary>Makes the name of SHARDS durable, before anything is written to a shard because of it.</summary>
    // Whoever created it may have died before it could, or its sync may have failed: then the directory counts as written, and only a
    // new name makes it write. Once a shard holds writes that was done before them.
    public void MakeDurable(ShardFile layout, bool isWritten)
    {
        try
        {
            if (!isWritten) layout.Write(fileSystem, Directory);
        }
        catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace)
        {
            // The name has to be trusted.
        }

        fileSystem.SyncDirectory(Directory);
    }

    void RequireOwn(int shard, Guid id)
    {
        var path = ShardPath(shard);
        if (!KeyValueStore.TryReadStoreId(path, out var found, fileSystem))
            throw new CorruptDataException(path, 0, $"{ShardFile.Name} lists shard {shard}, but there is no store");
        if (found != id)
            throw new CorruptDataException(path, 0, $"shard {shard} is store {id}, but this is store {found}");
    }

    List<int> Leftovers()
    {
        var shards = new List<int>();
        foreach (var name in fileSystem.List(Directory))
        {
            if (IsName(name, out var shard)) shards.Add(shard);
        }

        return shards;
    }

    void RequireUnwritten(int shard, ShardedKeyValueOptions options)
    {
        if (!KeyValueStore.TryReadStoreId(ShardPath(shard), out _, fileSystem)) return;
        using var store = KeyValueStore.Open(ShardPath(shard), options.ForShard(1, shard));
        if (store.VisibleSequence != 0)
            throw new CorruptDataException(FilePath, 0, $"the file is missing, but shard {shard} holds writes");
    }

    void Remove(int shard)
    {
        foreach (var name in fileSystem.List(ShardPath(shard))) fileSystem.Delete($"{ShardPath(shard)}/{name}");
        fileSystem.DeleteDirectory(ShardPath(shard));
    }
}
