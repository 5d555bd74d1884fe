using System.Collections.Concurrent;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>A storage node that keeps its blocks as files of a directory, which may be a disk of its own.</summary>
/// <remarks>
/// <para>A block appears in this order: content and trailer are written to a file that has no name that counts; they are compared with what
/// the block is to be called; the file is synced; it is renamed; the directories are synced; it is acknowledged. A crash before the rename
/// leaves a file that the next opening deletes. A crash after it leaves the block or not, and if so all of it. Nothing that has the name
/// of a block was ever changed: it is replaced by its like, or taken away.</para>
/// <para>A sync that fails means that what was written is lost, whatever a second sync says. The upload fails, and the node takes nothing
/// more until it is opened anew. What it has acknowledged was durable before and goes on being read.</para>
/// <para>What is found when a node is opened may be there only because the page cache has it. Nothing counts as a copy by being listed:
/// <see cref="VerifyAsync"/> makes sure, and an upload of the same block replaces what is there.</para>
/// </remarks>
public sealed partial class DirectoryNode : IStorageNode
{
    const int VerifyBytes = 1 << 20;

    readonly IFileSystem files;
    readonly NodeDirectory directory;
    readonly DirectoryNodeOptions options;
    readonly TimeProvider clock;
    readonly IEntropySource entropy;
    readonly WorkerThreads threads;
    readonly DirectorySyncs syncs;
    readonly NodeTrash trash;
    readonly ConcurrentDictionary<ulong, NodeUpload> uploads = new();
    readonly Ewma readLatency = new(), writeLatency = new(), syncLatency = new();

    // Space is counted and reserved by one at a time.
    readonly Lock admission = new();
    volatile string? suspicion;
    int queueLength;
    long errors, answeredAt;
    bool isDisposed;

    DirectoryNode(
        IFileSystem files, NodeDirectory directory, DirectoryNodeOptions options, TimeProvider clock, IEntropySource entropy)
    {
        (this.files, this.directory, this.options, this.clock, this.entropy) = (files, directory, options, clock, entropy);
        directory.ClearTemp();
        syncs = new DirectorySyncs(files);
        trash = new NodeTrash(files, directory, syncs, clock);
        threads = new WorkerThreads("ashlar-node", options.DiskDepth);
    }

    /// <inheritdoc />
    public NodeId Id => directory.Id;

    /// <summary>Where it is.</summary>
    public string Path => directory.Path;

    /// <summary>Syncs of directories that were made, and those that were asked for: many are one.</summary>
    internal (long Made, long Asked) DirectorySyncCounts => syncs.Counts;

    /// <summary>Makes the directory of a new node. What was begun and cut off is finished.</summary>
    /// <returns>The node that is there now.</returns>
    /// <param name="files">The disk.</param>
    /// <param name="path">A directory that is empty, or not there.</param>
    /// <param name="entropy">Draws the node's number.</param>
    /// <param name="clock">Says when that was.</param>
    /// <exception cref="NodeDirectoryException">It is one already, or has something else in it.</exception>
    public static NodeId Create(IFileSystem files, string path, IEntropySource? entropy = null, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(files);
        entropy ??= SystemEntropy.Instance;
        var id = new NodeId(Math.Max(1, entropy.NextUInt64()));
        var createdAt = (clock ?? TimeProvider.System).GetUtcNow().ToUnixTimeMilliseconds();
        return NodeDirectory.Create(files, path, new NodeRecord(id, entropy.NextUInt64(), createdAt, NodeRecord.AtTop));
    }

