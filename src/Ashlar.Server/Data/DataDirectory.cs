using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>The one directory of a server, locked for it alone.</summary>
/// <remarks>
/// <code>
/// FORMAT            identity and version, see <see cref="FormatFile"/>
/// FORMAT.new        the same, while the first start is not complete
/// lock              held by the server that runs, with its process id
/// pools/main/data   blocks of the pool; sparse; of a pool on devices they are elsewhere
/// pools/main/meta/  key-value store: map, checksums, catalogue
/// system/           which pools there are, see <see cref="PoolRegistry"/>
/// system/exports/   who may reach volumes, see <see cref="ExportRegistry"/>
/// system/portals    which portal each address is, see <see cref="PortalNumbers"/>
/// system/reservations/  persistent reservations of volumes, see <see cref="RememberedReservations"/>
/// files/            the file store, see <see cref="FileStore"/>
/// run/server.json   how to reach the server that runs, see <see cref="RunFile"/>
/// </code>
/// </remarks>
sealed class DataDirectory : IDisposable
{
    public const string MainPool = "main";

    readonly IFileSystem files;
    readonly StartTraces traces;
    readonly IDisposable ownership;
    bool isKept;

    DataDirectory(IFileSystem files, string path, StartTraces traces, IDisposable ownership)
    {
        this.files = files;
        Path = path;
        this.traces = traces;
        this.ownership = ownership;
    }

    public string Path { get; }

    string FormatPath => $"{Path}/FORMAT";

    string NewFormatPath => $"{Path}/FORMAT.new";

    /// <summary>Locks the directory, creating it when missing, and reads what it is. What was created for that goes if it fails.</summary>
    /// <exception cref="LockedException">Another server runs on it.</exception>
    /// <exception cref="ServerStartException">It holds other things.</exception>
    /// <exception cref="UnsupportedFormatException">A version that this program does not know.</exception>
    public static DataDirectory Open(ServerOptions options)
    {
        var files = options.FileSystem;
        var path = options.DataDirectory.Length > 1 ? options.DataDirectory.TrimEnd('/') : options.DataDirectory;
        if (files.FileExists(path)) throw new ServerStartException(StartProblem.DataDirectory, $"{path} is a file, not a directory");
        var traces = StartTraces.Before(files, path);
        try
        {
            files.CreateDirectories(path);
            RefuseForeign(files, path);
            var directory = new DataDirectory(files, path, traces, files.Lock(traces.LockPath));
            try
            {
                if (files.FileExists(directory.FormatPath)) directory.ReadFormat();
                return directory;
            }
            catch
            {
                directory.Dispose();
                throw;
            }
        }
        catch
        {
            traces.RemoveDirectories();
            throw;
        }
    }

    /// <summary>Whether the first start has not been completed yet.</summary>
    public bool IsNew => !files.FileExists(FormatPath);

    public string PoolPath(string pool) => $"{Path}/pools/{pool}";

    /// <summary>Where is remembered which pools there are.</summary>
    public string SystemPath => $"{Path}/system";

    /// <summary>Where is remembered who may reach volumes.</summary>
    public string ExportsPath => $"{SystemPath}/exports";

    /// <summary>Where is remembered which portal each address is.</summary>
    public string PortalsPath => $"{SystemPath}/portals";

    /// <summary>Where reservations are that outlive the server.</summary>
    public string ReservationsPath => $"{SystemPath}/reservations";

    /// <summary>Where the file store is. It is made by the first start that finds none.</summary>
    public string FilesPath => $"{Path}/files";

