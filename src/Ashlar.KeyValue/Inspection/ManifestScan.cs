using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.SortedTable;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Inspection;

/// <summary>Reads a manifest record by record, behind damage too.</summary>
sealed class ManifestScan(IFile file, IScanSink sink)
{
    const int ChunkBytes = 64 << 10;

    readonly long length = file.LengthBytes;

    public void Run()
    {
        Guid storeId;
        var head = new byte[ManifestHeader.SizeBytes];
        try
        {
            storeId = ManifestHeader.Read(head.AsSpan(0, file.Read(head, 0)), file.Path).StoreId;
        }
        catch (Exception damage) when (damage is CorruptDataException or UnsupportedFormatException)
        {
            sink.Damage(0, length, damage.Message);
            return;
        }

        sink.Structure(0, $"manifest of store {storeId}");
        var seed = ManifestRecordHeader.Seed(storeId);
        long offset = ManifestHeader.SizeBytes;
        while (offset < length)
        {
            if (TryReadRecord(offset, seed, out var record, out var payload))
            {
                Describe(offset, record, payload);
                offset += ManifestRecordHeader.SizeBytes + record.Length;
                continue;
            }

            var next = FindNext(offset, seed);
            sink.Damage(offset, next - offset, next < length
                ? "a record does not hold, but one that follows does"
                : "no record holds from here on: the last edit was torn, or it is damaged");
            offset = next;
        }
    }

    bool TryReadRecord(long offset, uint seed, out ManifestRecordHeader record, out byte[] payload)
    {
        payload = [];
        Span<byte> head = stackalloc byte[ManifestRecordHeader.SizeBytes];
        if (!ManifestRecordHeader.TryRead(head[..file.Read(head, offset)], offset, seed, out record)) return false;
        if (record.Length > length - offset - ManifestRecordHeader.SizeBytes) return false;
        payload = new byte[record.Length];
        return file.Read(payload, offset + ManifestRecordHeader.SizeBytes) == payload.Length
            && Crc32C.Append(seed, payload) == record.PayloadCrc;
    }

    long FindNext(long offset, uint seed)
    {
        var chunk = new byte[ChunkBytes + ManifestRecordHeader.SizeBytes];
        for (var start = offset + 1; start < length; start += ChunkBytes)
        {
            var read = file.Read(chunk, start);
            for (var at = 0; at < ChunkBytes && at + ManifestRecordHeader.SizeBytes <= read; at++)
            {
                if (ManifestRecordHeader.TryRead(chunk.AsSpan(at), start + at, seed, out _)
                    && TryReadRecord(start + at, seed, out _, out _))
                {
                    return start + at;
                }
            }
        }

        return length;
    }

    void Describe(long offset, in ManifestRecordHeader record, byte[] payload)
    {
        ManifestEdit edit;
        try
        {
            edit = ManifestEdit.Decode(payload, file.Path, offset);
        }
        catch (Exception damage) when (damage is CorruptDataException or UnsupportedFormatException)
        {
            sink.Damage(offset, record.Length, damage.Message);
            return;
        }

        sink.Structure(offset, $"edit {record.Number}, {record.Length} bytes");
        foreach (var table in edit.AddedTables)
        {
            sink.Structure(
                offset,
                $"  + table {table.Id}, level {table.Level}, {table.EntryCount} entries in {table.FileLength} bytes, sequences "
                    + $"{table.MinSequence} to {table.MaxSequence}, keys {KeyText.Of(table.SmallestKey)} to "
                    + $"{KeyText.Of(table.LargestKey)}{Describe(table.Expiry)}");
        }

        foreach (var id in edit.RemovedTables) sink.Structure(offset, $"  - table {id}");
        foreach (var log in edit.AddedLogs)
            sink.Structure(
                offset, $"  + log {log.Id}, nonce {log.Nonce:x16}, after log {log.PredecessorId} ended at byte {log.PredecessorEnd}");
        foreach (var segment in edit.AddedSegments)
            sink.Structure(offset, $"  + values in log {segment.Id}, nonce {segment.Nonce:x16}, {segment.EndOffset} bytes");
        foreach (var range in edit.AddedRanges)
            sink.Structure(offset, $"  + deleted {KeyText.Of(range)} at sequence {range.Sequence}");
        foreach (var retired in edit.RetiredRanges) sink.Structure(offset, $"  - range deleted at sequence {retired}");
        if (edit.Features != StoreFeatures.None) sink.Structure(offset, $"  features {edit.Features}");
        if (edit.ObsoleteThroughLog is { } through) sink.Structure(offset, $"  - logs up to {through}");
        if (edit.NextFileId is { } next) sink.Structure(offset, $"  next file {next}");
        if (edit.LastSequence is { } sequence) sink.Structure(offset, $"  last sequence {sequence}");
        if (edit.Archive is { } archive)
            sink.Structure(
                offset, $"  archived: logs up to {archive.ThroughLog}, sequences up to {archive.LastSequence}, parts up to {archive.Part}");
        if (edit.ArchiveEnded) sink.Structure(offset, "  archiving ended");
        if (edit.HistoryId is { } history) sink.Structure(offset, $"  history {history}");
        if (edit.Closed) sink.Structure(offset, "  closed");
    }

    static string Describe(TableExpiry expiry) =>
        expiry.Count == 0 ? "" : $", {expiry.Count} expire from {expiry.Moments[0]} to {expiry.Moments[^1]} ms";
}
