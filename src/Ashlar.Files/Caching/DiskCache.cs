using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Pieces of blocks in a file of a local disk, for nodes that are slow: bounded, and there again after a restart. Nothing that is read from
/// it is believed without its hash, so nothing has to be synced, and a crash costs what it costs. Any thread.
/// </summary>
/// <remarks>
/// <para>A directory is made for it first (<see cref="Create"/>): a disk that is not mounted must not fill the one below. If that disk
/// goes away, or fails, the cache is passed by.</para>
/// </remarks>
public sealed class DiskCache : IPieceSource, IDisposable
{
    const string FileName = "pieces", LockName = "lock";

    // A disk that is slower than the nodes remembers some of what they give, and takes no memory for the rest.
    const int MaxKeeping = 16;

    readonly IPieceSource source;
    readonly BufferPool buffers;
    readonly IFile file;
    readonly IFileLock held;
    readonly ulong mark;
    readonly Lock gate = new();
    readonly Dictionary<BlockPiece, int> slotOf = [];
    readonly Slot[] slots;
    int hand, busy, keeping;
    long hits, misses;
    volatile string? problem;
    volatile bool isDisposed;

    DiskCache(IPieceSource source, BufferPool buffers, IFile file, IFileLock held, ulong mark, int slotCount)
    {
        (this.source, this.buffers, this.file, this.held, this.mark) = (source, buffers, file, held, mark);
        slots = new Slot[slotCount];
    }

    /// <summary>Requests that were answered from the disk, and those that were not.</summary>
    public (long Hits, long Misses) Requests => (Interlocked.Read(ref hits), Interlocked.Read(ref misses));

    /// <summary>Pieces that it has.</summary>
    public int Count
    {
        get
        {
            lock (gate) return slotOf.Count;
        }
    }

    /// <summary>Bytes of content that it can have.</summary>
    public long BoundBytes => (long)slots.Length * DiskCacheLayout.PieceBytes;

    /// <summary>Pieces that it is reading, or writing down.</summary>
    internal int Keeping => Volatile.Read(ref busy);

    /// <summary>Why it is passed by; null while it is used.</summary>
    public string? Problem => problem;

    /// <summary>Makes a cache of so many bytes. What was in the directory of an earlier one is given up.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no room for a piece.</exception>
    public static void Create(IFileSystem files, string directory, long boundBytes, IEntropySource? entropy = null)
    {
        ArgumentNullException.ThrowIfNull(files);
        var header = DiskCacheLayout.Header(DiskCacheLayout.SlotsIn(boundBytes), (entropy ?? SystemEntropy.Instance).NextUInt64());
        files.CreateDirectories(directory);
        using var held = files.Lock(NodeDirectory.Join(directory, LockName));
        using var file = files.Open(NodeDirectory.Join(directory, FileName), FileOpenMode.OpenOrCreate);
        file.SetLength(0);
        file.Write(header, 0);
        file.Sync();
        files.SyncDirectory(directory);
    }

    /// <summary>Opens a cache, with what it has kept.</summary>
    /// <param name="files">The disk.</param>
    /// <param name="directory">Where it was made.</param>
    /// <param name="source">Where pieces come from that are not here.</param>
    /// <param name="buffers">Memory that all share.</param>
    /// <exception cref="StorageException">It is not there.</exception>
    /// <exception cref="CorruptDataException">It is none, or its header is damaged.</exception>
    /// <exception cref="LockedException">Somebody has it open.</exception>
    public static DiskCache Open(IFileSystem files, string directory, IPieceSource source, BufferPool buffers)
    {
        var cache = OpenUnread(files, directory, source, buffers);
        cache.Load();
        return cache;
    }

