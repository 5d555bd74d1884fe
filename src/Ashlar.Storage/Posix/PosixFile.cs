using System.Runtime.CompilerServices;
using System.Runtime.Versioning;

namespace Ashlar.Storage;

/// <summary>A file of the real disk.</summary>
[SupportedOSPlatform("linux")]
sealed unsafe class PosixFile(string path, FileDescriptor descriptor) : IFile
{
    // Set once the kernel or the C library turns out not to know preadv2 with RWF_NOWAIT.
    static volatile bool nowaitIsMissing;

    // The same for sync_file_range.
    static volatile bool writeBackIsMissing;

    StrongBox<FileStatus>? identity; // Which file it is never changes while it is open.

    public string Path { get; } = path;

    // lseek and not stat: it knows the length of block devices as well. Nothing uses the position it moves.
    public long LengthBytes
    {
        get
        {
            var length = Libc.Seek(descriptor, 0, Libc.SeekEnd);
            return length >= 0 ? length : throw StorageException.FromErrno("lseek", Path, PosixError.Last);
        }
    }

    public long AllocatedBytes => checked((long)Status().BlockCount * FileStatus.BlockBytes);

    public FileStatus Status()
    {
        FileStatus status;
        const uint wanted = FileStatus.TypeAndMode | FileStatus.Inode | FileStatus.Blocks;
        while (Libc.Status(descriptor, "", FileStatus.EmptyPath, wanted, &status) != 0)
            PosixError.ThrowUnlessInterrupted("statx", Path);
        return status;
    }

    /// <summary>Whether the path that it was opened by still leads to it.</summary>
    public bool IsAtPath =>
        PosixFileSystem.TryGetStatus(Path, out var found) && found.IsSameFile((identity ??= new StrongBox<FileStatus>(Status())).Value);

    public bool IsInPlace => IsAtPath;

    public bool IsBlockDevice => Status().IsBlockDevice;

    public int Read(Span<byte> destination, long offsetBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        fixed (byte* start = destination)
        {
            var done = 0;
            while (done < destination.Length)
            {
                var count = Libc.Read(descriptor, start + done, (nuint)(destination.Length - done), offsetBytes + done);
                if (count == 0) break;
                if (count > 0) done += (int)count;
                else PosixError.ThrowUnlessInterrupted("pread", Path, offsetBytes + done, destination.Length - done);
            }

            return done;
        }
    }

    public bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        bytesRead = 0;
        if (nowaitIsMissing) return false;
        fixed (byte* start = destination)
        {
            while (bytesRead < destination.Length)
            {
                var vector = new IoVector { Base = start + bytesRead, Length = (nuint)(destination.Length - bytesRead) };
                var count = ReadNoWait(&vector, offsetBytes + bytesRead);
                if (count == 0) return true;
                if (count < 0) return false;
                bytesRead += (int)count;
            }

            return true;
        }
    }

    public void Prefetch(long offsetBytes, long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        if (lengthBytes == 0) return; // To the kernel that is the rest of the file.
        _ = Libc.Advise(descriptor, offsetBytes, lengthBytes, Libc.AdviceWillNeed);
    }

    public void DropCached(long offsetBytes, long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        // The kernel drops a unit of its cache only if all of it lies in the range, and units have up to 2 MiB.
        const long unit = 2 << 20;
        var start = offsetBytes / unit * unit;
        var end = (offsetBytes + lengthBytes + unit - 1) / unit * unit;
        if (end > start) _ = Libc.Advise(descriptor, start, end - start, Libc.AdviceDontNeed);
    }

    public void Write(ReadOnlySpan<byte> source, long offsetBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        fixed (byte* start = source)
        {
            var done = 0;
            while (done < source.Length)
            {
                var count = Libc.Write(descriptor, start + done, (nuint)(source.Length - done), offsetBytes + done);
                if (count > 0) done += (int)count;
                else if (count == 0) throw StorageException.FromErrno("pwrite", Path, Errno.InputOutput, $"stuck at {offsetBytes + done}");
                else PosixError.ThrowUnlessInterrupted("pwrite", Path, offsetBytes + done, source.Length - done);
            }
        }
    }

    public void SetLength(long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        while (Libc.Truncate(descriptor, lengthBytes) != 0)
            PosixError.ThrowUnlessInterrupted("ftruncate", Path, 0, lengthBytes);
    }

    public void Allocate(long offsetBytes, long lengthBytes) => Allocate(0, offsetBytes, lengthBytes);

    public void PunchHole(long offsetBytes, long lengthBytes) =>
        Allocate(Libc.AllocatePunchHole | Libc.AllocateKeepSize, offsetBytes, lengthBytes);

    public void ZeroRange(long offsetBytes, long lengthBytes) =>
        Allocate(Libc.AllocateZeroRange | Libc.AllocateKeepSize, offsetBytes, lengthBytes);

    public void StartWriteBack(long offsetBytes, long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        if (writeBackIsMissing || lengthBytes == 0) return; // The kernel takes 0 for everything behind the offset.
        try
        {
            while (Libc.SyncRange(descriptor, offsetBytes, lengthBytes, Libc.SyncRangeWrite) != 0)
            {
                // Not permitted: a sandbox. Invalid: a file system that does not know it, for the range is right.
                if (PosixError.Last is Errno.NoSuchCall or Errno.NotSupported or Errno.NotPermitted or Errno.Invalid)
                {
                    writeBackIsMissing = true;
                    return;
                }

                PosixError.ThrowUnlessInterrupted("sync_file_range", Path, offsetBytes, lengthBytes);
            }
        }
        catch (EntryPointNotFoundException)
        {
            writeBackIsMissing = true;
        }
    }

    public void Sync()
    {
        while (Libc.SyncData(descriptor) != 0)
            PosixError.ThrowUnlessInterrupted("fdatasync", Path);
    }

    public void Dispose() => descriptor.Dispose();

    void Allocate(int mode, long offsetBytes, long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        if (lengthBytes == 0) return; // The kernel calls an empty range invalid.
        while (Libc.Allocate(descriptor, mode, offsetBytes, lengthBytes) != 0)
            PosixError.ThrowUnlessInterrupted("fallocate", Path, offsetBytes, lengthBytes);
    }

    nint ReadNoWait(IoVector* vector, long offsetBytes)
    {
        try
        {
            var count = Libc.ReadVector(descriptor, vector, 1, offsetBytes, Libc.ReadNoWait);
            if (count >= 0) return count;
        }
        catch (EntryPointNotFoundException)
        {
            nowaitIsMissing = true;
            return -1;
        }

        switch (PosixError.Last)
        {
            case Errno.WouldBlock or Errno.Interrupted or Errno.NotSupported: // The last: this file system, not every one.
                return -1;
            case Errno.NoSuchCall:
                nowaitIsMissing = true;
                return -1;
            default:
                throw StorageException.FromErrno("preadv2", Path, PosixError.Last, $"{vector->Length} bytes at {offsetBytes}");
        }
    }
}
