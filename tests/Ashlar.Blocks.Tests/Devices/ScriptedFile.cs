using System.Collections.Concurrent;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>A file in memory whose page cache and failures a test controls.</summary>
sealed class ScriptedFile(int lengthBytes) : IFile
{
    readonly byte[] content = new byte[lengthBytes];
    int syncs;

    public string Path => "/scripted";

    public long LengthBytes => content.Length;

    public long AllocatedBytes => content.Length;

    /// <summary>Whether reads are served without waiting.</summary>
    public bool IsCached { get; set; } = true;

    /// <summary>Raised by the next calls, while set.</summary>
    public StorageException? WriteFailure { get; set; }

    public StorageException? ReadFailure { get; set; }

    public StorageException? SyncFailure { get; set; }

    public StorageException? PunchHoleFailure { get; set; }

    public StorageException? AllocateFailure { get; set; }

    public StorageException? ZeroRangeFailure { get; set; }

    /// <summary>Called with the offset of a write that has begun and has not changed anything yet.</summary>
    public Action<long>? BeforeWrite { get; set; }

    /// <summary>Threads that waited for the medium.</summary>
    public ConcurrentBag<string?> MediumThreads { get; } = [];

    /// <summary>Calls that take space or give it back, in order.</summary>
    public List<string> SpaceCalls { get; } = [];

    /// <summary>Reads that miss the cache, and syncs, wait for this.</summary>
    public ManualResetEventSlim Medium { get; } = new(initialState: true);

    /// <summary>Set when a sync has begun.</summary>
    public SemaphoreSlim SyncBegun { get; } = new(0);

    public int Syncs => Volatile.Read(ref syncs);

    public int ReaderThread { get; private set; }

    public int Read(Span<byte> destination, long offsetBytes)
    {
        ReaderThread = Environment.CurrentManagedThreadId;
        MediumThreads.Add(Thread.CurrentThread.Name);
        Medium.Wait();
        if (ReadFailure is { } failure) throw failure;
        return Copy(destination, offsetBytes);
    }

    public bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead)
    {
        bytesRead = 0;
        if (!IsCached) return false;
        bytesRead = Copy(destination, offsetBytes);
        return true;
    }

    public void Prefetch(long offsetBytes, long lengthBytes)
    {
    }

    public void Write(ReadOnlySpan<byte> source, long offsetBytes)
    {
        BeforeWrite?.Invoke(offsetBytes);
        if (WriteFailure is { } failure) throw failure;
        source.CopyTo(content.AsSpan((int)offsetBytes));
    }

    public void SetLength(long lengthBytes) => throw new NotSupportedException();

    public void Allocate(long offsetBytes, long lengthBytes)
    {
        SpaceCalls.Add("allocate");
        if (AllocateFailure is { } failure) throw failure;
    }

    public void ZeroRange(long offsetBytes, long lengthBytes)
    {
        SpaceCalls.Add("zero");
        if (ZeroRangeFailure is { } failure) throw failure;
        content.AsSpan((int)offsetBytes, (int)lengthBytes).Clear();
    }

    public void PunchHole(long offsetBytes, long lengthBytes)
    {
        SpaceCalls.Add("punch");
        if (PunchHoleFailure is { } failure) throw failure;
        content.AsSpan((int)offsetBytes, (int)lengthBytes).Clear();
    }

    public void Sync()
    {
        Interlocked.Increment(ref syncs);
        MediumThreads.Add(Thread.CurrentThread.Name);
        SyncBegun.Release();
        Medium.Wait();
        if (SyncFailure is { } failure) throw failure;
    }

    public void Dispose()
    {
    }

    public static StorageException Failure(string operation, StorageErrorKind kind, int errno = Errno.InputOutput) =>
        new(operation, "/scripted", kind, errno, "as told");

    int Copy(Span<byte> destination, long offsetBytes)
    {
        var count = (int)Math.Min(destination.Length, content.Length - offsetBytes);
        content.AsSpan((int)offsetBytes, count).CopyTo(destination);
        return count;
    }
}
