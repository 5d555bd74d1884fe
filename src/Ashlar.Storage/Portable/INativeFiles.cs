using Microsoft.Win32.SafeHandles;

namespace Ashlar.Storage;

/// <summary>
/// What the portable door asks the operating system for itself, because .NET has no such call or one that hides failures: it locks every
/// file that it opens, ignores some failures of a flush, copies what cannot be renamed, and does not count it as an error when a file to
/// delete is missing. Reads, writes and lengths are .NET's.
/// </summary>
/// <remarks>Every failure is a <see cref="StorageException"/> with the number of Linux for it (<see cref="Errno"/>).</remarks>
interface INativeFiles
{
    /// <summary>Opens a file that is neither a directory nor a block device.</summary>
    SafeFileHandle Open(string path, FileOpenMode mode);

    /// <summary>Creates one directory.</summary>
    void CreateDirectory(string path);

    /// <summary>Deletes an empty directory.</summary>
    void DeleteDirectory(string path);

    /// <summary>Gives a file or a directory another name on the same volume, and never copies it.</summary>
    void Rename(string source, string target);

    /// <summary>Deletes a file.</summary>
    void Delete(string path);

    /// <summary>Makes the names in a directory durable, as far as that is not the file system's own affair.</summary>
    void SyncDirectory(string path);

    /// <summary>Makes content and length of a file durable, the cache of the disk included.</summary>
    void Sync(SafeFileHandle file, string path);

    /// <summary>Takes a lock that ends with the process, at once or not at all.</summary>
    /// <returns>False where somebody else holds one that excludes it, in this process or another.</returns>
    bool TryLock(SafeFileHandle file, string path, bool isShared);

    /// <summary>Lets the lock go.</summary>
    void Unlock(SafeFileHandle file);

    /// <summary>What a path leads to, through symbolic links; false if that is nothing.</summary>
    bool TryGetFacts(string path, out FileFacts facts);

    /// <summary>What an open file is.</summary>
    FileFacts GetFacts(SafeFileHandle file, string path);

    /// <summary>The path without symbolic links of something that exists.</summary>
    string ResolveLinks(string path);

    /// <summary>Bytes that may still be written beside something that exists.</summary>
    long GetFreeSpaceBytes(string path);
}

/// <summary>What a file is.</summary>
/// <param name="Volume">Tells file systems apart.</param>
/// <param name="Number">Tells the files of one file system apart, while they exist.</param>
/// <param name="Kind">What kind of file.</param>
/// <param name="AllocatedBytes">What it occupies on the disk.</param>
readonly record struct FileFacts(ulong Volume, ulong Number, FileKind Kind, long AllocatedBytes)
{
    public bool IsDirectory => Kind == FileKind.Directory;

    /// <summary>The same for all names of one file.</summary>
    public string Identity => $"file {Volume:x}:{Number:x}";

    public bool IsSameFile(FileFacts other) => Volume == other.Volume && Number == other.Number;
}

/// <summary>Kinds of files that the door treats differently.</summary>
enum FileKind
{
    /// <summary>A file with content, or one of another kind that is used like one.</summary>
    Plain = 0,

    Directory,

    BlockDevice,
}
