using System.Buffers.Binary;
using Ashlar.KeyValue.Sharding.Layout;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding.Backup;

/// <summary>One shard's part of a backup of a sharded store.</summary>
/// <param name="Number">Its backup, in the directory of backups of that shard.</param>
/// <param name="Sequence">Which holds every write of the shard up to this one.</param>
readonly record struct ShardBackup(ulong Number, ulong Sequence);

// Record of a backup of a sharded store, file "backup-NNNNNN", format version 1. Little-endian.
//   0          8         12    16       24        32      36             40
//   +----------+---------+-----+--------+---------+-------+--------------+
//   | ASHLRSBK | Version | Crc | Number | TakenAt | Count | LayoutLength |   Crc covers bytes 0..12 and 16 to the end.
//   +----------+---------+-----+--------+---------+-------+--------------+
// Count times Number 8, Sequence 8 follow, in the order of the shards; then LayoutLength bytes, the content of the file SHARDS.
// TakenAt is in microseconds since 1970 (UTC).
sealed record ShardedBackupRecord(ulong Number, long TakenAt, IReadOnlyList<ShardBackup> Shards, ShardFile Layout)
    : INumberedRecord<ShardedBackupRecord>
{
    const uint Version = 1;
    const int HeadBytes = 40;
    const int ShardBytes = 16;
    const ulong Magic = 0x4B42_5352_4C48_5341; // "ASHLRSBK"

    public static string NamePrefix => "backup-";

    public static int NumberOffset => 16;

    public byte[] Encode()
    {
        var layout = Layout.Encode();
        var bytes = new byte[HeadBytes + (ShardBytes * Shards.Count) + layout.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), Number);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(24), TakenAt);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(32), Shards.Count);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(36), layout.Length);
        for (var i = 0; i < Shards.Count; i++)
        {
            var shard = bytes.AsSpan(HeadBytes + (ShardBytes * i));
            BinaryPrimitives.WriteUInt64LittleEndian(shard, Shards[i].Number);
            BinaryPrimitives.WriteUInt64LittleEndian(shard[8..], Shards[i].Sequence);
        }

        layout.CopyTo(bytes, HeadBytes + (ShardBytes * Shards.Count));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), Checksum(bytes));
        return bytes;
    }

    /// <summary>Reads a record.</summary>
    /// <exception cref="CorruptDataException">It is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">It is none, or of a version that this program cannot read.</exception>
    public static ShardedBackupRecord Decode(ReadOnlySpan<byte> bytes, string path)
    {
        if (bytes.Length < HeadBytes) throw new CorruptDataException(path, 0, "the record of the backup is shorter than its head");
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic)
            throw new UnsupportedFormatException(path, "this is not the record of a backup of a sharded store");
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]) != Checksum(bytes))
            throw new CorruptDataException(path, 0, "the record of the backup does not hold");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (version != Version)
            throw new UnsupportedFormatException(path, $"sharded backup format version {version}; this program reads version {Version}");
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]);
        var layoutLength = BinaryPrimitives.ReadInt32LittleEndian(bytes[36..]);
        if (count is < 1 or > ShardFile.MaxShards || layoutLength < 0 || bytes.Length - HeadBytes - (ShardBytes * count) != layoutLength)
            throw new CorruptDataException(path, 32, $"{count} shards do not go with a record of {bytes.Length} bytes");
        var shards = new ShardBackup[count];
        for (var i = 0; i < count; i++)
        {
            var shard = bytes[(HeadBytes + (ShardBytes * i))..];
            shards[i] = new(BinaryPrimitives.ReadUInt64LittleEndian(shard), BinaryPrimitives.ReadUInt64LittleEndian(shard[8..]));
        }

        var layout = ShardFile.Decode(bytes[(HeadBytes + (ShardBytes * count))..], path);
        return layout.ShardIds.Length == count
            ? new(BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]), shards, layout)
            : throw new CorruptDataException(path, 32, $"the record is of {count} shards, the store has {layout.ShardIds.Length}");
    }

    static uint Checksum(ReadOnlySpan<byte> bytes) => Crc32C.Append(Crc32C.Compute(bytes[..12]), bytes[16..]);
}