    /// <summary>
    /// Opens the cache of a directory that is there, with what it has kept; one of another size, or whose header is damaged, is emptied,
    /// and where there is none it is made. What it has is found while it is used already, for a long one takes a while.
    /// </summary>
    /// <param name="files">The disk.</param>
    /// <param name="directory">The directory, which is not made: a disk that is not mounted must not fill the one below.</param>
    /// <param name="boundBytes">How long it is to be.</param>
    /// <param name="source">Where pieces come from that are not here.</param>
    /// <param name="buffers">Memory that all share.</param>
    /// <param name="entropy">Chance.</param>
    /// <exception cref="StorageException">The directory is not there, or its disk fails.</exception>
    /// <exception cref="CorruptDataException">What is there under its name is none.</exception>
    /// <exception cref="LockedException">Somebody has it open.</exception>
    public static DiskCache OpenOrCreate(
        IFileSystem files, string directory, long boundBytes, IPieceSource source, BufferPool buffers, IEntropySource? entropy = null)
    {
        ArgumentNullException.ThrowIfNull(files);
        files.RequireDirectory(directory, "cache of files");
        var cache = TryOpen(files, directory, boundBytes, source, buffers);
        if (cache is null)
        {
            Create(files, directory, boundBytes, entropy);
            cache = OpenUnread(files, directory, source, buffers);
        }

        Interlocked.Increment(ref cache.busy);
        _ = Task.Run(async () =>
        {
            await cache.OnDiskAsync(cache.Load);
            Interlocked.Decrement(ref cache.busy);
        });
        return cache;
    }

    static DiskCache? TryOpen(IFileSystem files, string directory, long boundBytes, IPieceSource source, BufferPool buffers)
    {
        if (!files.FileExists(NodeDirectory.Join(directory, FileName))) return null;
        try
        {
            var cache = OpenUnread(files, directory, source, buffers);
            if (cache.slots.Length == DiskCacheLayout.SlotsIn(boundBytes)) return cache;
            cache.Dispose();
            return null;
        }
        catch (AshlarException e) when (e is CorruptDataException or UnsupportedFormatException)
        {
            // A file that somebody else has put there is not written over.
            if (BeginsAsCache(files, directory)) return null;
            throw;
        }
    }

    // As one does, or as one whose making was cut off.
    static bool BeginsAsCache(IFileSystem files, string directory)
    {
        using var file = files.Open(NodeDirectory.Join(directory, FileName), FileOpenMode.ReadOnly);
        var begin = new byte[DiskCacheLayout.Magic.Length];
        var length = file.Read(begin, 0);
        return DiskCacheLayout.Magic.SequenceEqual(begin) || !begin.AsSpan(0, length).ContainsAnyExcept((byte)0);
    }

    static DiskCache OpenUnread(IFileSystem files, string directory, IPieceSource source, BufferPool buffers)
    {
        ArgumentNullException.ThrowIfNull(files);
        files.RequireDirectory(directory, "cache of files");
        var path = NodeDirectory.Join(directory, FileName);
        var file = files.Open(path, FileOpenMode.Existing);
        IFileLock? held = null;
        try
        {
            held = files.Lock(NodeDirectory.Join(directory, LockName));
            var (slotCount, mark) = DiskCacheLayout.ReadHeader(file);
            return new DiskCache(source, buffers, file, held, mark, slotCount);
        }
        catch
        {
            held?.Dispose();
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public async Task<SharedBuffer> FetchAsync(BlockPiece piece, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (await TryReadAsync(piece) is { } found)
        {
            Interlocked.Increment(ref hits);
            return found;
        }

        Interlocked.Increment(ref misses);
        var fetched = await source.FetchAsync(piece, cancellationToken);
        if (Interlocked.Increment(ref keeping) > MaxKeeping)
        {
            Interlocked.Decrement(ref keeping);
            return fetched;
        }

        fetched.Share();
        Interlocked.Increment(ref busy);
        _ = KeepAsync(piece, fetched); // Nobody waits for a disk to remember.
        return fetched;
    }

    /// <summary>Waits for what is being kept, and closes the file. Whatever is asked for after that comes from elsewhere.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (isDisposed) return;
            isDisposed = true;
        }

        var patience = new SpinWait();
        while (Volatile.Read(ref busy) > 0) patience.SpinOnce();
        file.Dispose();
        held.Dispose();
    }

