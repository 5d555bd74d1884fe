using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>
/// What a start creates around the data: the lock file, the directory of the run file, and directories that were missing. A start that
/// fails removes them, and nothing that was there before.
/// </summary>
sealed class StartTraces
{
    readonly IFileSystem files;
    readonly List<string> missingDirectories; // The innermost first.
    readonly bool hadLock;
    readonly bool hadRunDirectory;

    StartTraces(IFileSystem files, string path, List<string> missingDirectories)
    {
        this.files = files;
        this.missingDirectories = missingDirectories;
        LockPath = $"{path}/lock";
        RunDirectory = $"{path}/run";
        hadLock = files.FileExists(LockPath);
        hadRunDirectory = files.DirectoryExists(RunDirectory) || files.FileExists(RunDirectory);
    }

    public string LockPath { get; }

    string RunDirectory { get; }

    /// <summary>Looks what is there before anything is created.</summary>
    public static StartTraces Before(IFileSystem files, string path)
    {
        var missing = new List<string>();
        for (var each = path; !string.IsNullOrEmpty(each) && !files.DirectoryExists(each); each = Path.GetDirectoryName(each))
            missing.Add(each);
        return new(files, path, missing);
    }

    public void RemoveLock()
    {
        if (!hadLock) Try(() => files.Delete(LockPath));
    }

    public void RemoveRunDirectory()
    {
        if (hadRunDirectory || !files.DirectoryExists(RunDirectory)) return;
        foreach (var path in RunFile.PathsIn(RunDirectory))
            if (files.FileExists(path)) Try(() => files.Delete(path));
        Try(() => files.DeleteDirectory(RunDirectory));
    }

    public void RemoveDirectories()
    {
        foreach (var each in missingDirectories) Try(() => files.DeleteDirectory(each));
    }

    // What keeps the server from starting matters more; and a directory that somebody else uses by now is not empty.
    static void Try(Action remove)
    {
        try
        {
            remove();
        }
        catch (StorageException)
        {
        }
    }
}
