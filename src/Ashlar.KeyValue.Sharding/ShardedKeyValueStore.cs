using System.Runtime.ExceptionServices;
using Ashlar.KeyValue.Sharding.Layout;
using Ashlar.KeyValue.Sharding.Salting;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding;

/// <summary>
/// A key-value store whose keys are spread over several engines by a hash: more logs that are flushed at once, more tables that
/// are merged at once. Works as <see cref="KeyValueStore"/> does, but for what is said here. Safe for concurrent callers.
/// </summary>
/// <remarks>
/// <para>A batch is atomic if all of its keys are in one shard; any other is refused. Scans and snapshots see all shards at one
/// moment, and pay for looking into each.</para>
/// <para>Each shard keeps the promises of a store. After power loss each holds a prefix of its own history, which includes every
/// <see cref="Durability.Sync"/> write; of <see cref="Durability.Relaxed"/> writes to different shards a later one may
/// survive an earlier one.</para>
/// <para>An error names the shard by the path of its directory. If one shard refuses writes, the others go on.</para>
/// </remarks>
public sealed partial class ShardedKeyValueStore : IKeyValueStore
{
    readonly KeyValueStore[] shards;
    readonly ShardFile layout;
    readonly ShardDirectory directory;
    readonly IDisposable? directoryLock;
    readonly WriteGate gate = new();
    readonly KeyValueOptions options;
    readonly bool isSideBySide;
    int isClosed;

    ShardedKeyValueStore(
        ShardDirectory directory, ShardFile layout, KeyValueStore[] shards, IDisposable? directoryLock, ShardedKeyValueOptions options)
    {
        this.options = options.Store;
        isSideBySide = !options.OneByOne;
        this.directory = directory;
        this.layout = layout;
        this.shards = shards;
        this.directoryLock = directoryLock;
        saltQueues = [.. shards.Select(shard => new SaltQueue(shard, Stamp))];
    }

    /// <summary>Opens, or creates, the sharded store in a directory; the shards are opened side by side.</summary>
    /// <param name="directory">The directory; it is created when missing, its parents too.</param>
    /// <param name="options">How to open it; null is the defaults.</param>
    /// <exception cref="ShardLayoutException">
    /// The store was created with another layout, or without shards. Nothing was modified.
    /// </exception>
    /// <exception cref="LockedException">Another process, or another instance in this one, has the store open.</exception>
    /// <exception cref="CorruptDataException">A shard, or the list of them, is damaged or missing.</exception>
    /// <exception cref="UnsupportedFormatException">The store is of a version that this program cannot read.</exception>
    /// <exception cref="StorageException">The disk refused, or there is no store and none is to be created.</exception>
    public static ShardedKeyValueStore Open(string directory, ShardedKeyValueOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        options ??= new();
        options.Validate();
        var fileSystem = options.Store.FileSystem ?? FileSystems.Real;
        var place = new ShardDirectory(fileSystem, ShardDirectory.FullPath(directory));
        if (options.Store.LogArchiveDirectory is { } archive)
        {
            FileSystemExtensions.RequireApartAsWritten(
                place.Directory, ShardDirectory.FullPath(archive), nameof(KeyValueOptions.LogArchiveDirectory));
        }

        if (!fileSystem.DirectoryExists(place.Directory))
        {
            if (!options.Store.CreateIfMissing || options.Store.ReadOnly)
                throw new StorageException(
                    "open", place.Directory, StorageErrorKind.NotFound, 0, "there is no sharded store in this directory");
            fileSystem.CreateDirectories(place.Directory);
        }

        var directoryLock = !options.Store.ReadOnly ? fileSystem.Lock(place.LockPath)
            : fileSystem.FileExists(place.LockPath) ? fileSystem.LockShared(place.LockPath)
            : null; // As in KeyValueStore: a copy on a disk that cannot be written needs none.
        try
        {
            var layout = place.Exists ? place.Read(options) : place.Create(options);
            var shards = OpenShards(place, layout, options);
            try
            {
                if (!options.Store.ReadOnly) place.MakeDurable(layout, isWritten: shards.Any(shard => shard.VisibleSequence > 0));
                var store = new ShardedKeyValueStore(place, layout, shards, directoryLock, options);
                store.FindLastStamp();
                return store;
            }
            catch
            {
                OnAll(shards.Length, isSideBySide: false, i => shards[i].Dispose()); // All of them: one may tell of a bug.
                throw;
            }
        }
        catch
        {
            directoryLock?.Dispose();
            throw;
        }
    }

