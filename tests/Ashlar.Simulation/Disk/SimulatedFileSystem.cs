using Ashlar.Storage;

namespace Ashlar.Simulation;

/// <summary>
/// A disk in memory that behaves as the real one does, errors included, and records a trace of every change, sync and mark,
/// from which crash states can be enumerated. Safe for concurrent callers; the trace has the order in which they were served.
/// </summary>
/// <remarks>The trace keeps a copy of everything written. Where no crash is of interest, turn recording off.</remarks>
public sealed class SimulatedFileSystem : IFileSystem
{
    readonly DiskImage image;
    const int ExclusiveLock = -1;

    readonly Dictionary<int, int> locks = []; // By node: how many share it, or ExclusiveLock.
    readonly List<DiskEvent> trace = [];
    ForgottenPages? forgotten;
    static int boots;

    int nextNode;
    long transferredBytes;

    static Guid NextBootId() => new(Interlocked.Increment(ref boots), 0, 0, new byte[8]);

    /// <summary>Creates an empty disk: a root directory and nothing in it.</summary>
    /// <param name="isRecording">Whether a trace is kept.</param>
    public SimulatedFileSystem(bool isRecording = true)
        : this(new DiskImage(), isRecording)
    {
    }

    internal SimulatedFileSystem(DiskImage image, bool isRecording)
    {
        this.image = image;
        IsRecording = isRecording;
        PageCache = new SimulatedPageCache(Gate);
        TraceStart = isRecording ? image.CloneReachable() : image;
        nextNode = 1 + Math.Max(image.Directories.Keys.Max(), image.Files.Keys.DefaultIfEmpty().Max());
    }

    /// <summary>
    /// A disk whose process is gone while its page cache stays: all that happened can be read, and what was not synced is not durable yet.
    /// Its trace goes on.
    /// </summary>
    internal static SimulatedFileSystem AfterDeath(DiskImage start, IReadOnlyList<DiskEvent> trace, Guid bootId)
    {
        var disk = new SimulatedFileSystem(start.CloneReachable(), isRecording: true) { BootId = bootId };
        foreach (var change in trace) disk.Apply(change);
        if (trace is [.., DiskEvent.ForgottenSync last])
        {
            var point = new CrashPoint(start);
            foreach (var change in trace) point.Advance(change);
            disk.forgotten = new ForgottenPages();
            disk.forgotten.Add(last.Node, point.Durable(last.Node));
        }

        disk.nextNode = 1 + Math.Max(disk.image.Directories.Keys.Max(), disk.image.Files.Keys.DefaultIfEmpty().Max());
        return disk;
    }

    /// <summary>Whether a trace is kept.</summary>
    public bool IsRecording { get; }

    /// <summary>What a start of the machine is known by: another one when power was lost, the same when a process has died.</summary>
    public Guid BootId { get; private init; } = NextBootId();

    /// <summary>Size of the disk: writes that need more fail with <see cref="StorageErrorKind.NoSpace"/>.</summary>
    public long CapacityBytes { get; set; } = 1L << 40;

    /// <summary>Files that are open, each as often as it is.</summary>
    public int OpenFiles
    {
        get
        {
            lock (Gate) return image.Files.Values.Sum(file => file.OpenHandles);
        }
    }

    /// <summary>Events recorded so far, marks included.</summary>
    public int TraceLength
    {
        get
        {
            lock (Gate) return trace.Count;
        }
    }

    /// <summary>Bytes read from files and written to them so far.</summary>
    public long TransferredBytes => Volatile.Read(ref transferredBytes);

    /// <summary>
    /// Called, with the file's path, between the begin and the return of every sync of a file: it may block, while other threads
    /// write to the file and sync it. Only what was written before the begin is durable when the sync returns.
    /// </summary>
    public Action<string>? DuringSync { get; set; }

    /// <summary>Which pages are in memory: a read of others has to wait. All are, until the cache is dropped once.</summary>
    public SimulatedPageCache PageCache { get; }

