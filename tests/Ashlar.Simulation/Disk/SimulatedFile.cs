using Ashlar.Storage;

namespace Ashlar.Simulation;

/// <summary>A handle to a file of a simulated disk.</summary>
sealed class SimulatedFile(SimulatedFileSystem disk, string path, int node, FileNode content, bool isReadOnly) : IFile
{
    bool isDisposed;

    public string Path { get; } = path;

    public long LengthBytes
    {
        get
        {
            lock (disk.Gate)
            {
                ObjectDisposedException.ThrowIf(isDisposed, this);
                return content.LengthBytes;
            }
        }
    }

    public long AllocatedBytes
    {
        get
        {
            lock (disk.Gate)
            {
                ObjectDisposedException.ThrowIf(isDisposed, this);
                return content.AllocatedBytes;
            }
        }
    }

    public bool IsInPlace
    {
        get
        {
            lock (disk.Gate) return disk.TryFind(Path) == node;
        }
    }

    public int Read(Span<byte> destination, long offsetBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        lock (disk.Gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            disk.PageCache.Read(node, offsetBytes, Math.Min(destination.Length, content.LengthBytes - offsetBytes));
            var count = content.Read(destination, offsetBytes);
            disk.Transfer(count);
            return count;
        }
    }

    public bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        lock (disk.Gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            bytesRead = 0;
            if (!disk.PageCache.Holds(node, offsetBytes, Math.Min(destination.Length, content.LengthBytes - offsetBytes))) return false;
            bytesRead = content.Read(destination, offsetBytes);
            disk.Transfer(bytesRead);
            return true;
        }
    }

    public void Prefetch(long offsetBytes, long lengthBytes)
    {
        RequireRange(offsetBytes, lengthBytes);
        lock (disk.Gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            disk.PageCache.Prefetch(node, new PrefetchHint(Path, offsetBytes, lengthBytes), content.LengthBytes);
        }
    }

    public void DropCached(long offsetBytes, long lengthBytes)
    {
        RequireRange(offsetBytes, lengthBytes);
        lock (disk.Gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            disk.DropForgotten(node, content, offsetBytes, lengthBytes);
        }
    }

    public void Write(ReadOnlySpan<byte> source, long offsetBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        lock (disk.Gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            if (isReadOnly) throw StorageException.FromErrno("pwrite", Path, Errno.BadDescriptor);
            if (source.IsEmpty) return;
            // As a real one: what fits is written before the rest is refused.
            var fitting = source[..disk.FittingBytes(content, offsetBytes, source.Length)];
            if (!fitting.IsEmpty)
            {
                disk.Transfer(fitting.Length);
                disk.PageCache.Add(node, offsetBytes, fitting.Length);
                disk.Apply(new DiskEvent.Write(node, offsetBytes, fitting.ToArray()));
            }

            if (fitting.Length < source.Length)
                disk.RequireSpace("pwrite", Path, content, offsetBytes + fitting.Length, source.Length - fitting.Length);
        }
    }

    public void SetLength(long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        lock (disk.Gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            if (isReadOnly) throw StorageException.FromErrno("ftruncate", Path, Errno.Invalid);
            disk.Apply(new DiskEvent.SetLength(node, lengthBytes));
        }
    }

    public void Allocate(long offsetBytes, long lengthBytes)
    {
        RequireRange(offsetBytes, lengthBytes);
        lock (disk.Gate)
        {
            if (!MayChangeRange(lengthBytes)) return;
            disk.RequireSpace("fallocate", Path, content, offsetBytes, lengthBytes);
            disk.Apply(new DiskEvent.Allocate(node, offsetBytes, lengthBytes));
        }
    }

    public void PunchHole(long offsetBytes, long lengthBytes)
    {
        RequireRange(offsetBytes, lengthBytes);
        lock (disk.Gate)
        {
            if (MayChangeRange(lengthBytes)) disk.Apply(new DiskEvent.PunchHole(node, offsetBytes, lengthBytes));
        }
    }

    // To a crash it is a hole: old sectors or zeros. The space follows at once.
    public void ZeroRange(long offsetBytes, long lengthBytes)
    {
        RequireRange(offsetBytes, lengthBytes);
        lock (disk.Gate)
        {
            lengthBytes = Math.Min(lengthBytes, content.LengthBytes - offsetBytes);
            if (!MayChangeRange(lengthBytes) || lengthBytes < 0) return;
            disk.RequireSpace("fallocate", Path, content, offsetBytes, lengthBytes);
            disk.Apply(new DiskEvent.PunchHole(node, offsetBytes, lengthBytes));
            disk.Apply(new DiskEvent.Allocate(node, offsetBytes, lengthBytes));
        }
    }

    public void Sync()
    {
        int began;
        lock (disk.Gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            began = disk.TraceLengthLocked;
        }

        disk.DuringSync?.Invoke(Path);
        lock (disk.Gate) disk.Apply(new DiskEvent.Sync(node, began));
    }

    public void Dispose()
    {
        lock (disk.Gate)
        {
            if (isDisposed) return;
            isDisposed = true;
            disk.Close(node, content);
        }
    }

    static void RequireRange(long offsetBytes, long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
    }

    bool MayChangeRange(long lengthBytes)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        if (lengthBytes == 0) return false;
        return isReadOnly ? throw StorageException.FromErrno("fallocate", Path, Errno.BadDescriptor) : true;
    }
}