    /// <summary>Whether a directory holds a sharded store.</summary>
    /// <param name="directory">The directory; it may be missing.</param>
    /// <param name="fileSystem">The disk; null is the real one.</param>
    public static bool IsSharded(string directory, IFileSystem? fileSystem = null) =>
        new ShardDirectory(fileSystem ?? FileSystems.Real, ShardDirectory.FullPath(directory)).Exists;

    /// <inheritdoc />
    public Guid StoreId => layout.StoreId;

    /// <summary>How many shards the store has.</summary>
    public int ShardCount => shards.Length;

    /// <summary>How many bytes at the beginning of a key decide on its shard; 0 is the whole key.</summary>
    public int HashedPrefixBytes => layout.HashedPrefixBytes;

    /// <summary>
    /// The shard that a key belongs to, 0 to <see cref="ShardCount"/> - 1; -1 if it begins with <see cref="SaltedPrefix"/>.
    /// </summary>
    public int GetShard(ReadOnlySpan<byte> key) =>
        IsSalted(key) ? -1 : shards.Length == 1 ? 0 : ShardHash.Place(Hashed(key), shards.Length);

    /// <summary>As <see cref="KeyValueStore.Failure"/>, of the first shard that has one.</summary>
    public Exception? Failure => shards.Select(shard => shard.Failure).FirstOrDefault(failure => failure is not null);

    /// <inheritdoc />
    public void Close()
    {
        Dispose();
        if (Failure is { } failure) ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>
    /// Closes every shard, as <see cref="KeyValueStore.Dispose"/> does. Cursors and snapshots that are still open throw
    /// <see cref="ObjectDisposedException"/> from then on.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref isClosed, 1) != 0) return;
        try
        {
            OnAllShards(shard => shards[shard].Dispose());
        }
        finally
        {
            directoryLock?.Dispose();
        }
    }

    /// <inheritdoc cref="Dispose" />
    public ValueTask DisposeAsync() => new(Task.Run(Dispose));

    static KeyValueStore[] OpenShards(ShardDirectory place, ShardFile layout, ShardedKeyValueOptions options)
    {
        var shards = new KeyValueStore?[layout.ShardIds.Length];
        try
        {
            OnAll(shards.Length, !options.OneByOne, i =>
            {
                var ofShard = options.ForShard(shards.Length, i) with { CreateIfMissing = false };
                shards[i] = KeyValueStore.Open(
                    place.ShardPath(i), layout.SaltedPrefix.Length == 0 ? ofShard : Unlimited(ofShard));
            });
            return shards!;
        }
        catch
        {
            OnAll(shards.Length, isSideBySide: false, i => shards[i]?.Dispose());
            throw;
        }
    }

    void OnAllShards(Action<int> action) => OnAll(shards.Length, isSideBySide, action);

    /// <summary>Does something for each shard, and for all of them even if one fails; the first failure is thrown.</summary>
    static void OnAll(int shardCount, bool isSideBySide, Action<int> action)
    {
        var failures = new Exception?[shardCount];
        var others = new Thread[shardCount - 1];
        for (var i = 1; i < shardCount && isSideBySide; i++)
        {
            var shard = i;
            others[i - 1] = new Thread(() => Try(shard)) { IsBackground = true, Name = "Ashlar shard" };
            others[i - 1].Start();
        }

        Try(0);
        for (var i = 1; i < shardCount; i++)
        {
            if (isSideBySide) others[i - 1].Join();
            else Try(i);
        }

        if (Array.Find(failures, failure => failure is not null) is { } first) ExceptionDispatchInfo.Throw(first);

        void Try(int shard)
        {
            try
            {
                action(shard);
            }
            catch (Exception failure)
            {
                failures[shard] = failure;
            }
        }
    }

    ReadOnlySpan<byte> Hashed(ReadOnlySpan<byte> key) =>
        layout.HashedPrefixBytes == 0 || key.Length <= layout.HashedPrefixBytes ? key : key[..layout.HashedPrefixBytes];

    KeyValueStore ShardOf(ReadOnlySpan<byte> key) => shards[GetShard(key)];

    /// <summary>The only shard that a range can have keys in, or -1 if it may be several.</summary>
    int OnlyShardOf(KeyRange range)
    {
        if (MayBeSalted(range)) return -1;
        if (shards.Length == 1) return 0;
        var prefix = layout.HashedPrefixBytes;
        if (prefix == 0 || !range.HasEnd || range.Start.Length < prefix) return -1;
        // All keys of the range begin with the same hashed bytes: the end does, or is the first key that does not.
        var hashed = range.Start[..prefix];
        var next = KeyRange.Prefix(hashed);
        return next.HasEnd && range.End.SequenceCompareTo(next.End) <= 0 ? ShardHash.Place(hashed, shards.Length) : -1;
    }

    void ThrowIfClosed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref isClosed) != 0, this);
}