    async Task<SharedBuffer?> TryReadAsync(BlockPiece piece)
    {
        int number;
        lock (gate)
        {
            if (isDisposed || problem is not null || !slotOf.TryGetValue(piece, out number)) return null;
            slots[number].WasUsed = true;
            slots[number].Readers++;
        }

        var buffer = buffers.Rent();
        var isWhole = false;
        await OnDiskAsync(() =>
        {
            var content = buffer.Space.Span[..piece.LengthBytes];
            isWhole = file.Read(content, DiskCacheLayout.ContentOf(number)) == content.Length
                && DiskCacheLayout.HashOf(content, mark) == slots[number].Hash;
        });
        lock (gate)
        {
            slots[number].Readers--;
            Invariant.Require(slots[number].Readers >= 0);
            if (!isWhole && slots[number].Piece == piece) Free(number);
        }

        if (isWhole)
        {
            buffer.LengthBytes = piece.LengthBytes;
            return buffer;
        }

        buffer.Release();
        return null;
    }

    async Task KeepAsync(BlockPiece piece, SharedBuffer content)
    {
        try
        {
            int number;
            lock (gate)
            {
                if (isDisposed || problem is not null || slotOf.ContainsKey(piece) || !TryTakeSlot(out number)) return;
                slots[number].IsWritten = true;
            }

            var hash = DiskCacheLayout.HashOf(content.Content.Span, mark);
            var isDone = false;
            await OnDiskAsync(() =>
            {
                if (!held.IsInPlace) throw StorageException.FromErrno("write", file.Path, Errno.NoEntry, "the cache is not where it was");
                file.Write(content.Content.Span, DiskCacheLayout.ContentOf(number));
                file.Write(DiskCacheLayout.Head(piece, hash, mark), DiskCacheLayout.HeadOf(number));
                isDone = true;
            });
            lock (gate)
            {
                // Nobody reads what is being written, or takes its place.
                Invariant.Require(slots[number] is { IsWritten: true, Readers: 0, Piece: null });
                slots[number].IsWritten = false;
                if (!isDone || slotOf.ContainsKey(piece)) return;
                slots[number].Piece = piece;
                slots[number].Hash = hash;
                slotOf.Add(piece, number);
            }
        }
        finally
        {
            content.Release();
            Interlocked.Decrement(ref keeping);
            Interlocked.Decrement(ref busy);
        }
    }

    // A disk that fails is passed by from then on.
    async Task OnDiskAsync(Action work)
    {
        Interlocked.Increment(ref busy);
        try
        {
            await Task.Run(work);
        }
        catch (Exception e) when (e is StorageException or ObjectDisposedException)
        {
            problem ??= e.Message;
        }
        finally
        {
            Interlocked.Decrement(ref busy);
        }
    }

    // The second chance: one that was used since the hand came by stays for another round.
    bool TryTakeSlot(out int number)
    {
        Invariant.Require(gate.IsHeldByCurrentThread);
        for (var step = 0; step < 2 * slots.Length; step++)
        {
            number = hand;
            hand = (hand + 1) % slots.Length;
            ref var slot = ref slots[number];
            if (slot.IsWritten || slot.Readers > 0) continue;
            if (slot.Piece is not null && slot.WasUsed)
            {
                slot.WasUsed = false;
                continue;
            }

            Free(number);
            slot.WasTaken = true;
            return true;
        }

        number = 0;
        return false;
    }

    void Free(int number)
    {
        Invariant.Require(gate.IsHeldByCurrentThread);
        if (slots[number].Piece is { } piece) slotOf.Remove(piece);
        slots[number].Piece = null;
    }

    void Load()
    {
        var head = new byte[DiskCacheLayout.HeadBytes];
        var end = Math.Min(slots.Length, DiskCacheLayout.SlotsBegunIn(file.LengthBytes));
        for (var number = 0; number < end && !isDisposed; number++)
        {
            var isRead = file.Read(head, DiskCacheLayout.HeadOf(number)) == head.Length;
            if (!isRead || DiskCacheLayout.ReadHead(head, mark) is not { } found) continue;
            lock (gate)
            {
                // What was taken since it was opened has another piece than the head that was read tells of.
                if (slots[number].WasTaken || !slotOf.TryAdd(found.Piece, number)) continue;
                slots[number].Piece = found.Piece;
                slots[number].Hash = found.Hash;
            }
        }
    }

    struct Slot
    {
        public BlockPiece? Piece;
        public ulong Hash;
        public int Readers;
        public bool WasUsed, IsWritten, WasTaken;
    }
}
