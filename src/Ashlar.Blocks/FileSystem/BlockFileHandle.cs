using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

/// <summary>An open file of a <see cref="BlockFileSystem"/>.</summary>
sealed class BlockFileHandle(BlockFileSystem disk, string path, Inode inode, bool isReadOnly) : IFile
{
    bool isDisposed;

    public string Path { get; } = path;

    public long LengthBytes
    {
        get
        {
            RequireOpen();
            return disk.LengthOf(inode);
        }
    }

    public long AllocatedBytes
    {
        get
        {
            RequireOpen();
            return disk.AllocatedOf(inode);
        }
    }

    public int Read(Span<byte> destination, long offsetBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        RequireOpen();
        return disk.Read(inode, Path, destination, offsetBytes);
    }

    public bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        RequireOpen();
        return disk.TryReadCached(inode, destination, offsetBytes, out bytesRead);
    }

    public void Prefetch(long offsetBytes, long lengthBytes)
    {
        RequireRange(offsetBytes, lengthBytes);
        disk.Prefetch(inode, offsetBytes, lengthBytes);
    }

    public void DropCached(long offsetBytes, long lengthBytes)
    {
        RequireRange(offsetBytes, lengthBytes);
        disk.DropCached(inode, offsetBytes, lengthBytes);
    }

    public void Write(ReadOnlySpan<byte> source, long offsetBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        RequireOpen();
        if (isReadOnly) throw StorageException.FromErrno("pwrite", Path, Errno.BadDescriptor);
        if (!source.IsEmpty) disk.Write(inode, Path, source, offsetBytes);
    }

    public void SetLength(long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        RequireOpen();
        if (isReadOnly) throw StorageException.FromErrno("ftruncate", Path, Errno.Invalid);
        disk.SetLength(inode, Path, lengthBytes);
    }

    public void Allocate(long offsetBytes, long lengthBytes)
    {
        if (MayChangeRange(offsetBytes, lengthBytes)) disk.Allocate(inode, Path, offsetBytes, lengthBytes);
    }

    public void PunchHole(long offsetBytes, long lengthBytes)
    {
        if (MayChangeRange(offsetBytes, lengthBytes)) disk.PunchHole(inode, Path, offsetBytes, lengthBytes);
    }

    public void ZeroRange(long offsetBytes, long lengthBytes)
    {
        if (MayChangeRange(offsetBytes, lengthBytes)) disk.ZeroRange(inode, Path, offsetBytes, lengthBytes);
    }

    public void StartWriteBack(long offsetBytes, long lengthBytes)
    {
        RequireRange(offsetBytes, lengthBytes);
        if (!isReadOnly && lengthBytes > 0) disk.StartWriteBack(inode, Path);
    }

    public void Sync()
    {
        RequireOpen();
        disk.Sync(inode, Path);
    }

    public void Dispose() => disk.CloseHandle(inode, ref isDisposed);

    void RequireOpen() => ObjectDisposedException.ThrowIf(Volatile.Read(ref isDisposed), this);

    void RequireRange(long offsetBytes, long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        RequireOpen();
    }

    bool MayChangeRange(long offsetBytes, long lengthBytes)
    {
        RequireRange(offsetBytes, lengthBytes);
        if (lengthBytes == 0) return false;
        return isReadOnly ? throw StorageException.FromErrno("fallocate", Path, Errno.BadDescriptor) : true;
    }
}
