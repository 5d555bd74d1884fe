using System.Buffers.Binary;
using Ashlar.KeyValue.Log;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Archive;

// Part of an archive of the log, file "part-NNNNNNNN-SSSSSS-XXXXXXXXXXXXXXXX" (number, segment, nonce), format version 1.
// Little-endian. The bytes From to To of the segment follow the head: whole groups, all durable when they were copied.
//   0          8         12    16        32          48       56             60           64
//   +----------+---------+-----+---------+-----------+--------+--------------+------------+
//   | ASHLRARC | Version | Crc | StoreId | HistoryId | Number | PreviousCrc  | ContentCrc |
//   +----------+---------+-----+---------+-----------+--------+--------------+------------+
//   64          72      80     88   96              104             112            120
//   +-----------+-------+------+----+---------------+---------------+--------------+
//   | SegmentId | Nonce | From | To | AfterSequence | FirstSequence | LastSequence |
//   +-----------+-------+------+----+---------------+---------------+--------------+
//   120               128              136         144          148      152
//   +-----------------+----------------+-----------+------------+--------+
//   | FirstCommitTime | LastCommitTime | WrittenAt | EndHeadCrc | Zero   |
//   +-----------------+----------------+-----------+------------+--------+
// Crc covers bytes 0..12 and 16..152. PreviousCrc is the Crc of the part before, 0 in the first: parts that follow each other by
// number and by this hold every write between AfterSequence of the first and LastSequence of the last. EndHeadCrc is the
// HeaderCrc of the last group. Times are microseconds since 1970 (UTC).
sealed record ArchivePart
{
    public const int HeadBytes = 152;
    public const uint Version = 1;
    const ulong Magic = 0x4352_4152_4C48_5341; // "ASHLRARC"

    public required Guid StoreId { get; init; }

    /// <summary>The history that it is of: parts of a store and of its restored copy do not mix.</summary>
    public required Guid HistoryId { get; init; }

    /// <summary>Counted from 1, without a gap.</summary>
    public required ulong Number { get; init; }

    public required uint PreviousCrc { get; init; }

    public uint ContentCrc { get; init; }

    public required ulong SegmentId { get; init; }

    public required ulong Nonce { get; init; }

    public required long From { get; init; }

    public long To { get; init; }

    /// <summary>Every write up to here is in earlier parts, or older than the archive.</summary>
    public required ulong AfterSequence { get; init; }

    public ulong FirstSequence { get; init; }

    public ulong LastSequence { get; init; }

    public long FirstCommitTime { get; init; }

    public long LastCommitTime { get; init; }

    public long WrittenAt { get; init; }

    /// <summary>HeaderCrc of the last group, which the next group of the segment repeats.</summary>
    public uint EndHeadCrc { get; init; }

    /// <summary>Checksum of the head, by which the next part knows this one.</summary>
    public uint Crc { get; private init; }

    public long FileBytes => HeadBytes + To - From;

    /// <summary>What the checksums of its groups are seeded with.</summary>
    public LogSegmentHeader Segment => new(StoreId, SegmentId, Nonce);

    /// <summary>Encodes the head; gives the part with its checksum.</summary>
    public ArchivePart Encode(Span<byte> target)
    {
        target[..HeadBytes].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(target, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], Version);
        StoreId.TryWriteBytes(target[16..], bigEndian: true, out _);
        HistoryId.TryWriteBytes(target[32..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(target[48..], Number);
        BinaryPrimitives.WriteUInt32LittleEndian(target[56..], PreviousCrc);
        BinaryPrimitives.WriteUInt32LittleEndian(target[60..], ContentCrc);
        BinaryPrimitives.WriteUInt64LittleEndian(target[64..], SegmentId);
        BinaryPrimitives.WriteUInt64LittleEndian(target[72..], Nonce);
        BinaryPrimitives.WriteInt64LittleEndian(target[80..], From);
        BinaryPrimitives.WriteInt64LittleEndian(target[88..], To);
        BinaryPrimitives.WriteUInt64LittleEndian(target[96..], AfterSequence);
        BinaryPrimitives.WriteUInt64LittleEndian(target[104..], FirstSequence);
        BinaryPrimitives.WriteUInt64LittleEndian(target[112..], LastSequence);
        BinaryPrimitives.WriteInt64LittleEndian(target[120..], FirstCommitTime);
        BinaryPrimitives.WriteInt64LittleEndian(target[128..], LastCommitTime);
        BinaryPrimitives.WriteInt64LittleEndian(target[136..], WrittenAt);
        BinaryPrimitives.WriteUInt32LittleEndian(target[144..], EndHeadCrc);
        var crc = Checksum(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], crc);
        return this with { Crc = crc };
    }

