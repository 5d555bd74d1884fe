namespace Ashlar.Storage;

/// <summary>An open file. Reads and writes carry their own offset and are safe for concurrent callers.</summary>
public interface IFile : IDisposable
{
    /// <summary>The path it was opened by.</summary>
    string Path { get; }

    /// <summary>Length in bytes.</summary>
    long LengthBytes { get; }

    /// <summary>Bytes that the file occupies on disk: holes do not count.</summary>
    long AllocatedBytes { get; }

    /// <summary>Whether it is a block device: a disk, which has all of its space, and a length that nobody here changes.</summary>
    bool IsBlockDevice => false;

    /// <summary>
    /// Whether the path that it was opened by still leads to it. It does not once the file was deleted, or another one put in its place;
    /// what is open goes on working all the same.
    /// </summary>
    /// <exception cref="StorageException">That cannot be found out.</exception>
    bool IsInPlace => true;

    /// <summary>Reads until <paramref name="destination"/> is full or the file ends.</summary>
    /// <returns>Bytes read: fewer than asked for only at the end of the file.</returns>
    int Read(Span<byte> destination, long offsetBytes);

    /// <summary>
    /// Reads as <see cref="Read"/> does, but only if that needs no waiting for the medium: the bytes are in the page cache.
    /// </summary>
    /// <returns>False if the call would have to wait, or cannot tell; <paramref name="destination"/> is then undefined.</returns>
    bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead);

    /// <summary>
    /// Says that a range will be read soon: where the system can, it begins to read it into the page cache, and the call returns without
    /// waiting for it. A hint: what fails stays unnoticed, and what lies beyond the end does not matter.
    /// </summary>
    void Prefetch(long offsetBytes, long lengthBytes);

    /// <summary>
    /// Forgets what the cache holds of a range, and perhaps of its neighbourhood, as far as it counts as written: the next read gets what
    /// the disk holds. After a sync that failed the cache may hold what the disk does not. Does nothing where there is no such way.
    /// </summary>
    void DropCached(long offsetBytes, long lengthBytes)
    {
    }

    /// <summary>Writes all of <paramref name="source"/>, extending the file where needed.</summary>
    void Write(ReadOnlySpan<byte> source, long offsetBytes);

    /// <summary>Cuts or extends the file; the extension reads as zeros.</summary>
    void SetLength(long lengthBytes);

    /// <summary>Reserves disk space for a range, extending the file where needed; the content does not change.</summary>
    void Allocate(long offsetBytes, long lengthBytes);

    /// <summary>Makes a range within the file read as zeros and gives its space back to the file system.</summary>
    void PunchHole(long offsetBytes, long lengthBytes);

    /// <summary>
    /// Makes a range within the file read as zeros; it keeps the space that it has, at every moment, and gets what it lacks.
    /// </summary>
    /// <exception cref="StorageException">
    /// <see cref="StorageErrorKind.NotSupported"/>: the file system cannot, and nothing has changed.
    /// </exception>
    void ZeroRange(long offsetBytes, long lengthBytes) => throw StorageException.FromErrno("fallocate", Path, Errno.NotSupported);

    /// <summary>
    /// Begins to write a range to the medium, as far as the system can, and does not wait: a <see cref="Sync"/> soon after takes less
    /// time. It promises nothing, and a failure that it meets is reported as one of <see cref="Write"/>.
    /// </summary>
    void StartWriteBack(long offsetBytes, long lengthBytes)
    {
        // Whoever has nothing to begin with writes everything in Sync.
    }

    /// <summary>Makes data and length durable (fdatasync). After a failure the file's unsynced content is in doubt:
    /// retrying proves nothing, because the kernel may already have dropped the dirty pages.</summary>
    void Sync();
}
