using System.Runtime.Versioning;

namespace Ashlar.Storage;

/// <summary>
/// A lock by flock, shared or exclusive, on a descriptor that cannot write: nothing of the file changes, and the lock can be taken on a
/// read-only file system. The kernel drops it with the process.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class ExistingFileLock : IFileLock
{
    readonly PosixFile file;
    readonly FileDescriptor descriptor;

    ExistingFileLock(PosixFile file, FileDescriptor descriptor)
    {
        this.file = file;
        this.descriptor = descriptor;
    }

    public static ExistingFileLock Take(string path, bool isShared)
    {
        var descriptor = FileDescriptor.Open(path, Libc.OpenReadOnly);
        var file = new PosixFile(path, descriptor);
        var kind = isShared ? Libc.LockShared : Libc.LockExclusive;
        try
        {
            while (Libc.Lock(descriptor, kind | Libc.LockNonBlocking) != 0)
            {
                // Only a lock file says who has it.
                if (PosixError.Last == Errno.WouldBlock) throw new LockedException(path, isShared ? LockOwner.Read(file) : null);
                PosixError.ThrowUnlessInterrupted("flock", path);
            }

            return new ExistingFileLock(file, descriptor);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public bool IsInPlace => !descriptor.IsClosed && file.IsAtPath;

    public void Dispose()
    {
        if (descriptor.IsClosed) return;
        _ = Libc.Lock(descriptor, Libc.LockRelease); // As in LockFile.
        file.Dispose();
    }
}