    /// <summary>Reads the head of a part.</summary>
    /// <exception cref="CorruptDataException">It is damaged, or the file is shorter or longer than it says.</exception>
    /// <exception cref="UnsupportedFormatException">
    /// It is not a part of an archive, or of a version that this program cannot read.
    /// </exception>
    public static ArchivePart Decode(ReadOnlySpan<byte> source, long fileBytes, string path)
    {
        if (source.Length < HeadBytes) throw new CorruptDataException(path, 0, "the part of the archive is shorter than its head");
        if (BinaryPrimitives.ReadUInt64LittleEndian(source) != Magic)
            throw new UnsupportedFormatException(path, "this is not a part of an archive of the log");
        var crc = BinaryPrimitives.ReadUInt32LittleEndian(source[12..]);
        if (crc != Checksum(source)) throw new CorruptDataException(path, 0, "the head of the part does not hold");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        if (version != Version)
            throw new UnsupportedFormatException(path, $"archive format version {version}; this program reads version {Version}");
        var part = new ArchivePart
        {
            StoreId = new Guid(source.Slice(16, 16), bigEndian: true),
            HistoryId = new Guid(source.Slice(32, 16), bigEndian: true),
            Number = BinaryPrimitives.ReadUInt64LittleEndian(source[48..]),
            PreviousCrc = BinaryPrimitives.ReadUInt32LittleEndian(source[56..]),
            ContentCrc = BinaryPrimitives.ReadUInt32LittleEndian(source[60..]),
            SegmentId = BinaryPrimitives.ReadUInt64LittleEndian(source[64..]),
            Nonce = BinaryPrimitives.ReadUInt64LittleEndian(source[72..]),
            From = BinaryPrimitives.ReadInt64LittleEndian(source[80..]),
            To = BinaryPrimitives.ReadInt64LittleEndian(source[88..]),
            AfterSequence = BinaryPrimitives.ReadUInt64LittleEndian(source[96..]),
            FirstSequence = BinaryPrimitives.ReadUInt64LittleEndian(source[104..]),
            LastSequence = BinaryPrimitives.ReadUInt64LittleEndian(source[112..]),
            FirstCommitTime = BinaryPrimitives.ReadInt64LittleEndian(source[120..]),
            LastCommitTime = BinaryPrimitives.ReadInt64LittleEndian(source[128..]),
            WrittenAt = BinaryPrimitives.ReadInt64LittleEndian(source[136..]),
            EndHeadCrc = BinaryPrimitives.ReadUInt32LittleEndian(source[144..]),
            Crc = crc,
        };
        var makesSense = part.Number > 0 && part.From >= LogSegmentHeader.SizeBytes && part.To > part.From
            && part.From % LogGroupHeader.AlignmentBytes == 0 && part.To % LogGroupHeader.AlignmentBytes == 0
            && part.AfterSequence < part.FirstSequence && part.FirstSequence <= part.LastSequence
            && part.FirstCommitTime <= part.LastCommitTime;
        if (!makesSense) throw new CorruptDataException(path, 48, "the head of the part makes no sense");
        return fileBytes == part.FileBytes
            ? part
            : throw new CorruptDataException(
                path, fileBytes, $"the head of the part says {part.FileBytes} bytes, the file has {fileBytes}");
    }

    static uint Checksum(ReadOnlySpan<byte> bytes) => Crc32C.Append(Crc32C.Compute(bytes[..12]), bytes[16..HeadBytes]);
}