    /// <summary>Opens a node. Nothing is created: a directory that is not there, or empty, is an error.</summary>
    /// <param name="files">The disk.</param>
    /// <param name="path">The directory.</param>
    /// <param name="expected">The node that has to be there; null for whichever is.</param>
    /// <param name="options">How it behaves.</param>
    /// <param name="clock">What time it is.</param>
    /// <param name="entropy">Draws the tickets of uploads.</param>
    /// <exception cref="NodeDirectoryException">It is not there, or is another's.</exception>
    /// <exception cref="LockedException">Somebody has it open.</exception>
    public static DirectoryNode Open(
        IFileSystem files,
        string path,
        NodeId? expected = null,
        DirectoryNodeOptions? options = null,
        TimeProvider? clock = null,
        IEntropySource? entropy = null)
    {
        ArgumentNullException.ThrowIfNull(files);
        var directory = NodeDirectory.Open(files, path, expected);
        try
        {
            return new DirectoryNode(
                files, directory, options ?? new(), WorkerClock.For(clock ?? TimeProvider.System), entropy ?? SystemEntropy.Instance);
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public ValueTask<bool> RemoveAsync(CustomerBlock block, ulong? onlyMark, CancellationToken cancellation) => RunAsync(
        () =>
        {
            RequireTrusted();
            RequireInPlace();
            var wasThere = false;
            Syncing(() =>
            {
                wasThere = trash.TryAdd(block, onlyMark);
                trash.Sync(block);
            });
            return wasThere;
        },
        null,
        cancellation);

    /// <inheritdoc />
    public ValueTask<bool> RestoreAsync(CustomerBlock block, CancellationToken cancellation) => RunAsync(
        () =>
        {
            RequireTrusted();
            RequireInPlace();
            var isThere = false;
            Syncing(() =>
            {
                isThere = trash.TryRestore(block);
                trash.Sync(block);
            });
            return isThere;
        },
        null,
        cancellation);

    /// <inheritdoc />
    public ValueTask<int> PurgeAsync(int limit, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return RunAsync(
            () =>
            {
                RequireTrusted();
                RequireInPlace();
                var count = trash.Purge(options.TrashPeriod, limit);
                if (count > 0) Syncing(trash.Sync);
                trash.SaveAge();
                return count;
            },
            null,
            cancellation);
    }

    /// <summary>Waits for what is under way, forgets what was not finished, and lets the directory go.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref isDisposed, true)) return;
        while (Volatile.Read(ref queueLength) > 0) await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        foreach (var upload in uploads.Values) upload.Delete();
        uploads.Clear();
        threads.Dispose();
        directory.Dispose();
    }

    // Whatever fails here leaves something in doubt that no later sync settles.
    void Syncing(Action sync)
    {
        try
        {
            sync();
        }
        catch (StorageException e) when (e.Kind != StorageErrorKind.NoSpace || e.Operation is "fsync" or "fdatasync")
        {
            suspicion ??= e.Message;
            throw;
        }
    }

    void RequireTrusted()
    {
        if (suspicion is { } reason)
            throw Error(NodeErrorKind.Suspect, $"nothing more is written until it was opened anew, because a flush has failed: {reason}");
    }

    void RequireInPlace()
    {
        if (!directory.IsInPlace)
            throw Error(
                NodeErrorKind.Unavailable, $"{directory.Path} leads to something else than what was opened: is the disk still mounted?");
    }

    long FreeBytes()
    {
        RequireInPlace();
        var reserved = uploads.Values.Sum(upload => upload.ReservedBytes);
        return Math.Max(0, files.GetFreeSpaceBytes(directory.Path) - reserved - options.ReserveBytes);
    }

    async ValueTask<T> RunAsync<T>(Func<T> work, Ewma? latency, CancellationToken cancellation, bool isUrgent = false)
    {
        cancellation.ThrowIfCancellationRequested();
        var length = Interlocked.Increment(ref queueLength);
        if (length == 1) Volatile.Write(ref answeredAt, clock.GetTimestamp()); // A node without requests owes no answer.
        try
        {
            if (length > options.QueueLimit && !isUrgent)
                throw Error(NodeErrorKind.Busy, $"{options.QueueLimit} requests are waiting");
            ObjectDisposedException.ThrowIf(Volatile.Read(ref isDisposed), this);
            var begun = clock.GetTimestamp();
            var job = new Job<T>(work);
            threads.Post(job);
            T result;
            try
            {
                result = await job.Task;
            }
            finally
            {
                Volatile.Write(ref answeredAt, clock.GetTimestamp());
            }

            latency?.Add(clock.GetElapsedTime(begun));
            return result;
        }
        catch (StorageException e)
        {
            Interlocked.Increment(ref errors);
            throw Error(e.Kind == StorageErrorKind.NoSpace ? NodeErrorKind.Full : NodeErrorKind.Unavailable, e.Message, e);
        }
        finally
        {
            Interlocked.Decrement(ref queueLength);
        }
    }

    StorageNodeException Error(NodeErrorKind kind, string problem, Exception? cause = null) => new(Id, kind, problem, cause);

    // Those who waited go on on threads of .NET: who reads from the network next must not hold a thread of the disk.
    sealed class Job<T>(Func<T> work) : IThreadPoolWorkItem
    {
        readonly TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Task => done.Task;

        public void Execute()
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        }
    }
}