    // Crash order of the first start: a data directory is one if and only if FORMAT is there.
    //   1. FORMAT.new, flushed, its name too.   Crash: the next start begins anew.
    //   2. The pool and its record, flushed.    Crash: FORMAT.new says that the pool was never used; it is removed.
    //   3. Rename to FORMAT, flush the name.    From here on nothing is ever removed.
    // Without FORMAT.new a directory that lost its FORMAT could be taken for a new one, and its pool removed.
    public void BeginFirstStart(FormatFile format)
    {
        Invariant.Require(IsNew);
        if (files.FileExists(NewFormatPath))
        {
            RemoveTree($"{Path}/pools");
            RemoveTree(SystemPath);
            RemoveTree(FilesPath);
        }
        using (var file = files.Open(NewFormatPath, FileOpenMode.OpenOrCreate))
        {
            file.SetLength(0);
            file.Write(format.ToBytes(), 0);
            file.Sync();
        }
        files.SyncDirectory(Path);
        files.CreateDirectories($"{Path}/pools");
        files.CreateDirectories($"{Path}/pools/{MainPool}");
        files.CreateDirectories(SystemPath);
    }

    public void CompleteFirstStart()
    {
        files.Rename(NewFormatPath, FormatPath);
        files.SyncDirectory(Path);
    }

    /// <summary>Creates the directory of a pool; durable when the call returns.</summary>
    public void CreatePool(string pool) => files.CreateDirectories(PoolPath(pool));

    /// <summary>Removes the directory of a pool, and all that is in it; durable when the call returns. It may be missing.</summary>
    public void RemovePool(string pool)
    {
        RemoveTree(PoolPath(pool));
        files.SyncDirectory($"{Path}/pools");
    }

    /// <summary>From now on what was created stays: somebody may have been told of it.</summary>
    public void Keep() => isKept = true;

    // Crash order of taking back a first start that failed, which nobody has used: a data directory is one if and only if FORMAT is there.
    //   1. Rename to FORMAT.new, flush the name.   Crash: a first start that was not completed; the next one begins anew.
    //   2. Remove the pool and the rest.           Crash: the same.
    //   3. Remove FORMAT.new.                      Crash: a directory with nothing but a lock file in it, or none.
    // 2 before 1 would leave a data directory whose pool is gone.
    /// <summary>Takes back what a first start has created, as if there had been none.</summary>
    /// <exception cref="StorageException">The disk does not let it.</exception>
    public void TakeBack()
    {
        Invariant.Require(!isKept);
        if (files.FileExists(FormatPath))
        {
            files.Rename(FormatPath, NewFormatPath);
            files.SyncDirectory(Path);
        }
        RemoveTree($"{Path}/pools");
        RemoveTree(SystemPath);
        RemoveTree(FilesPath);
        traces.RemoveRunDirectory();
        files.SyncDirectory(Path);
        if (files.FileExists(NewFormatPath)) files.Delete(NewFormatPath);
    }

    public void Dispose()
    {
        // While the lock is held: whoever waits for it finds that its file is not the one in the directory any more.
        if (!isKept) traces.RemoveLock();
        ownership.Dispose();
        if (!isKept) traces.RemoveDirectories();
    }

    void ReadFormat()
    {
        using var file = files.Open(FormatPath, FileOpenMode.ReadOnly);
        FormatFile.Read(file);
    }

    static void RefuseForeign(IFileSystem files, string path)
    {
        var names = files.List(path);
        if (names.Any(name => name is "FORMAT" or "FORMAT.new")) return;
        if (names.FirstOrDefault(name => name is not ("lock" or "run" or "lost+found")) is { } foreign)
        {
            throw new ServerStartException(
                StartProblem.DataDirectory,
                $"{path} holds '{foreign}' but no FORMAT file: it is not an Ashlar data directory, and not empty");
        }
    }

    // What a link leads to is somebody else's: the link goes, and nothing behind it.
    void RemoveTree(string path)
    {
        if (!files.DirectoryExists(path)) return;
        if (files.ResolveLinks(path) != ResolveParent(path))
        {
            files.Delete(path);
            return;
        }
        foreach (var name in files.List(path))
        {
            var child = $"{path}/{name}";
            if (files.DirectoryExists(child)) RemoveTree(child);
            else files.Delete(child);
        }
        files.DeleteDirectory(path);
    }

    /// <summary>Where a name is, whatever links lead to its directory.</summary>
    string ResolveParent(string path)
    {
        var end = path.LastIndexOf('/');
        return $"{files.ResolveLinks(path[..end]).TrimEnd('/')}{path[end..]}";
    }
}
