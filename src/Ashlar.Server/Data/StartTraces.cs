using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>
/// What a start creates around the data: the lock file, and directories that were missing. A start that fails removes them.
/// </summary>
sealed class StartTraces
{
    readonly IFileSystem files;
    readonly List<string> missingDirectories; // The innermost first.
    readonly bool hadLock;

    StartTraces(IFileSystem files, string path, List<string> missingDirectories)
    {
        this.files = files;
        this.missingDirectories = missingDirectories;
        LockPath = $"{path}/lock";
        hadLock = files.FileExists(LockPath);
    }

    public string LockPath { get; }

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
