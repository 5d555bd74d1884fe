namespace Ashlar.Storage;

/// <summary>
/// A shared lock by flock on a descriptor that cannot write, so that it can be taken on a read-only file system. The kernel
/// drops it with the process.
/// </summary>
sealed class SharedLockFile : IFileLock
{
    readonly PosixFile file;
    readonly FileDescriptor descriptor;

    SharedLockFile(PosixFile file, FileDescriptor descriptor)
    {
        this.file = file;
        this.descriptor = descriptor;
    }

    public static SharedLockFile Take(string path)
    {
        var descriptor = FileDescriptor.Open(path, Libc.OpenReadOnly);
        var file = new PosixFile(path, descriptor);
        try
        {
            while (Libc.Lock(descriptor, Libc.LockShared | Libc.LockNonBlocking) != 0)
            {
                if (PosixError.Last == Errno.WouldBlock) throw new LockedException(path, LockFile.ReadOwner(file));
                PosixError.ThrowUnlessInterrupted("flock", path);
            }

            return new SharedLockFile(file, descriptor);
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
