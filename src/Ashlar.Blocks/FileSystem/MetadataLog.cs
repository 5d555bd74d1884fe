using System.Buffers;
using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

/// <summary>
/// Where metadata are kept: two areas, each of which holds a checkpoint with a log of transactions behind it. One of them counts. When
/// its log is full, a checkpoint goes to the other one. Its owner lets in one caller at a time.
/// </summary>
/// <remarks>
/// Crash order: a checkpoint is written over an older one that does not count any more, and is durable before a record is written behind
/// it; until then the area that counts, with all its records, stays as it is. Records are written in their order. A later one that
/// survives a power cut without an earlier one does not continue the chain, and nobody was told of it.
/// </remarks>
sealed class MetadataLog
{
    readonly Region region;
    readonly CommitRules rules;
    readonly IEntropySource entropy;
    HeaderFormat header;
    int current;
    AreaFormat head;
    uint lastCrc;
    long position; // Of the next record in the area.
    long durable;
    long written;

    MetadataLog(Region region, HeaderFormat header, CommitRules rules, IEntropySource entropy)
    {
        (this.region, this.header, this.rules, this.entropy) = (region, header, rules, entropy);
    }

    public HeaderFormat Header => header;

    /// <summary>Which of the two areas counts.</summary>
    public int Current => current;

    /// <summary>Of the newest transaction.</summary>
    public long Sequence
    {
        get => Volatile.Read(ref written);
        private set => Volatile.Write(ref written, value);
    }

    /// <summary>Transactions up to here are durable.</summary>
    public long DurableSequence => Volatile.Read(ref durable);

    /// <summary>How long a checkpoint may be: both areas must be able to hold it.</summary>
    public long MaxCheckpointBytes => (Math.Min(header.Area0.Count, header.Area1.Count) * header.UnitBytes) - AreaFormat.SizeBytes;

    /// <summary>Finds the area that counts, and carries out what it holds.</summary>
    /// <exception cref="CorruptDataException">No area is whole, or what was durable is missing.</exception>
    public static MetadataLog Open(
        Region region, HeaderFormat header, CommitRules rules, IEntropySource entropy, MetadataImage image)
    {
        var log = new MetadataLog(region, header, rules, entropy);
        var areas = new byte[2][];
        var heads = new (AreaFormat Head, uint Crc)?[2];
        for (var i = 0; i < 2; i++)
        {
            areas[i] = new byte[header.Area(i).Count * header.UnitBytes];
            region.Read(log.AreaStart(i), areas[i]);
            if (AreaFormat.TryRead(areas[i], header.Id, out var head, out var crc)) heads[i] = (head, crc);
        }

        if (heads[0] is null && heads[1] is null)
            throw new CorruptDataException(region.Name, region.DeviceOffset(log.AreaStart(0)), "no checkpoint of the file system is whole");
        var best = heads[1] is null || (heads[0] is { } first && first.Head.Generation > heads[1]!.Value.Head.Generation) ? 0 : 1;
        log.RequireNothingNewer(best, heads, areas);
        log.Replay(best, heads[best]!.Value, areas[best], image);
        return log;
    }

    /// <summary>The log of a file system that is being made, with its first checkpoint, which the caller flushes.</summary>
    public static MetadataLog Create(
        Region region, HeaderFormat header, CommitRules rules, IEntropySource entropy, MetadataImage image)
    {
        var log = new MetadataLog(region, header, rules, entropy) { current = 1 };
        log.WriteCheckpoint(image, 0);
        return log;
    }

    /// <summary>Adds a transaction that <paramref name="image"/> contains already. Not durable yet, unless it took a checkpoint.</summary>
    /// <param name="changes">The changes.</param>
    /// <param name="image">What they have made.</param>
    /// <returns>Its sequence.</returns>
    public long Append(ReadOnlySpan<byte> changes, MetadataImage image)
    {
        var next = Sequence + 1;
        var size = RecordFormat.Padded(RecordFormat.HeadBytes + (long)changes.Length);
        if (size > AreaBytes(current) - position)
        {
            WriteCheckpoint(image, next);
            rules.FlushCheckpoint(region);
            Sequence = next;
            MarkDurable(next);
            return next;
        }

        var record = ArrayPool<byte>.Shared.Rent((int)size);
        try
        {
            record.AsSpan(0, (int)size).Clear();
            changes.CopyTo(record.AsSpan(RecordFormat.HeadBytes));
            var format = new RecordFormat(changes.Length, head.Nonce, head.Generation, next, DurableSequence, lastCrc);
            lastCrc = format.Write(record);
            region.Write(AreaStart(current) + position, record.AsMemory(0, (int)size));
            position += size;
            Sequence = next; // Only now: who flushes takes it for written.
            return next;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(record);
        }
    }

