using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Files;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Values;

/// <summary>
/// A file that values are read from: a segment of the log, the one being written included, or values that were moved. Memtables and
/// tables that refer to it hold references; when it has become obsolete, the last of them deletes the file (invariant I5).
/// </summary>
sealed class ValueSegment : SharedResource
{
    readonly StoreFiles files;
    readonly ValueSegments owner;
    long endOffset;
    bool obsolete;

    public ValueSegment(StoreFiles files, ValueSegments owner, IFile file, ulong id, ulong nonce, SegmentOrigin origin)
    {
        this.files = files;
        this.owner = owner;
        (File, Id, Nonce, Origin) = (file, id, nonce, origin);
        owner.Cache.AddUser();
    }

    public ulong Id { get; }

    public ulong Nonce { get; }

    public SegmentOrigin Origin { get; }

    public IFile File { get; }

    /// <summary>End of the last group; 0 while the segment is being written.</summary>
    public long EndOffset
    {
        get => Volatile.Read(ref endOffset);
        set => Volatile.Write(ref endOffset, value);
    }

    /// <summary>Length of its file, with what is reserved ahead while it is written; false if it is gone.</summary>
    /// <exception cref="StorageException">The file cannot be looked at.</exception>
    public bool TryMeasure(out long lengthBytes)
    {
        lengthBytes = 0;
        if (!TryAcquire()) return false;
        try
        {
            lengthBytes = File.LengthBytes;
            return true;
        }
        finally
        {
            Release();
        }
    }

    public ValueSegmentInfo Info => new(Id, Nonce, Origin, EndOffset);

    /// <summary>Reads a whole value into memory of its length and checks it.</summary>
    /// <exception cref="CorruptDataException">The segment is cut off, or holds other bytes.</exception>
    public void Read(in ValuePlace place, Span<byte> destination)
    {
        if (File.Read(destination, place.Offset) != destination.Length) throw CutOff(place);
        Check(place, destination);
    }

    /// <summary>The same, if that needs no waiting for the disk.</summary>
    /// <exception cref="CorruptDataException">The segment is cut off, or holds other bytes.</exception>
    public bool TryReadCached(in ValuePlace place, Span<byte> destination)
    {
        if (!File.TryReadCached(destination, place.Offset, out var read)) return false;
        if (read != destination.Length) throw CutOff(place);
        Check(place, destination);
        return true;
    }

    /// <summary>Checks bytes that were read from a value's place.</summary>
    /// <exception cref="CorruptDataException">They are not the value.</exception>
    public void Check(in ValuePlace place, ReadOnlySpan<byte> value)
    {
        var actual = Crc32C.Append(place.CrcSeed, value);
        if (actual != place.ValueCrc)
            throw new CorruptDataException(
                File.Path, place.Offset, $"checksum mismatch of a value: expected {place.ValueCrc:x8}, found {actual:x8}");
    }

    public CorruptDataException CutOff(in ValuePlace place) => new(File.Path, place.Offset, "the segment ends before the value does");

    public bool IsObsolete => Volatile.Read(ref obsolete);

    /// <summary>The manifest does not list the segment any more, durably: its file goes with the last reference.</summary>
    public void MarkObsolete()
    {
        files.Kept.Add(EndOffset);
        Volatile.Write(ref obsolete, true);
    }

    protected override void Free()
    {
        owner.Remove(this);
        owner.Cache.RemoveUser();
        File.Dispose();
        if (!IsObsolete) return;
        files.TryDelete(File.Path);
        files.Kept.Remove(EndOffset);
    }
}
