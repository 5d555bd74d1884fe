using System.Globalization;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// The files of a log of recent writes: one is written, those that are full wait for a commit, and a few are spare. They are used one after
/// the other, and again; what is left in one from before has lower sequences. Not safe for concurrent callers.
/// </summary>
/// <remarks>
/// Invariant: the segments that are there have no gap between their sequences, for only the oldest is deleted or used again.
/// </remarks>
sealed class RecentSegments(RecentWritesPlace place, long segmentBytes)
{
    const string Prefix = "recent-";
    const int MaxSpare = 2;

    readonly Queue<Segment> full = new(); // Oldest first.
    readonly Queue<Segment> spare = new();
    Segment? active;
    long lastNumber, lastTakenOver;
    long totalBytes;

    /// <summary>Length of what is not covered yet, in whole segments.</summary>
    public long TotalBytes => Volatile.Read(ref totalBytes);

    /// <summary>Number of the last segment that is full, since the log began; -1 when there is none.</summary>
    public long LastFull => full.Count == 0 ? -1 : full.Max(static segment => segment.Number);

    /// <summary>The files that an earlier life has left; their directory is made where it is missing.</summary>
    public static string[] Find(RecentWritesPlace place)
    {
        place.FileSystem.CreateDirectories(place.Directory);
        return
        [
            .. place.FileSystem.List(place.Directory)
                .Where(static name => name.StartsWith(Prefix, StringComparison.Ordinal))
                .Select(name => $"{place.Directory}/{name}"),
        ];
    }

    /// <summary>Takes over segments of an earlier life, oldest first: they are full.</summary>
    public void TakeOver(IEnumerable<string> paths)
    {
        foreach (var path in paths)
        {
            full.Enqueue(new Segment(place.FileSystem.Open(path, FileOpenMode.Existing)) { Number = ++lastNumber });
            lastTakenOver = lastNumber;
            Volatile.Write(ref totalBytes, totalBytes + segmentBytes);
        }
    }

    /// <summary>Whether a record of so many bytes needs the next segment.</summary>
    public bool NeedsNext(int bytes) => active is null || active.EndBytes + bytes > segmentBytes;

    /// <summary>Begins the next segment.</summary>
    public void Begin(ReadOnlySpan<byte> header)
    {
        if (!spare.TryDequeue(out var next)) next = Create();
        next.Number = ++lastNumber;
        try
        {
            next.File.Write(header, 0);
        }
        catch
        {
            TryDelete(next);
            throw;
        }

        next.EndBytes = header.Length;
        if (active is not null) full.Enqueue(active);
        active = next;
        Volatile.Write(ref totalBytes, totalBytes + segmentBytes);
    }

    /// <summary>Writes a record behind the last one.</summary>
    public void Append(ReadOnlySpan<byte> record)
    {
        Invariant.Require(active is not null && active.EndBytes + record.Length <= segmentBytes);
        active.File.Write(record, active.EndBytes);
        active.EndBytes += record.Length;
    }

    /// <summary>Nothing in segments up to one is needed any more.</summary>
    /// <param name="covered">Its number.</param>
    public void Release(long covered)
    {
        while (full.TryPeek(out var oldest) && oldest.Number <= covered)
        {
            Invariant.Require(totalBytes >= segmentBytes);
            Volatile.Write(ref totalBytes, totalBytes - segmentBytes);
            spare.Enqueue(full.Dequeue());
        }

        // One that cannot be deleted is the next to be used: without it there would be a gap before the others.
        while (spare.Count > MaxSpare && TryDelete(spare.Peek())) spare.Dequeue();
    }

    /// <summary>Deletes what is spare, for a log that is written no more.</summary>
    /// <exception cref="StorageException">Something is left.</exception>
    public void DeleteSpare()
    {
        while (spare.TryDequeue(out var segment)) Delete(segment);
    }

    /// <summary>Deletes all of it.</summary>
    /// <exception cref="StorageException">Something is left.</exception>
    public void DeleteAll()
    {
        foreach (var segment in TakeAll()) Delete(segment);
    }

    /// <summary>Deletes all but what was taken over.</summary>
    /// <exception cref="StorageException">Something is left.</exception>
    public void DeleteOwn()
    {
        var own = TakeAll().ToLookup(segment => segment.Number > lastTakenOver);
        foreach (var segment in own[false])
        {
            full.Enqueue(segment);
            Volatile.Write(ref totalBytes, totalBytes + segmentBytes);
        }

        foreach (var segment in own[true]) Delete(segment);
    }

    /// <summary>Closes the files.</summary>
    public void Close()
    {
        foreach (var segment in TakeAll()) segment.File.Dispose();
    }

    Segment[] TakeAll()
    {
        Segment[] all = [.. full, .. spare, .. active is null ? [] : (Segment[])[active]];
        full.Clear();
        spare.Clear();
        active = null;
        Volatile.Write(ref totalBytes, 0);
        return all;
    }

    Segment Create()
    {
        var name = 0;
        while (place.FileSystem.FileExists(PathOf(name))) name++;
        var segment = new Segment(place.FileSystem.Open(PathOf(name), FileOpenMode.CreateNew));
        try
        {
            segment.File.Allocate(0, segmentBytes);
        }
        catch (StorageException cannot) when (cannot.Kind == StorageErrorKind.NotSupported)
        {
            // Then it takes its space as it is written.
        }
        catch
        {
            TryDelete(segment);
            throw;
        }

        return segment;
    }

    string PathOf(int name) => string.Create(CultureInfo.InvariantCulture, $"{place.Directory}/{Prefix}{name:D4}");

    void Delete(Segment segment)
    {
        using var file = segment.File;
        place.FileSystem.Delete(file.Path);
    }

    bool TryDelete(Segment segment)
    {
        try
        {
            place.FileSystem.Delete(segment.File.Path);
            segment.File.Dispose();
            return true;
        }
        catch (StorageException)
        {
            return false;
        }
    }

    sealed class Segment(IFile file)
    {
        public IFile File { get; } = file;

        /// <summary>Of its use.</summary>
        public long Number { get; set; }

        public long EndBytes { get; set; }
    }
}
