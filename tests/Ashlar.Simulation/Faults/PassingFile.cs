using Ashlar.Storage;

namespace Ashlar.Simulation;

/// <summary>Passes everything on to another file: for those that change one thing only.</summary>
public abstract class PassingFile(IFile inner) : IFile
{
    /// <inheritdoc />
    public string Path => inner.Path;

    /// <inheritdoc />
    public long LengthBytes => inner.LengthBytes;

    /// <inheritdoc />
    public long AllocatedBytes => inner.AllocatedBytes;

    /// <inheritdoc />
    public virtual bool IsBlockDevice => inner.IsBlockDevice;

    /// <inheritdoc />
    public virtual bool IsInPlace => inner.IsInPlace;

    /// <inheritdoc />
    public virtual int Read(Span<byte> destination, long offsetBytes) => inner.Read(destination, offsetBytes);

    /// <inheritdoc />
    public virtual bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead) =>
        inner.TryReadCached(destination, offsetBytes, out bytesRead);

    /// <inheritdoc />
    public void Prefetch(long offsetBytes, long lengthBytes) => inner.Prefetch(offsetBytes, lengthBytes);

    /// <inheritdoc />
    public void DropCached(long offsetBytes, long lengthBytes) => inner.DropCached(offsetBytes, lengthBytes);

    /// <inheritdoc />
    public virtual void Write(ReadOnlySpan<byte> source, long offsetBytes) => inner.Write(source, offsetBytes);

    /// <inheritdoc />
    public void SetLength(long lengthBytes) => inner.SetLength(lengthBytes);

    /// <inheritdoc />
    public void Allocate(long offsetBytes, long lengthBytes) => inner.Allocate(offsetBytes, lengthBytes);

    /// <inheritdoc />
    public void PunchHole(long offsetBytes, long lengthBytes) => inner.PunchHole(offsetBytes, lengthBytes);

    /// <inheritdoc />
    public void ZeroRange(long offsetBytes, long lengthBytes) => inner.ZeroRange(offsetBytes, lengthBytes);

    /// <inheritdoc />
    public void StartWriteBack(long offsetBytes, long lengthBytes) => inner.StartWriteBack(offsetBytes, lengthBytes);

    /// <inheritdoc />
    public virtual void Sync() => inner.Sync();

    /// <inheritdoc />
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the file.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
    }
}
