using Ashlar.Storage;

namespace Ashlar.Simulation;

/// <summary>A file of a <see cref="FaultyFileSystem"/>.</summary>
sealed class FaultyFile(FaultyFileSystem disk, IFile inner, UnsyncedWrites unsynced) : IFile
{
    int reportedLosses = unsynced.Losses;

    public string Path => inner.Path;

    public long LengthBytes
    {
        get
        {
            disk.Require(FaultOperations.Length, "lseek", Path);
            return inner.LengthBytes;
        }
    }

    public long AllocatedBytes
    {
        get
        {
            disk.Require(FaultOperations.Length, "statx", Path);
            return inner.AllocatedBytes;
        }
    }

    public bool IsInPlace
    {
        get
        {
            disk.Require(FaultOperations.LockState, "statx", Path);
            return inner.IsInPlace;
        }
    }

    public int Read(Span<byte> destination, long offsetBytes)
    {
        var fault = disk.Choose(FaultOperations.Read, Path);
        if (fault is { } kind) FaultyFileSystem.Carry(kind, "pread", Path);
        var count = inner.Read(destination, offsetBytes);
        if (fault == FaultKind.BitFlip) Flip(destination[..count], offsetBytes);
        return count;
    }

    // What has to wait fails, if it does, in the read that waits.
    public bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead)
    {
        if (!inner.TryReadCached(destination, offsetBytes, out bytesRead)) return false;
        bytesRead = Read(destination, offsetBytes);
        return true;
    }

    public void Prefetch(long offsetBytes, long lengthBytes) => inner.Prefetch(offsetBytes, lengthBytes);

    public void DropCached(long offsetBytes, long lengthBytes) => inner.DropCached(offsetBytes, lengthBytes);

    public void Write(ReadOnlySpan<byte> source, long offsetBytes)
    {
        var fault = disk.Choose(FaultOperations.Write, Path);
        if (fault is FaultKind.ShortWrite or FaultKind.NoSpaceHalfWay) WriteThrough(source[..(source.Length / 2)], offsetBytes);
        if (fault is { } kind && !FaultyFileSystem.Carry(kind, "pwrite", Path)) return;
        WriteThrough(source, offsetBytes);
    }

    public void SetLength(long lengthBytes)
    {
        if (!disk.Require(FaultOperations.SetLength, "ftruncate", Path)) return;
        lock (unsynced.Gate)
        {
            if (disk.RemembersWrites()) unsynced.Remember(inner, lengthBytes, long.MaxValue);
            inner.SetLength(lengthBytes);
        }
    }

    public void Allocate(long offsetBytes, long lengthBytes)
    {
        if (!disk.Require(FaultOperations.Allocate, "fallocate", Path)) return;
        lock (unsynced.Gate)
        {
            if (disk.RemembersWrites()) unsynced.Remember(inner, offsetBytes, 0);
            inner.Allocate(offsetBytes, lengthBytes);
        }
    }

    public void PunchHole(long offsetBytes, long lengthBytes)
    {
        if (!disk.Require(FaultOperations.PunchHole, "fallocate", Path)) return;
        lock (unsynced.Gate)
        {
            if (disk.RemembersWrites()) unsynced.Remember(inner, offsetBytes, lengthBytes);
            inner.PunchHole(offsetBytes, lengthBytes);
        }
    }

    public void ZeroRange(long offsetBytes, long lengthBytes)
    {
        if (!disk.Require(FaultOperations.ZeroRange, "fallocate", Path)) return;
        lock (unsynced.Gate)
        {
            if (disk.RemembersWrites()) unsynced.Remember(inner, offsetBytes, lengthBytes);
            inner.ZeroRange(offsetBytes, lengthBytes);
        }
    }

    public void StartWriteBack(long offsetBytes, long lengthBytes)
    {
        if (disk.Require(FaultOperations.WriteBack, "sync_file_range", Path)) inner.StartWriteBack(offsetBytes, lengthBytes);
    }

    public void Sync()
    {
        var fault = disk.Choose(FaultOperations.Sync, Path);
        int remembered;
        lock (unsynced.Gate)
        {
            if (fault == FaultKind.LostSync) unsynced.Lose(inner);
            remembered = unsynced.Count;
        }

        if (fault is { } kind && kind != FaultKind.LostSync && !FaultyFileSystem.Carry(kind, "fdatasync", Path)) return;
        if (fault != FaultKind.LostSync) inner.Sync();
        lock (unsynced.Gate)
        {
            // As Linux does: once for each open file, whichever of them made the disk fail, and never again.
            if (reportedLosses != unsynced.Losses)
            {
                reportedLosses = unsynced.Losses;
                FaultyFileSystem.Carry(FaultKind.LostSync, "fdatasync", Path);
            }

            unsynced.Forget(remembered);
        }
    }

    public void Dispose() => inner.Dispose();

    void WriteThrough(ReadOnlySpan<byte> source, long offsetBytes)
    {
        if (!disk.RemembersWrites())
        {
            inner.Write(source, offsetBytes);
            return;
        }

        lock (unsynced.Gate)
        {
            unsynced.Remember(inner, offsetBytes, source.Length);
            inner.Write(source, offsetBytes);
        }
    }

    // Which bit depends on the place alone, so that a failure repeats.
    static void Flip(Span<byte> read, long offsetBytes)
    {
        if (read.IsEmpty) return;
        var random = new SeededRandom((ulong)offsetBytes);
        read[random.Next(read.Length)] ^= (byte)(1 << random.Next(8));
    }
}