    internal int TraceLengthLocked => trace.Count;

    internal Lock Gate { get; } = new();

    /// <summary>What the disk held, durably, when the trace began.</summary>
    internal DiskImage TraceStart { get; private set; }

    /// <summary>
    /// Puts a remark into the trace: what the workload is about to do, or was told is done. A check of a crash state finds all
    /// the marks made before the crash.
    /// </summary>
    public void Mark(object mark)
    {
        lock (Gate) Record(new DiskEvent.Mark(mark));
    }

    /// <summary>
    /// Takes all there is for durable and begins a new trace, so that what was only set up adds no crash states. Files without
    /// a name must be closed by then.
    /// </summary>
    public void RestartTrace()
    {
        lock (Gate)
        {
            trace.Clear();
            if (IsRecording) TraceStart = image.CloneReachable();
        }
    }

    /// <summary>
    /// The disk as it may come back if power failed now: what was synced is there, of the rest a random part. This disk goes on.
    /// </summary>
    public SimulatedFileSystem LosePower(ulong seed)
    {
        if (!IsRecording) throw new InvalidOperationException("The disk recorded nothing.");
        var point = new CrashPoint(TraceStart);
        foreach (var change in CopyTrace()) point.Advance(change);
        var survivors = new CrashStateEnumerator(point, new CrashExplorerOptions(), seed).RandomSubset();
        return new SimulatedFileSystem(point.Materialise(survivors), isRecording: true) { CapacityBytes = CapacityBytes };
    }

    internal void Transfer(int bytes) => transferredBytes += bytes;

    /// <inheritdoc />
    public IFile Open(string path, FileOpenMode mode)
    {
        lock (Gate)
        {
            var place = Locate("open", path);
            if (place.Node is { } node)
            {
                if (mode == FileOpenMode.CreateNew) throw StorageException.FromErrno("open", path, Errno.Exists);
                if (image.IsDirectory(node)) throw StorageException.FromErrno("open", path, Errno.IsDirectory);
            }
            else
            {
                if (mode is FileOpenMode.Existing or FileOpenMode.ReadOnly)
                    throw StorageException.FromErrno("open", path, Errno.NoEntry);
                node = nextNode++;
                Apply(new DiskEvent.CreateFile(place.Directory, place.Name, node));
            }

            var content = image.Files[node];
            content.OpenHandles++;
            return new SimulatedFile(this, path, node, content, mode == FileOpenMode.ReadOnly);
        }
    }

    /// <inheritdoc />
    public bool FileExists(string path)
    {
        lock (Gate) return TryFind(path) is { } node && !image.IsDirectory(node);
    }

    /// <inheritdoc />
    public bool DirectoryExists(string path)
    {
        lock (Gate) return TryFind(path) is { } node && image.IsDirectory(node);
    }

    /// <inheritdoc />
    public IReadOnlyList<string> List(string directory)
    {
        lock (Gate) return [.. image.Directories[LocateDirectory("opendir", directory)].Keys];
    }

    /// <inheritdoc />
    public void CreateDirectory(string path)
    {
        lock (Gate)
        {
            var place = Locate("mkdir", path);
            if (place.Node is not null) throw StorageException.FromErrno("mkdir", path, Errno.Exists);
            Apply(new DiskEvent.CreateDirectory(place.Directory, place.Name, nextNode++));
        }
    }

    /// <inheritdoc />
    public void DeleteDirectory(string path)
    {
        lock (Gate)
        {
            var place = Locate("rmdir", path);
            if (image.Directories[LocateDirectory("rmdir", path)].Count != 0)
                throw StorageException.FromErrno("rmdir", path, Errno.NotEmpty);
            Apply(new DiskEvent.Remove(place.Directory, place.Name));
            LoseName(place.Node!.Value);
        }
    }

