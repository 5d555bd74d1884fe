using System.Runtime.Versioning;

namespace Ashlar.Storage;

/// <summary>
/// An exclusive lock by flock on a file that holds its owner's process id. The kernel drops the lock with the process, so
/// nothing has to be cleaned up after a crash. Each take opens a descriptor of its own, so one process cannot take it twice.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class LockFile : IFileLock
{
    readonly PosixFile file;
    readonly FileDescriptor descriptor;

    LockFile(PosixFile file, FileDescriptor descriptor)
    {
        this.file = file;
        this.descriptor = descriptor;
    }

    public static LockFile Take(string path)
    {
        while (true)
        {
            var descriptor = FileDescriptor.Open(path, Libc.OpenReadWrite | Libc.OpenCreate);
            var file = new PosixFile(path, descriptor);
            try
            {
                while (Libc.Lock(descriptor, Libc.LockExclusive | Libc.LockNonBlocking) != 0)
                {
                    if (PosixError.Last == Errno.WouldBlock) throw new LockedException(path, LockOwner.Read(file));
                    PosixError.ThrowUnlessInterrupted("flock", path);
                }

                // Deleted between opening and locking it, the file is nobody's, and another owner may have made a new one.
                if (file.IsAtPath)
                {
                    LockOwner.Write(file);
                    return new LockFile(file, descriptor);
                }
            }
            catch
            {
                file.Dispose();
                throw;
            }

            file.Dispose();
        }
    }

    public bool IsInPlace => !descriptor.IsClosed && file.IsAtPath;

    public void Dispose()
    {
        if (descriptor.IsClosed) return;

        LockOwner.Clear(file);

        // Closing is not enough: a process that was just forked holds a copy of the descriptor until it starts its program.
        _ = Libc.Lock(descriptor, Libc.LockRelease);
        file.Dispose();
    }
}
