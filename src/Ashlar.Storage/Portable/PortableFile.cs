using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Storage;

/// <summary>A file that .NET reads and writes.</summary>
sealed class PortableFile(string path, SafeFileHandle handle, bool isReadOnly, INativeFiles native) : IFile
{
    StrongBox<FileFacts>? identity; // Which file it is never changes while it is open.

    public string Path { get; } = path;

    public long LengthBytes
    {
        get
        {
            try
            {
                return RandomAccess.GetLength(handle);
            }
            catch (Exception failure) when (PortableError.IsOfTheDisk(failure))
            {
                throw PortableError.Of("fstat", Path, failure);
            }
        }
    }

    public long AllocatedBytes => native.GetFacts(handle, Path).AllocatedBytes;

    public bool IsInPlace => native.TryGetFacts(Path, out var found) && found.IsSameFile(
        (identity ??= new StrongBox<FileFacts>(native.GetFacts(handle, Path))).Value);

    public int Read(Span<byte> destination, long offsetBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        var done = 0;
        try
        {
            while (done < destination.Length)
            {
                var count = RandomAccess.Read(handle, destination[done..], offsetBytes + done);
                if (count == 0) break;
                done += count;
            }

            return done;
        }
        catch (Exception failure) when (PortableError.IsOfTheDisk(failure))
        {
            throw PortableError.Of("pread", Path, failure, offsetBytes + done, destination.Length - done);
        }
    }

    // No call of .NET tells whether it would have to wait.
    public bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        bytesRead = 0;
        return false;
    }

    public void Prefetch(long offsetBytes, long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
    }

    public void Write(ReadOnlySpan<byte> source, long offsetBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        if (isReadOnly) throw StorageException.FromErrno("pwrite", Path, Errno.BadDescriptor);
        try
        {
            RandomAccess.Write(handle, source, offsetBytes); // All of it, or it throws.
        }
        catch (Exception failure) when (PortableError.IsOfTheDisk(failure))
        {
            throw PortableError.Of("pwrite", Path, failure, offsetBytes, source.Length);
        }
    }

    public void SetLength(long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        if (isReadOnly) throw StorageException.FromErrno("ftruncate", Path, Errno.Invalid);
        try
        {
            RandomAccess.SetLength(handle, lengthBytes);
        }
        catch (Exception failure) when (PortableError.IsOfTheDisk(failure))
        {
            throw PortableError.Of("ftruncate", Path, failure, 0, lengthBytes);
        }

        // .NET takes some refusals for those of files that have no length.
        if (LengthBytes != lengthBytes) throw StorageException.FromErrno("ftruncate", Path, Errno.Invalid, $"{lengthBytes} bytes at 0");
    }

    // To write zeros in its place would be no reservation: what others write meanwhile would be lost, and holes would stay.
    public void Allocate(long offsetBytes, long lengthBytes) => RefuseUnlessEmpty(offsetBytes, lengthBytes);

    public void PunchHole(long offsetBytes, long lengthBytes) => RefuseUnlessEmpty(offsetBytes, lengthBytes);

    public void ZeroRange(long offsetBytes, long lengthBytes) => RefuseUnlessEmpty(offsetBytes, lengthBytes);

    public void StartWriteBack(long offsetBytes, long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
    }

    public void Sync()
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed, this);
        native.Sync(handle, Path);
    }

    public void Dispose() => handle.Dispose();

    void RefuseUnlessEmpty(long offsetBytes, long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        if (lengthBytes == 0) return;
        throw StorageException.FromErrno(
            "fallocate", Path, isReadOnly ? Errno.BadDescriptor : Errno.NotSupported, $"{lengthBytes} bytes at {offsetBytes}");
    }
}
