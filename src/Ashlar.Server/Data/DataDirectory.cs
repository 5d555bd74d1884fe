using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>The one directory of a server, locked for it alone.</summary>
/// <remarks>
/// <code>
/// FORMAT            identity and version, see <see cref="FormatFile"/>
/// FORMAT.new        the same, while the first start is not complete
/// lock              held by the server that runs, with its process id
/// pools/main/data   blocks of the pool; sparse
/// pools/main/meta/  key-value store: map, checksums, catalogue
/// run/server.json   how to reach the server that runs, see <see cref="RunFile"/>
/// </code>
/// </remarks>
sealed class DataDirectory : IDisposable
{
    public const string MainPool = "main";

    readonly IFileSystem files;
    readonly IDisposable ownership;

    DataDirectory(IFileSystem files, string path, IDisposable ownership)
    {
        this.files = files;
        Path = path;
        this.ownership = ownership;
    }

    public string Path { get; }

    string FormatPath => $"{Path}/FORMAT";

    string NewFormatPath => $"{Path}/FORMAT.new";

    /// <summary>Locks the directory, creating it when missing, and reads what it is.</summary>
    /// <exception cref="LockedException">Another server runs on it.</exception>
    /// <exception cref="ServerStartException">It holds other things.</exception>
    /// <exception cref="UnsupportedFormatException">A version that this program does not know.</exception>
    public static DataDirectory Open(ServerOptions options)
    {
        var files = options.FileSystem;
        var path = options.DataDirectory.Length > 1 ? options.DataDirectory.TrimEnd('/') : options.DataDirectory;
        if (files.FileExists(path)) throw new ServerStartException(StartProblem.DataDirectory, $"{path} is a file, not a directory");
        files.CreateDirectories(path);
        RefuseForeign(files, path);
        var directory = new DataDirectory(files, path, files.Lock($"{path}/lock"));
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

    /// <summary>Whether the first start has not been completed yet.</summary>
    public bool IsNew => !files.FileExists(FormatPath);

    public string PoolPath(string pool) => $"{Path}/pools/{pool}";

    // Crash order of the first start: a data directory is one if and only if FORMAT is there.
    //   1. FORMAT.new, flushed, its name too.   Crash: the next start begins anew.
    //   2. The pool, flushed.                   Crash: FORMAT.new says that the pool was never used; it is removed.
    //   3. Rename to FORMAT, flush the name.    From here on nothing is ever removed.
    // Without FORMAT.new a directory that lost its FORMAT could be taken for a new one, and its pool removed.
    public void BeginFirstStart(FormatFile format)
    {
        Invariant.Require(IsNew);
        if (files.FileExists(NewFormatPath)) RemoveTree($"{Path}/pools");
        using (var file = files.Open(NewFormatPath, FileOpenMode.OpenOrCreate))
        {
            file.SetLength(0);
            file.Write(format.ToBytes(), 0);
            file.Sync();
        }
        files.SyncDirectory(Path);
        files.CreateDirectories($"{Path}/pools");
        files.CreateDirectories($"{Path}/pools/{MainPool}");
    }

    public void CompleteFirstStart()
    {
        files.Rename(NewFormatPath, FormatPath);
        files.SyncDirectory(Path);
    }

    public void Dispose() => ownership.Dispose();

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

    void RemoveTree(string path)
    {
        if (!files.DirectoryExists(path)) return;
        foreach (var name in files.List(path))
        {
            var child = $"{path}/{name}";
            if (files.DirectoryExists(child)) RemoveTree(child);
            else files.Delete(child);
        }
        files.DeleteDirectory(path);
    }
}
