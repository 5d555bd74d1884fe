using Microsoft.Win32.SafeHandles;

namespace Ashlar.Storage;

/// <summary>
/// A lock on an open file, shared or exclusive. The system drops it with the process, so nothing has to be cleaned up after a crash. Each
/// take opens the file anew, so one process cannot take an exclusive one twice.
/// </summary>
sealed class PortableLock : IFileLock
{
    readonly INativeFiles native;
    readonly SafeFileHandle handle;
    readonly PortableFile file;
    readonly bool isNamed;

    PortableLock(INativeFiles native, SafeFileHandle handle, PortableFile file, bool isNamed) =>
        (this.native, this.handle, this.file, this.isNamed) = (native, handle, file, isNamed);

    /// <summary>Takes an exclusive lock by a file that names its owner, and is created where it is missing.</summary>
    /// <exception cref="LockedException">Somebody else holds it.</exception>
    public static PortableLock Take(INativeFiles native, string path)
    {
        while (true)
        {
            var taken = Take(native, path, FileOpenMode.OpenOrCreate, isShared: false, isNamed: true);
            var isOurs = false;
            try
            {
                // Deleted between opening and locking it, the file is nobody's, and another owner may have made a new one.
                isOurs = taken.IsInPlace;
            }
            finally
            {
                if (!isOurs) taken.Release();
            }

            if (!isOurs) continue;
            LockOwner.Write(taken.file);
            return taken;
        }
    }

    /// <summary>Takes a lock on a file that exists, without writing.</summary>
    /// <exception cref="LockedException">Somebody else holds one that excludes it.</exception>
    public static PortableLock TakeExisting(INativeFiles native, string path, bool isShared) =>
        Take(native, path, FileOpenMode.ReadOnly, isShared, isNamed: false);

    public bool IsInPlace => !handle.IsClosed && file.IsInPlace;

    public void Dispose()
    {
        if (handle.IsClosed) return;
        if (isNamed) LockOwner.Clear(file);
        Release();
    }

    static PortableLock Take(INativeFiles native, string path, FileOpenMode mode, bool isShared, bool isNamed)
    {
        var handle = native.Open(path, mode);
        var file = new PortableFile(path, handle, isReadOnly: mode == FileOpenMode.ReadOnly, native);
        try
        {
            // Only a lock file says who has it.
            return native.TryLock(handle, path, isShared)
                ? new PortableLock(native, handle, file, isNamed)
                : throw new LockedException(path, isShared || isNamed ? LockOwner.Read(file) : null);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    // Closing is not enough: a process that was just forked holds a copy of the descriptor until it starts its program.
    void Release()
    {
        native.Unlock(handle);
        file.Dispose();
    }
}