    /// <summary>A flush that began after the record of a transaction was written has ended.</summary>
    public void MarkDurable(long sequence)
    {
        var seen = DurableSequence;
        while (sequence > seen)
        {
            var before = Interlocked.CompareExchange(ref durable, sequence, seen);
            if (before == seen) return;
            seen = before;
        }
    }

    /// <summary>Writes everything to the other area, durably, and goes on there.</summary>
    public void Checkpoint(MetadataImage image)
    {
        WriteCheckpoint(image, Sequence);
        rules.FlushCheckpoint(region);
        MarkDurable(Sequence);
    }

    /// <summary>A header that is durable has put the area that does not count elsewhere.</summary>
    public void Move(HeaderFormat moved)
    {
        Invariant.Require(moved.Area(current) == header.Area(current));
        header = moved;
    }

    void WriteCheckpoint(MetadataImage image, long sequence)
    {
        var checkpoint = image.ToCheckpoint();
        var target = 1 - current;
        if (checkpoint.WrittenCount > AreaBytes(target) - AreaFormat.SizeBytes)
            throw StorageException.FromErrno(
                "pwrite", region.Name, Errno.NoSpace, $"metadata of {checkpoint.WrittenCount} bytes in an area of {AreaBytes(target)}");
        var size = AreaFormat.SizeBytes + RecordFormat.Padded(checkpoint.WrittenCount);
        var bytes = new byte[size];
        checkpoint.WrittenSpan.CopyTo(bytes.AsSpan(AreaFormat.SizeBytes));
        var next = new AreaFormat(
            header.Id,
            head.Generation + 1,
            entropy.NextUInt64(),
            checkpoint.WrittenCount,
            sequence,
            Crc32C.Compute(checkpoint.WrittenSpan));
        var crc = next.Write(bytes);
        region.Write(AreaStart(target), bytes);
        (current, head, lastCrc, position) = (target, next, crc, size);
    }

    // A record is written only when the checkpoint before it is durable: where there is one of a later generation, that checkpoint was
    // not torn but damaged.
    void RequireNothingNewer(int best, (AreaFormat Head, uint Crc)?[] heads, byte[][] areas)
    {
        var other = 1 - best;
        if (heads[other] is not null) return;
        for (long at = 0; at < areas[other].Length; at += RecordFormat.BlockBytes)
        {
            if (RecordFormat.TryRead(areas[other].AsSpan((int)at), out var record, out _)
                && record.Generation > heads[best]!.Value.Head.Generation)
                throw new CorruptDataException(
                    region.Name,
                    region.DeviceOffset(AreaStart(other)),
                    $"the newest checkpoint of the file system, generation {record.Generation}, is damaged");
        }
    }

    void Replay(int index, (AreaFormat Head, uint Crc) found, byte[] area, MetadataImage image)
    {
        current = index;
        (head, lastCrc) = found;
        Sequence = head.LastSequence;
        image.Apply(area.AsSpan(AreaFormat.SizeBytes, (int)head.CheckpointBytes), AreaStart(index) + AreaFormat.SizeBytes);
        position = head.LogOffset;
        while (position < area.Length
            && RecordFormat.TryRead(area.AsSpan((int)position), out var record, out var crc)
            && record.Nonce == head.Nonce
            && record.Generation == head.Generation
            && record.Sequence == Sequence + 1
            && record.PreviousCrc == lastCrc)
        {
            var payload = area.AsSpan((int)position + RecordFormat.HeadBytes, record.PayloadBytes);
            image.Apply(payload, AreaStart(index) + position + RecordFormat.HeadBytes);
            (Sequence, lastCrc) = (record.Sequence, crc);
            position += record.SizeBytes;
        }

        for (var at = position; at < area.Length; at += RecordFormat.BlockBytes)
        {
            if (RecordFormat.TryRead(area.AsSpan((int)at), out var record, out _)
                && record.Nonce == head.Nonce
                && record.DurableSequence > Sequence)
                throw new CorruptDataException(
                    region.Name,
                    region.DeviceOffset(AreaStart(index) + position),
                    $"record {Sequence + 1} of the file system's log is damaged; records up to {record.DurableSequence} were durable");
        }

        durable = Sequence;
    }

    long AreaStart(int index) => header.Area(index).Unit * header.UnitBytes;

    long AreaBytes(int index) => header.Area(index).Count * header.UnitBytes;
}
