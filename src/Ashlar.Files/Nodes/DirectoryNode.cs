using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
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
public sealed class DirectoryNode : IStorageNode
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
    long errors;
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
        NodeDirectory.Create(files, path, new NodeRecord(id, entropy.NextUInt64(), createdAt, NodeRecord.AtTop));
        return id;
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
    public async ValueTask<NodeHealth> GetHealthAsync(CancellationToken cancellation)
    {
        var (free, problem, state) = (0L, suspicion, suspicion is null ? NodeState.Up : NodeState.Suspect);
        try
        {
            free = await RunAsync(FreeBytes, null, cancellation);
        }
        catch (StorageNodeException e)
        {
            (problem, state) = (e.Message, NodeState.Unavailable);
        }

        return new NodeHealth(
            state, problem, free, Volatile.Read(ref queueLength), readLatency.Value, writeLatency.Value, syncLatency.Value,
            Volatile.Read(ref errors), directory.Device);
    }

    /// <inheritdoc />
    public ValueTask<UploadTicket> BeginAsync(int maxLengthBytes, CancellationToken cancellation)
    {
        if (maxLengthBytes is < 1 or > BlockGeometry.MaxLengthBytes)
            throw Error(NodeErrorKind.InvalidRequest, $"a block has 1 to {BlockGeometry.MaxLengthBytes} bytes, not {maxLengthBytes}");
        return RunAsync(() => Begin(maxLengthBytes), null, cancellation);
    }

    /// <inheritdoc />
    public async ValueTask AppendAsync(
        UploadTicket ticket, int offsetBytes, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var upload = Enter(ticket);
        try
        {
            if (upload.LengthBytes != offsetBytes || upload.IsFinished)
                throw Error(
                    NodeErrorKind.InvalidRequest, $"of the block {upload.LengthBytes} bytes are there, and what came is for {offsetBytes}");
            if (content.Length > upload.MaxLengthBytes - offsetBytes)
                throw Error(
                    NodeErrorKind.InvalidRequest,
                    $"space was reserved for {upload.MaxLengthBytes} bytes, and {offsetBytes + (long)content.Length} came");
            await RunAsync(
                () =>
                {
                    upload.Append(content.Span);
                    return true;
                },
                writeLatency,
                cancellation);
            upload.LastUse = clock.GetTimestamp();
            upload.Exit();
        }
        catch (Exception e)
        {
            if (e is StorageNodeException { Kind: NodeErrorKind.Busy }) upload.Exit();
            else await ForgetAsync(ticket, upload);
            throw;
        }
    }

    /// <inheritdoc />
    public async ValueTask<StoredBlock> InstallAsync(
        UploadTicket ticket, BlockName name, CustomerId customer, CancellationToken cancellation)
    {
        var upload = Enter(ticket);
        StoredBlock block;
        try
        {
            if (upload.LengthBytes == 0) throw Error(NodeErrorKind.ContentDiffers, $"nothing was uploaded of {name}");
            var digest = upload.Finish();
            if (digest.Hash != name.Hash)
                throw Error(NodeErrorKind.ContentDiffers, $"what was uploaded is {digest.Hash}, and was to be {name.Hash}");
            var now = DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());
            block = new StoredBlock(name, customer, digest, now);
            await RunAsync(
                () =>
                {
                    Install(ticket, upload, block);
                    return true;
                },
                syncLatency,
                cancellation);
        }
        catch (Exception e)
        {
            if (e is StorageNodeException { Kind: NodeErrorKind.Busy }) upload.Exit();
            else await ForgetAsync(ticket, upload);
            throw;
        }

        uploads.TryRemove(ticket.Value, out _);
        upload.Dispose();
        return block;
    }

    /// <inheritdoc />
    public async ValueTask AbortAsync(UploadTicket ticket, CancellationToken cancellation)
    {
        // One that is in use ends with its request, and is idle then.
        if (uploads.TryGetValue(ticket.Value, out var upload) && upload.TryEnter()) await ForgetAsync(ticket, upload);
    }

    /// <inheritdoc />
    public ValueTask<BlockPart> ReadAsync(BlockName name, int offsetBytes, Memory<byte> destination, CancellationToken cancellation)
    {
        if (offsetBytes < 0 || offsetBytes % BlockGeometry.UnitBytes != 0)
            throw Error(NodeErrorKind.InvalidRequest, $"reads begin at multiples of {BlockGeometry.UnitBytes} bytes, not at {offsetBytes}");
        return RunAsync(() => Read(name, offsetBytes, destination.Span), readLatency, cancellation);
    }

    /// <inheritdoc />
    public ValueTask<StoredBlock?> FindAsync(BlockName name, CancellationToken cancellation) =>
        RunAsync(() => TryOpen(name, out var file, out var block) ? Close(file, block) : null, null, cancellation);

    /// <inheritdoc />
    public ValueTask<StoredBlock> VerifyAsync(BlockName name, CancellationToken cancellation) =>
        RunAsync(() => Verify(name), null, cancellation);

    /// <inheritdoc />
    public ValueTask<IReadOnlyList<InventoryEntry>> ListAsync(BlockName? after, int limit, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return RunAsync<IReadOnlyList<InventoryEntry>>(() => List(after, limit), null, cancellation);
    }

    /// <inheritdoc />
    public ValueTask<bool> RemoveAsync(BlockName name, CancellationToken cancellation) => RunAsync(
        () =>
        {
            RequireTrusted();
            if (!Exists(name)) return false;
            Syncing(() => trash.Add(name));
            return true;
        },
        null,
        cancellation);

    /// <inheritdoc />
    public ValueTask<bool> RestoreAsync(BlockName name, CancellationToken cancellation) => RunAsync(
        () =>
        {
            RequireTrusted();
            var isThere = Exists(name);
            if (!isThere) Syncing(() => isThere = trash.TryRestore(name));
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
                RequireInPlace();
                return trash.Purge(options.TrashPeriod, limit);
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

    UploadTicket Begin(int maxLengthBytes)
    {
        RequireTrusted();
        RequireInPlace();
        foreach (var (ticket, idle) in uploads)
        {
            if (clock.GetElapsedTime(idle.LastUse) > options.UploadIdleLimit && idle.TryEnter()) Forget(new UploadTicket(ticket), idle);
        }

        lock (admission)
        {
            var free = FreeBytes();
            var needed = maxLengthBytes + (long)BlockTrailer.SizeBytes(maxLengthBytes);
            if (free < needed) throw Error(NodeErrorKind.Full, $"there is space for {free} bytes, and {needed} are needed");
            var next = new UploadTicket(entropy.NextUInt64());
            var upload = new NodeUpload(files, directory.FileOf(next), maxLengthBytes, clock.GetTimestamp());
            Invariant.Require(uploads.TryAdd(next.Value, upload));
            return next;
        }
    }

    // Invariant: the name appears after the content is durable, and nobody is told before the name is.
    void Install(UploadTicket ticket, NodeUpload upload, StoredBlock block)
    {
        RequireTrusted();
        RequireInPlace(); // Or the block would be on the disk beneath the mount point.
        Syncing(() => upload.Seal(block));
        files.Rename(directory.FileOf(ticket), directory.FileOf(block.Name));
        Syncing(() => syncs.Sync(directory.LeafOf(block.Name), directory.Temp));
    }

    BlockPart Read(BlockName name, int offsetBytes, Span<byte> destination)
    {
        using var file = Open(name, out var block);
        var length = Math.Min(destination.Length, block.Digest.LengthBytes - offsetBytes);
        if (length <= 0) return new BlockPart(0, block);
        if (length % BlockGeometry.UnitBytes != 0 && offsetBytes + length != block.Digest.LengthBytes)
            throw Error(NodeErrorKind.InvalidRequest, $"reads are of whole units of {BlockGeometry.UnitBytes} bytes, not of {length}");
        ReadVerified(file, block, offsetBytes, destination[..length]);
        return new BlockPart(length, block);
    }

    StoredBlock Verify(BlockName name)
    {
        RequireTrusted();
        using var file = Open(name, out _);

        // What the cache has and the medium has not is written now. What the cache holds since a sync that failed counts as written and is
        // dropped: then the medium has something else, and the content differs.
        Syncing(() =>
        {
            file.Sync();
            syncs.Sync(directory.LeafOf(name), directory.Temp);
        });
        file.DropCached(0, file.LengthBytes);
        var block = Trailer(file, name);
        using var hasher = new BlockHasher();
        var buffer = new byte[Math.Min(VerifyBytes, block.Digest.LengthBytes)];
        for (var done = 0; done < block.Digest.LengthBytes;)
        {
            var part = buffer.AsSpan(0, Math.Min(buffer.Length, block.Digest.LengthBytes - done));
            ReadVerified(file, block, done, part);
            hasher.Append(part);
            done += part.Length;
        }

        var found = hasher.Finish();
        return found.Hash == name.Hash ? block : throw Error(NodeErrorKind.Damaged, $"{name} holds {found.Hash}");
    }

    List<InventoryEntry> List(BlockName? after, int limit)
    {
        RequireInPlace();
        var first = after is { } last ? directory.LeafOf(last) : null;
        var entries = new List<InventoryEntry>();
        foreach (var leaf in directory.Leaves)
        {
            if (first is not null && string.CompareOrdinal(leaf, first) < 0) continue;
            foreach (var name in directory.BlocksIn(leaf))
            {
                if (after is { } seen && name <= seen) continue;
                try
                {
                    if (TryOpen(name, out var file, out var block)) entries.Add(new InventoryEntry(name, Close(file, block), null));
                }
                catch (StorageNodeException e) when (e.Kind != NodeErrorKind.Unavailable)
                {
                    entries.Add(new InventoryEntry(name, null, e.Message));
                }

                if (entries.Count == limit) return entries;
            }
        }

        return entries;
    }

    void ReadVerified(IFile file, StoredBlock block, int offsetBytes, Span<byte> destination)
    {
        if (file.Read(destination, offsetBytes) != destination.Length)
            throw Error(NodeErrorKind.Damaged, $"the file of {block.Name} became shorter while it was read");
        if (block.Digest.FindDamage(destination, offsetBytes) is { } at)
            throw Error(NodeErrorKind.Damaged, $"the checksum of the 64 KiB of {block.Name} at {at} does not match");
    }

    IFile Open(BlockName name, out StoredBlock block) => TryOpen(name, out var file, out var found)
        ? (block = found, File: file).File
        : throw Error(NodeErrorKind.NotFound, $"there is no block {name}");

    bool TryOpen(BlockName name, [NotNullWhen(true)] out IFile? file, [NotNullWhen(true)] out StoredBlock? block)
    {
        (file, block) = (null, null);
        try
        {
            file = files.Open(directory.FileOf(name), FileOpenMode.ReadOnly);
        }
        catch (StorageException e) when (e.Kind == StorageErrorKind.NotFound)
        {
            RequireInPlace(); // Invariant: a disk that is not there does not say that a block is not.
            return false;
        }

        try
        {
            block = Trailer(file, name);
            return true;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    StoredBlock Trailer(IFile file, BlockName name)
    {
        try
        {
            return BlockTrailer.Read(file, name);
        }
        catch (CorruptDataException e)
        {
            throw Error(NodeErrorKind.Damaged, e.Message, e);
        }
        catch (UnsupportedFormatException e)
        {
            throw Error(NodeErrorKind.Unsupported, e.Message, e);
        }
    }

    static StoredBlock Close(IFile file, StoredBlock block)
    {
        file.Dispose();
        return block;
    }

    bool Exists(BlockName name)
    {
        RequireInPlace();
        return files.FileExists(directory.FileOf(name));
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

    NodeUpload Enter(UploadTicket ticket)
    {
        if (!uploads.TryGetValue(ticket.Value, out var upload))
            throw Error(
                NodeErrorKind.UnknownUpload, "there is no such upload: it has ended, was idle for too long, or the node was restarted");
        return upload.TryEnter()
            ? upload
            : throw Error(NodeErrorKind.InvalidRequest, "another request of the same upload is under way");
    }

    // Never to be given up: a file that is open and a reservation would stay.
    async ValueTask ForgetAsync(UploadTicket ticket, NodeUpload upload)
    {
        uploads.TryRemove(ticket.Value, out _);
        var job = new Job<bool>(() =>
        {
            upload.Delete();
            return true;
        });
        try
        {
            threads.Post(job);
        }
        catch (ObjectDisposedException)
        {
            job.Execute(); // The node is being closed, and its threads are gone already.
        }

        await job.Task;
    }

    void Forget(UploadTicket ticket, NodeUpload upload)
    {
        uploads.TryRemove(ticket.Value, out _);
        upload.Delete();
    }

    async ValueTask<T> RunAsync<T>(Func<T> work, Ewma? latency, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Interlocked.Increment(ref queueLength);
        try
        {
            if (Volatile.Read(ref queueLength) > options.QueueLimit)
                throw Error(NodeErrorKind.Busy, $"{options.QueueLimit} requests are waiting");
            ObjectDisposedException.ThrowIf(Volatile.Read(ref isDisposed), this);
            var begun = clock.GetTimestamp();
            var job = new Job<T>(work);
            threads.Post(job);
            var result = await job.Task;
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
