using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Inspection;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Repair;

/// <summary>Takes over what a scan of one file finds, with values that lie in segments, and notes what is lost.</summary>
sealed class RepairSink(StoreFiles source, RepairRuns runs, List<RepairLoss> losses) : IScanSink, IDisposable
{
    readonly Dictionary<ulong, IFile?> segments = [];
    byte[] buffer = [];

    /// <summary>The file that is being scanned.</summary>
    public string Path { get; set; } = "";

    public void Structure(long offset, string description)
    {
    }

    public void Damage(long offset, long lengthBytes, string problem, string? keys = null) =>
        losses.Add(new RepairLoss(Path, offset, lengthBytes, problem, keys));

    public void Entry(in ScannedEntry entry)
    {
        if (entry.Kind == EntryKind.RangeDelete)
        {
            // What does not hold was told as damage; which keys were deleted nobody knows.
            if (entry.IsValueSound) runs.Add(RangeTombstone.Of(entry.Key, entry.Stored, entry.Sequence));
        }
        else if (entry.Kind == EntryKind.Delete) runs.Add(entry.Key, entry.Sequence, EntryKind.Delete, default);
        else if (!entry.Kind.IsPut())
            Damage(entry.Offset, entry.Stored.Length, $"an entry of kind {(byte)entry.Kind}", KeyText.Of(entry.Key));
        // The newest value of the key is lost. An older one would be wrong: the key is absent, unless this value is found elsewhere.
        else if (!entry.IsValueSound) runs.Add(entry.Key, entry.Sequence, EntryKind.Delete, default);
        else if (!entry.Kind.HasPlace()) runs.Add(entry.Key, entry.Sequence, entry.Kind, entry.Stored);
        else AddFromSegment(entry);
    }

    public void Dispose()
    {
        foreach (var file in segments.Values) file?.Dispose();
    }

    void AddFromSegment(in ScannedEntry entry)
    {
        var place = ValuePlace.Read(entry.Kind, entry.Stored);
        var expiryBytes = entry.Kind.Expires() ? Expiry.SizeBytes : 0;
        var length = expiryBytes + place.LengthBytes;
        if (buffer.Length < length) buffer = GC.AllocateUninitializedArray<byte>(length);
        var stored = buffer.AsSpan(0, length);
        entry.Stored[..expiryBytes].CopyTo(stored);
        var value = stored[expiryBytes..];
        var file = Segment(place.SegmentId);
        if (file is not null && file.Read(value, place.Offset) == value.Length && Crc32C.Append(place.CrcSeed, value) == place.ValueCrc)
        {
            runs.Add(entry.Key, entry.Sequence, expiryBytes == 0 ? EntryKind.Put : EntryKind.ExpiringPut, stored);
            return;
        }

        losses.Add(new RepairLoss(
            source.LogPath(place.SegmentId), place.Offset, place.LengthBytes,
            file is null ? "the value lies in this segment, but the file is missing" : "the value does not hold", KeyText.Of(entry.Key)));
        runs.Add(entry.Key, entry.Sequence, EntryKind.Delete, default);
    }

    IFile? Segment(ulong id)
    {
        if (segments.TryGetValue(id, out var known)) return known;
        var path = source.LogPath(id);
        return segments[id] = source.FileSystem.FileExists(path) ? source.FileSystem.Open(path, FileOpenMode.ReadOnly) : null;
    }
}
