using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

/// <summary>
/// A file system on a part of a block device: for the files of a key-value store, some ten thousand of up to gigabytes. Its users see what
/// they see of any other <see cref="IFileSystem"/>.
/// </summary>
/// <remarks>
/// <para>Metadata are in memory and in a log of transactions (<see cref="MetadataLog"/>). A file's sync commits its length and where its
/// units lie; a directory's sync commits all names. What was written waits in memory until the file is synced, or until there is too
/// much of it: who ends the process loses what was not synced, as a power cut does.</para>
/// <para>Invariants: a unit belongs to one file, to the file system, or to nobody. Before a record that gives a file new units is written,
/// everything in them is on stable storage, zeros where nobody wrote. Units that a file gave up go to another only when the record that
/// says so is durable. Behind a file's end its units hold zeros, except for what <see cref="Inode.StaleEnd"/> covers.</para>
/// <para>Bytes that were synced are safe from what is appended in the same block: a block is written over in place, but it has the same
/// synced bytes before and after, and a sector of 512 bytes is written entirely or not at all, so that every mixture of old and new
/// sectors has them, too.</para>
/// <para>After a failed flush, or a failed write of metadata, everything but reading is refused until it is opened again. Nothing keeps
/// two from opening one device: that is for the owner of the device to see to.</para>
/// </remarks>
public sealed partial class BlockFileSystem : IFileSystem, IDisposable
{
    readonly Region region;
    readonly CommitRules rules;
    readonly MetadataLog log; // This and the next under `committing`.
    readonly MetadataImage image;
    readonly Lock committing = new(); // Order of locks: Inode.Writing, committing, gate.
    readonly Lock gate = new(); // All below; never held while the device is waited for.
    readonly UnitMap units;
    readonly PageCache cache;
    readonly Dictionary<long, Inode> inodes = [];
    readonly Dictionary<Inode, int> locks = []; // How many share it, or ExclusiveLock.
    readonly HashSet<(Inode Directory, string Name)> changedNames = [];
    readonly int unitBytes;
    readonly int pagesPerUnit;
    List<Inode> dead = []; // Without a name and a handle; their units are not free yet.
    Inode root = null!;
    long nextNumber;
    long pendingUnits; // Given up, but not free yet.
    long metadataBytes; // What a checkpoint would take, about.
    StorageException? failure;
    bool isClosed;

    BlockFileSystem(Region region, MetadataLog log, MetadataImage image, UnitMap units, BlockFileSystemOptions options)
    {
        (this.region, this.log, this.image, this.units, rules) = (region, log, image, units, options.Rules);
        cache = new PageCache(options.CacheBytes, options.MaxDirtyBytes);
        unitBytes = log.Header.UnitBytes;
        pagesPerUnit = unitBytes / Region.PageBytes;
    }

    /// <summary>The pieces of the device that it lies on.</summary>
    public IReadOnlyList<RegionExtent> Extents => log.Header.Extents;

    /// <summary>Identity, since it was formatted.</summary>
    public Guid Id => log.Header.Id;

    /// <inheritdoc />
    public IFile Open(string path, FileOpenMode mode)
    {
        EnumArgument.RequireDefined(mode);
        var names = SplitPath(path);
        lock (gate)
        {
            RequireOpen();
            var place = Locate("open", path, names);
            var inode = place.Inode;
            if (inode is not null)
            {
                if (mode == FileOpenMode.CreateNew) throw StorageException.FromErrno("open", path, Errno.Exists);
                if (inode.IsDirectory) throw StorageException.FromErrno("open", path, Errno.IsDirectory);
            }
            else
            {
                if (mode is FileOpenMode.Existing or FileOpenMode.ReadOnly) throw StorageException.FromErrno("open", path, Errno.NoEntry);
                inode = Create("open", path, place, isDirectory: false);
            }

            inode.OpenHandles++;
            return new BlockFileHandle(this, path, inode, mode == FileOpenMode.ReadOnly);
        }
    }

    /// <inheritdoc />
    public bool FileExists(string path) => Exists(path, isDirectory: false);

    /// <inheritdoc />
    public bool DirectoryExists(string path) => Exists(path, isDirectory: true);

    /// <inheritdoc />
    public IReadOnlyList<string> List(string directory)
    {
        var names = SplitPath(directory);
        lock (gate) return [.. LocateDirectory("opendir", directory, names).Names!.Keys];
    }

    /// <inheritdoc />
    public void CreateDirectory(string path)
    {
        var names = SplitPath(path);
        lock (gate)
        {
            RequireOpen();
            var place = Locate("mkdir", path, names);
            if (place.Inode is not null) throw StorageException.FromErrno("mkdir", path, Errno.Exists);
            Create("mkdir", path, place, isDirectory: true);
        }
    }

