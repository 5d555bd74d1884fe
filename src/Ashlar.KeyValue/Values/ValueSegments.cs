using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Files;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Values;

/// <summary>
/// All segments that values may be read from, by number. Looking one up takes no lock and no reference: whoever holds a place
/// holds a memtable or a table, which holds the segment.
/// </summary>
sealed class ValueSegments(StoreFiles files, BlockCache cache) : IResourceMap, IDisposable
{
    readonly Lock gate = new();

    /// <summary>Values that were read lately.</summary>
    public ValueCache Cache { get; } = new(cache);

    // Replaced, never changed: readers see one whole map or another.
    ValueSegment?[] map = new ValueSegment?[16];

    /// <summary>Adds a segment and takes over its creator's reference, until <see cref="Retire"/>.</summary>
    public ValueSegment Add(IFile file, ulong id, ulong nonce, SegmentOrigin origin = SegmentOrigin.Log)
    {
        var segment = new ValueSegment(files, this, file, id, nonce, origin);
        using (gate.Hold()) Rebuild(map.Append(segment));
        return segment;
    }

    /// <summary>The segment; the caller holds something that refers to it.</summary>
    /// <exception cref="CorruptDataException">No such segment is there.</exception>
    public ValueSegment Find(ulong id) => TryFind(id)
        ?? throw new CorruptDataException(files.LogPath(id), 0, "values lie in this segment, but the manifest does not list it");

    SharedResource IResourceMap.Find(ulong id) => Find(id);

    public ValueSegment? TryFind(ulong id)
    {
        var snapshot = Volatile.Read(ref map);
        for (var slot = SlotOf(id, snapshot.Length); snapshot[slot] is { } segment; slot = (slot + 1) & (snapshot.Length - 1))
        {
            if (segment.Id == id) return segment;
        }

        return null;
    }

    /// <summary>Bytes of all files that count: of the log, with what is reserved ahead of its end, and of moved values.</summary>
    public long BytesOnDisk()
    {
        var bytes = 0L;
        foreach (var segment in Volatile.Read(ref map))
        {
            if (segment is null || segment.IsObsolete) continue;
            if (segment.EndOffset is > 0 and var end) bytes += end;
            else if (segment.TryMeasure(out var length)) bytes += length;
        }

        return bytes;
    }

    /// <summary>Reads a value into memory of exactly its length.</summary>
    /// <exception cref="CorruptDataException">What lies there is not the value.</exception>
    public void Read(in ValuePlace place, Span<byte> destination) => Find(place.SegmentId).Read(place, destination);

    /// <summary>The same for a reader within the epoch, from the cache if it is there, and into it if not.</summary>
    /// <exception cref="CorruptDataException">What lies there is not the value.</exception>
    public void ReadThrough(int slot, in ValuePlace place, Span<byte> destination)
    {
        var cached = Cache.Find(slot, place);
        if (!cached.IsNone)
        {
            cached.Bytes.CopyTo(destination);
            return;
        }

        Read(place, destination);
        Cache.Add(place, destination);
    }

    /// <summary>The same, if that needs no waiting for the disk.</summary>
    /// <exception cref="CorruptDataException">What lies there is not the value.</exception>
    public bool TryReadCachedThrough(int slot, in ValuePlace place, Span<byte> destination)
    {
        var cached = Cache.Find(slot, place);
        if (!cached.IsNone)
        {
            cached.Bytes.CopyTo(destination);
            return true;
        }

        if (!Find(place.SegmentId).TryReadCached(place, destination)) return false;
        Cache.Add(place, destination);
        return true;
    }

    /// <summary>Reads what lies at an offset of a value's segment, unchecked; fewer bytes where the segment ends.</summary>
    public int ReadAt(in ValuePlace place, long offset, Span<byte> destination) =>
        Find(place.SegmentId).File.Read(destination, offset);

    /// <summary>The same, if that needs no waiting for the disk.</summary>
    public bool TryReadCachedAt(ulong segmentId, long offset, Span<byte> destination, out int bytesRead) =>
        Find(segmentId).File.TryReadCached(destination, offset, out bytesRead);

    /// <summary>Says that a range of a segment will be read soon.</summary>
    public void Prefetch(ulong segmentId, long offset, long length) => Find(segmentId).File.Prefetch(offset, length);

    /// <summary>Checks bytes that were read from a value's place.</summary>
    /// <exception cref="CorruptDataException">They are not the value.</exception>
    public void Check(in ValuePlace place, ReadOnlySpan<byte> value) => Find(place.SegmentId).Check(place, value);

    public CorruptDataException CutOff(in ValuePlace place) => Find(place.SegmentId).CutOff(place);

    /// <summary>The manifest does not list the segment any more, durably: it goes with its last reader.</summary>
    public void Retire(ulong id)
    {
        var segment = Find(id);
        segment.MarkObsolete();
        segment.Release();
    }

    /// <summary>For the segment itself, when its last reference is gone.</summary>
    public void Remove(ValueSegment segment)
    {
        using (gate.Hold()) Rebuild(map.Where(other => other != segment));
    }

    /// <summary>Lets go of the segments; readers that are still at work hold theirs.</summary>
    public void Dispose()
    {
        foreach (var segment in Volatile.Read(ref map))
        {
            if (segment is { IsObsolete: false }) segment.Release();
        }
    }

    void Rebuild(IEnumerable<ValueSegment?> content)
    {
        ValueSegment[] segments = [.. content.OfType<ValueSegment>()];
        var size = 16;
        while (size < 2 * segments.Length) size *= 2;
        var next = new ValueSegment?[size];
        foreach (var segment in segments)
        {
            var slot = SlotOf(segment.Id, size);
            while (next[slot] is not null) slot = (slot + 1) & (size - 1);
            next[slot] = segment;
        }

        Volatile.Write(ref map, next);
    }

    static int SlotOf(ulong id, int size) => (int)((id * 0x9E3779B185EBCA87) >> 40) & (size - 1);
}
