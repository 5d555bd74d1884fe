using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

// Locks on files, which a process has against itself.
public sealed partial class BlockFileSystem
{
    const int ExclusiveLock = -1;

    /// <inheritdoc />
    /// <remarks>The lock is one within this process, between those who have the same instance.</remarks>
    public IFileLock Lock(string path)
    {
        var names = SplitPath(path);
        lock (gate)
        {
            RequireOpen();
            var place = Locate("open", path, names);
            if (place.Inode is { IsDirectory: true }) throw StorageException.FromErrno("open", path, Errno.IsDirectory);
            if (place.Inode is { } present && locks.ContainsKey(present)) throw new LockedException(path, Environment.ProcessId);
            var inode = place.Inode ?? Create("open", path, place, isDirectory: false);
            locks.Add(inode, ExclusiveLock);
            inode.OpenHandles++;
            return new HeldLock(this, path, inode);
        }
    }

    /// <inheritdoc />
    public IFileLock LockShared(string path)
    {
        var names = SplitPath(path);
        lock (gate)
        {
            RequireOpen();
            var inode = Locate("open", path, names).Inode ?? throw StorageException.FromErrno("open", path, Errno.NoEntry);
            if (inode.IsDirectory) throw StorageException.FromErrno("open", path, Errno.IsDirectory);
            var holders = locks.GetValueOrDefault(inode);
            if (holders == ExclusiveLock) throw new LockedException(path, Environment.ProcessId);
            locks[inode] = holders + 1;
            inode.OpenHandles++;
            return new HeldLock(this, path, inode);
        }
    }

    /// <inheritdoc />
    public IFileLock LockExisting(string path)
    {
        var names = SplitPath(path);
        lock (gate)
        {
            RequireOpen();
            if (Locate("open", path, names).Inode is null) throw StorageException.FromErrno("open", path, Errno.NoEntry);
            return Lock(path);
        }
    }

    sealed class HeldLock(BlockFileSystem disk, string path, Inode inode) : IFileLock
    {
        bool isReleased;

        public bool IsInPlace
        {
            get
            {
                lock (disk.gate) return !isReleased && disk.TryFind(SplitPath(path)) == inode;
            }
        }

        public void Dispose()
        {
            lock (disk.gate)
            {
                if (isReleased) return;
                isReleased = true;
                if (disk.locks[inode] is ExclusiveLock or 1) disk.locks.Remove(inode);
                else disk.locks[inode]--;
                disk.Close(inode);
            }
        }
    }
}