    /// <inheritdoc />
    public void DeleteDirectory(string path)
    {
        var names = SplitPath(path);
        lock (gate)
        {
            var directory = LocateDirectory("rmdir", path, names);
            if (directory.Names!.Count != 0) throw StorageException.FromErrno("rmdir", path, Errno.NotEmpty);
            if (directory == root) throw StorageException.FromErrno("rmdir", path, Errno.Invalid);
            RequireWritable("rmdir", path);
            LoseName(directory);
        }
    }

    /// <inheritdoc />
    public void Rename(string source, string target)
    {
        var (sourceNames, targetNames) = (SplitPath(source), SplitPath(target));
        lock (gate)
        {
            RequireOpen();
            var from = Locate("rename", source, sourceNames);
            var to = Locate("rename", target, targetNames);
            if (from.Inode is not { } inode) throw Refused(Errno.NoEntry);
            if (inode == to.Inode) return;
            if (inode == root || to.Inode == root) throw Refused(Errno.Invalid);
            for (var above = to.Directory; above is not null; above = above.Parent)
                if (above == inode) throw Refused(Errno.Invalid); // It would contain itself.
            if (to.Inode is { } replaced)
            {
                if (inode.IsDirectory != replaced.IsDirectory)
                    throw Refused(replaced.IsDirectory ? Errno.IsDirectory : Errno.NotDirectory);
                if (replaced.Names is { Count: > 0 }) throw Refused(Errno.NotEmpty);
            }

            RequireWritable("rename", source);
            RequireRoomForMetadata("rename", source, ChangeFormat.NameBytes + (long)ChangeFormat.MaxNameBytes);
            if (to.Inode is { } gone) LoseName(gone);
            Unname(inode);
            Name(inode, to.Directory, to.Name);
        }

        StorageException Refused(int errno) => StorageException.FromErrno("rename", source, errno, $"to {target}");
    }

    /// <inheritdoc />
    public void Delete(string path)
    {
        var names = SplitPath(path);
        lock (gate)
        {
            RequireOpen();
            var inode = Locate("unlink", path, names).Inode ?? throw StorageException.FromErrno("unlink", path, Errno.NoEntry);
            if (inode.IsDirectory) throw StorageException.FromErrno("unlink", path, Errno.IsDirectory);
            RequireWritable("unlink", path);
            LoseName(inode);
        }
    }

    /// <inheritdoc />
    /// <remarks>All names are committed, those of other directories too.</remarks>
    public void SyncDirectory(string path)
    {
        var names = SplitPath(path);
        lock (gate) LocateDirectory("open", path, names);
        CommitNames(path);
    }

    /// <inheritdoc />
    public long GetFreeSpaceBytes(string path)
    {
        var names = SplitPath(path);
        lock (gate)
        {
            RequireOpen();
            if (TryFind(names) is null) throw StorageException.FromErrno("statvfs", path, Errno.NoEntry);
            return (units.Free + pendingUnits) * unitBytes;
        }
    }

    /// <summary>Makes everything durable, and refuses calls from then on. The device stays open.</summary>
    /// <exception cref="StorageException">That failed; it is closed nevertheless.</exception>
    public void Dispose()
    {
        try
        {
            Inode[] files;
            lock (gate)
            {
                if (isClosed) return;
                files = region.IsReadOnly || failure is not null
                    ? []
                    : [.. inodes.Values.Where(inode => !inode.IsDirectory && (inode.Changes.HasAny || inode.Dirty.Count > 0))];
            }

            foreach (var file in files) Sync(file, region.Name);
            lock (gate) if (region.IsReadOnly || failure is not null) return;
            CommitNames(region.Name);
        }
        finally
        {
            lock (gate) isClosed = true;
        }
    }

    void RequireOpen() => ObjectDisposedException.ThrowIf(isClosed, this);

    void RequireWritable(string operation, string path)
    {
        RequireOpen();
        if (region.IsReadOnly) throw StorageException.FromErrno(operation, path, Errno.ReadOnlyFileSystem);
        if (failure is { } cause)
        {
            throw new StorageException(
                operation, path, StorageErrorKind.InputOutput, Errno.InputOutput,
                $"refused because the file system could not be written before: {cause.Message}");
        }
    }

    // Half of an area: a checkpoint may hold some files as they were and others as they are.
    void RequireRoomForMetadata(string operation, string path, long bytes)
    {
        if (metadataBytes + bytes > log.MaxCheckpointBytes / 2)
            throw StorageException.FromErrno(
                operation, path, Errno.NoSpace, $"metadata take {metadataBytes} bytes of {log.MaxCheckpointBytes / 2}");
    }

    void Latch(StorageException cause)
    {
        lock (gate) failure ??= cause;
    }
}
