using System.Runtime.Versioning;

namespace Ashlar.Storage;

/// <summary>
/// Who may have a Unix socket at a path: a lock by flock on a file beside it, held from before the path is looked at until the socket's
/// file is gone. The kernel drops it with the process.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class SocketFileLock : IDisposable
{
    readonly PosixFile file;
    readonly FileDescriptor descriptor;

    SocketFileLock(PosixFile file, FileDescriptor descriptor)
    {
        this.file = file;
        this.descriptor = descriptor;
    }

    /// <summary>Takes it; null where another has it.</summary>
    /// <param name="socketPath">The socket's file.</param>
    /// <exception cref="StorageException">The lock's file cannot be made or opened.</exception>
    public static SocketFileLock? TryTake(string socketPath)
    {
        var path = socketPath + ".lock";
        while (true)
        {
            // The directory may be somebody else's: no link is followed, and nothing is waited for or written.
            var descriptor = FileDescriptor.Open(
                path, Libc.OpenReadOnly | Libc.OpenCreate | Libc.OpenNonBlocking | Libc.OpenNoFollow);
            var file = new PosixFile(path, descriptor);
            try
            {
                while (Libc.Lock(descriptor, Libc.LockExclusive | Libc.LockNonBlocking) != 0)
                {
                    if (PosixError.Last == Errno.WouldBlock)
                    {
                        file.Dispose();
                        return null;
                    }

                    PosixError.ThrowUnlessInterrupted("flock", path);
                }

                // Removed between opening and locking it, it keeps nobody out.
                if (file.IsAtPath) return new(file, descriptor);
            }
            catch
            {
                file.Dispose();
                throw;
            }

            file.Dispose();
        }
    }

    /// <summary>Lets the next one have it. Order: the file goes while it is locked, or it would be the next one's.</summary>
    public void Dispose()
    {
        if (descriptor.IsClosed) return;
        try
        {
            SocketFile.Remove(file.Path);
        }
        catch (StorageException)
        {
            // It stays, and keeps nobody out.
        }

        _ = Libc.Lock(descriptor, Libc.LockRelease); // As in LockFile.
        file.Dispose();
    }
}