    /// <inheritdoc />
    public void Rename(string source, string target)
    {
        lock (Gate)
        {
            var from = Locate("rename", source);
            var to = Locate("rename", target);
            if (from.Node is not { } node) throw StorageException.FromErrno("rename", source, Errno.NoEntry, $"to {target}");
            if (to.Node == node) return;
            if (to.Node is { } replaced)
            {
                if (image.IsDirectory(node) != image.IsDirectory(replaced))
                {
                    var errno = image.IsDirectory(replaced) ? Errno.IsDirectory : Errno.NotDirectory;
                    throw StorageException.FromErrno("rename", source, errno, $"to {target}");
                }

                if (image.IsDirectory(replaced) && image.Directories[replaced].Count != 0)
                    throw StorageException.FromErrno("rename", source, Errno.NotEmpty, $"to {target}");
            }

            Apply(new DiskEvent.Rename(from.Directory, from.Name, to.Directory, to.Name, node));
            if (to.Node is { } gone) LoseName(gone);
        }
    }

    /// <inheritdoc />
    public void Delete(string path)
    {
        lock (Gate)
        {
            var place = Locate("unlink", path);
            if (place.Node is not { } node) throw StorageException.FromErrno("unlink", path, Errno.NoEntry);
            if (image.IsDirectory(node)) throw StorageException.FromErrno("unlink", path, Errno.IsDirectory);
            Apply(new DiskEvent.Remove(place.Directory, place.Name));
            LoseName(node);
        }
    }

    /// <inheritdoc />
    public void SyncDirectory(string path)
    {
        lock (Gate) Apply(new DiskEvent.SyncDirectory(LocateDirectory("open", path)));
    }

    /// <inheritdoc />
    public IFileLock Lock(string path)
    {
        lock (Gate)
        {
            var place = Locate("open", path);
            if (place.Node is { } node && image.IsDirectory(node))
                throw StorageException.FromErrno("open", path, Errno.IsDirectory);
            if (place.Node is { } present && locks.ContainsKey(present)) throw new LockedException(path, Environment.ProcessId);
            var locked = place.Node ?? nextNode++;
            if (place.Node is null) Apply(new DiskEvent.CreateLockFile(place.Directory, place.Name, locked));
            locks.Add(locked, ExclusiveLock);
            return new HeldLock(this, path, locked);
        }
    }

    /// <inheritdoc />
    public IFileLock LockExisting(string path)
    {
        lock (Gate)
        {
            if (Locate("open", path).Node is null) throw StorageException.FromErrno("open", path, Errno.NoEntry);
            return Lock(path);
        }
    }

    /// <inheritdoc />
    public IFileLock LockShared(string path)
    {
        lock (Gate)
        {
            if (Locate("open", path).Node is not { } node) throw StorageException.FromErrno("open", path, Errno.NoEntry);
            if (image.IsDirectory(node)) throw StorageException.FromErrno("open", path, Errno.IsDirectory);
            var holders = locks.GetValueOrDefault(node);
            if (holders == ExclusiveLock) throw new LockedException(path, Environment.ProcessId);
            locks[node] = holders + 1;
            return new HeldLock(this, path, node);
        }
    }

    /// <inheritdoc />
    public long GetFreeSpaceBytes(string path)
    {
        lock (Gate)
        {
            if (TryFind(path) is null) throw StorageException.FromErrno("statvfs", path, Errno.NoEntry);
            return Math.Max(0, CapacityBytes - OccupiedBytes());
        }
    }

    /// <summary>The trace so far.</summary>
    internal DiskEvent[] CopyTrace()
    {
        lock (Gate) return [.. trace];
    }

    internal void Apply(DiskEvent change)
    {
        change.ApplyTo(image);
        forgotten?.Note(change, image);
        Record(change);
    }

    /// <summary>Pages of a range that count as written leave the cache.</summary>
    internal void DropForgotten(int node, FileNode content, long offset, long length)
    {
        if (forgotten is null) return;
        foreach (var reread in forgotten.Drop(node, content, offset, length).ToArray()) Apply(reread);
    }

