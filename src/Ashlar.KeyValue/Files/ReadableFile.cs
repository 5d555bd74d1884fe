using Ashlar.Storage;

namespace Ashlar.KeyValue.Files;

/// <summary>A file of <see cref="OpenFiles"/>: open or not, it can be read until it is disposed.</summary>
/// <remarks>
/// A handle may be closed under a reader that is about to use it. It then says that it is disposed, and never reads another file,
/// because handles count the calls in flight. The reader opens the file again.
/// </remarks>
sealed class ReadableFile(OpenFiles owner, string path) : IFile
{
    IFile? handle;
    bool wasUsed;

    public string Path { get; } = path;

    /// <summary>The open file; null while it is closed. Changed under the lock of <see cref="OpenFiles"/>.</summary>
    public IFile? Handle
    {
        get => Volatile.Read(ref handle);
        set => Volatile.Write(ref handle, value);
    }

    /// <summary>Whether it was used since the clock came by.</summary>
    public bool WasUsed
    {
        get => Volatile.Read(ref wasUsed);
        set => Volatile.Write(ref wasUsed, value);
    }

    public bool IsDisposed { get; set; }

    public long LengthBytes => Ask(static file => file.LengthBytes);

    public long AllocatedBytes => Ask(static file => file.AllocatedBytes);

    public int Read(Span<byte> destination, long offsetBytes)
    {
        while (true)
        {
            try
            {
                return Acquire().Read(destination, offsetBytes);
            }
            catch (ObjectDisposedException) when (!IsDisposed)
            {
            }
        }
    }

    public bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead)
    {
        bytesRead = 0;
        if (!WasUsed) WasUsed = true;
        try
        {
            return Handle is { } opened && opened.TryReadCached(destination, offsetBytes, out bytesRead); // To open it may mean to wait.
        }
        catch (ObjectDisposedException) when (!IsDisposed)
        {
            return false;
        }
    }

    public void Prefetch(long offsetBytes, long lengthBytes)
    {
        try
        {
            Acquire().Prefetch(offsetBytes, lengthBytes);
        }
        catch (Exception failure) when (failure is StorageException or ObjectDisposedException)
        {
            // Only a hint: the read will tell.
        }
    }

    public void Write(ReadOnlySpan<byte> source, long offsetBytes) => throw ReadOnly();

    public void SetLength(long lengthBytes) => throw ReadOnly();

    public void Allocate(long offsetBytes, long lengthBytes) => throw ReadOnly();

    public void PunchHole(long offsetBytes, long lengthBytes) => throw ReadOnly();

    public void Sync() => throw ReadOnly();

    public void Dispose() => owner.Dispose(this);

    long Ask(Func<IFile, long> question)
    {
        while (true)
        {
            try
            {
                return question(Acquire());
            }
            catch (ObjectDisposedException) when (!IsDisposed)
            {
            }
        }
    }

    IFile Acquire()
    {
        // Written once between two rounds of the clock: the line stays shared.
        if (!WasUsed) WasUsed = true;
        return Handle ?? owner.Open(this);
    }

    NotSupportedException ReadOnly() => new($"{Path} was opened for reading.");
}
