using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Storage;

/// <summary>Linux and macOS: each call is one of POSIX, every error is raised, interrupted calls are repeated.</summary>
sealed unsafe class UnixFiles : INativeFiles
{
    const int FullSync = 51; // F_FULLFSYNC of macOS.
    const int NoTerminal = 25; // ENOTTY: to a file system that does not know a command it is one of terminals.

    public SafeFileHandle Open(string path, FileOpenMode mode)
    {
        var handle = Opened(path, mode switch
        {
            FileOpenMode.Existing => static path => UnixCalls.OpenExisting(path, isReadOnly: false),
            FileOpenMode.ReadOnly => static path => UnixCalls.OpenExisting(path, isReadOnly: true),
            FileOpenMode.CreateNew => static path => UnixCalls.OpenOrCreate(path, mustBeNew: true),
            _ => static path => UnixCalls.OpenOrCreate(path, mustBeNew: false),
        });
        try
        {
            // Only for reading is a directory opened like a file.
            return GetFacts(handle, path).Kind switch
            {
                FileKind.Directory => throw StorageException.FromErrno("open", path, Errno.IsDirectory),
                FileKind.BlockDevice => throw StorageException.FromErrno("open", path, Errno.NotSupported, "block devices need Linux"),
                _ => handle,
            };
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public void CreateDirectory(string path)
    {
        while (UnixCalls.MakeDirectory(path, UnixCalls.DirectoryMode) != 0) ThrowUnlessInterrupted("mkdir", path);
    }

    public void DeleteDirectory(string path)
    {
        while (UnixCalls.RemoveDirectory(path) != 0) ThrowUnlessInterrupted("rmdir", path);
    }

    public void Rename(string source, string target)
    {
        while (UnixCalls.Rename(source, target) != 0) ThrowUnlessInterrupted("rename", source, $"to {target}: ");
    }

    public void Delete(string path)
    {
        while (UnixCalls.Unlink(path) != 0)
        {
            // macOS, as POSIX has it, calls that not permitted.
            if (PosixError.Last == Errno.NotPermitted && TryGetFacts(path, out var facts) && facts.IsDirectory)
                throw StorageException.FromErrno("unlink", path, Errno.IsDirectory);
            ThrowUnlessInterrupted("unlink", path);
        }
    }

    public void SyncDirectory(string path)
    {
        using var directory = Opened(path, static path => UnixCalls.OpenDirectory(path));
        Sync(directory, path);
    }

    public void Sync(SafeFileHandle file, string path)
    {
        if (OperatingSystem.IsMacOS() && TrySyncFully(file, path)) return;
        // Not .NET's: it takes a file system that has become read-only after an error for a file that cannot be flushed, and says nothing.
        while (UnixCalls.Sync(file) != 0) ThrowUnlessInterrupted("fsync", path);
    }

    public bool TryLock(SafeFileHandle file, string path, bool isShared)
    {
        var kind = isShared ? UnixCalls.LockShared : UnixCalls.LockExclusive;
        while (UnixCalls.Lock(file, kind | UnixCalls.LockNonBlocking) != 0)
        {
            if (PortableError.FromUnix(PosixError.Last) == Errno.WouldBlock) return false;
            ThrowUnlessInterrupted("flock", path);
        }

        return true;
    }

    public void Unlock(SafeFileHandle file) => _ = UnixCalls.Lock(file, UnixCalls.LockRelease);

    public bool TryGetFacts(string path, out FileFacts facts)
    {
        while (UnixStatus.Get(path, out facts) != 0)
        {
            if (PosixError.Last is Errno.NoEntry or Errno.NotDirectory) return false; // The same everywhere.
            ThrowUnlessInterrupted("stat", path);
        }

        return true;
    }

    public FileFacts GetFacts(SafeFileHandle file, string path)
    {
        FileFacts facts;
        while (UnixStatus.Get(file, out facts) != 0) ThrowUnlessInterrupted("fstat", path);
        return facts;
    }

    public string ResolveLinks(string path)
    {
        var resolved = stackalloc byte[UnixCalls.PathLimit];
        while (UnixCalls.RealPath(path, resolved) == null) ThrowUnlessInterrupted("realpath", path);
        return Marshal.PtrToStringUTF8((nint)resolved)!;
    }

    public long GetFreeSpaceBytes(string path)
    {
        try
        {
            return Math.Max(0, new DriveInfo(path).AvailableFreeSpace);
        }
        catch (Exception failure) when (PortableError.IsOfTheDisk(failure))
        {
            throw PortableError.Of("statvfs", path, failure);
        }
    }

    static SafeFileHandle Opened(string path, Func<string, int> open)
    {
        while (true)
        {
            var descriptor = open(path);
            if (descriptor >= 0) return new SafeFileHandle(descriptor, ownsHandle: true);
            ThrowUnlessInterrupted("open", path);
        }
    }

    // False where the file system does not know it: others of macOS than its own.
    static bool TrySyncFully(SafeFileHandle file, string path)
    {
        while (UnixCalls.Control(file, FullSync) < 0)
        {
            if (PortableError.FromUnix(PosixError.Last) is Errno.NotSupported or Errno.Invalid or NoTerminal) return false;
            ThrowUnlessInterrupted("fcntl", path);
        }

        return true;
    }

    static void ThrowUnlessInterrupted(string operation, string path, string place = "")
    {
        if (PosixError.Last != Errno.Interrupted) throw PortableError.OfUnix(operation, path, place);
    }
}