    internal void RequireSpace(string operation, string path, FileNode content, long offset, long length)
    {
        var needed = (long)content.CountNewPages(offset, length) * Page.SizeBytes;
        if (needed > 0 && OccupiedBytes() + needed > CapacityBytes)
            throw StorageException.FromErrno(operation, path, Errno.NoSpace, $"{length} bytes at {offset}");
    }

    /// <summary>How much of a write there is room for, from its beginning on.</summary>
    internal int FittingBytes(FileNode content, long offset, int length)
    {
        var pages = content.CountNewPages(offset, length);
        if (pages == 0) return length;
        var room = Math.Max(0, CapacityBytes - OccupiedBytes()) / Page.SizeBytes;
        return room >= pages ? length : (int)Math.Min(length, content.OffsetOfNewPage(offset, room) - offset);
    }

    internal void Close(int node, FileNode content)
    {
        content.OpenHandles--;
        ForgetIfUnreachable(node, content);
    }

    void Record(DiskEvent change)
    {
        if (IsRecording) trace.Add(change);
    }

    void LoseName(int node)
    {
        image.Directories.Remove(node);
        if (!image.Files.TryGetValue(node, out var content)) return;
        content.HasName = false;
        ForgetIfUnreachable(node, content);
    }

    void ForgetIfUnreachable(int node, FileNode content)
    {
        if (content.OpenHandles == 0 && !content.HasName) image.Files.Remove(node);
    }

    long OccupiedBytes() => image.Files.Values.Sum(file => file.AllocatedBytes);

    internal int? TryFind(string path)
    {
        int? node = DiskImage.RootNode;
        foreach (var name in SplitPath(path))
        {
            if (node is not { } directory) return null;
            node = image.Find(directory, name);
        }

        return node;
    }

    /// <summary>The directory and name that a path stands for, and its node if there is one.</summary>
    (int Directory, string Name, int? Node) Locate(string operation, string path)
    {
        var names = SplitPath(path);
        if (names.Length == 0) return (DiskImage.RootNode, "", DiskImage.RootNode);
        var directory = DiskImage.RootNode;
        foreach (var name in names.AsSpan(0, names.Length - 1))
        {
            directory = image.Find(directory, name) ?? throw StorageException.FromErrno(operation, path, Errno.NoEntry);
            if (!image.IsDirectory(directory)) throw StorageException.FromErrno(operation, path, Errno.NotDirectory);
        }

        return (directory, names[^1], image.Find(directory, names[^1]));
    }

    int LocateDirectory(string operation, string path)
    {
        var node = Locate(operation, path).Node ?? throw StorageException.FromErrno(operation, path, Errno.NoEntry);
        return image.IsDirectory(node) ? node : throw StorageException.FromErrno(operation, path, Errno.NotDirectory);
    }

    static string[] SplitPath(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!path.StartsWith('/')) throw new ArgumentException($"The path is not absolute: '{path}'", nameof(path));
        if (path.Contains('\0', StringComparison.Ordinal)) throw new ArgumentException("The path contains NUL.", nameof(path));
        var names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return names.Any(name => name is "." or "..")
            ? throw new ArgumentException($"The simulated disk has no '.' and '..': '{path}'", nameof(path))
            : names;
    }

    sealed class HeldLock(SimulatedFileSystem disk, string path, int node) : IFileLock
    {
        bool isReleased;

        public bool IsInPlace
        {
            get
            {
                lock (disk.Gate) return !isReleased && disk.TryFind(path) == node;
            }
        }

        public void Dispose()
        {
            lock (disk.Gate)
            {
                if (isReleased) return;
                isReleased = true;
                if (disk.locks[node] is ExclusiveLock or 1) disk.locks.Remove(node);
                else disk.locks[node]--;
            }
        }
    }
}
