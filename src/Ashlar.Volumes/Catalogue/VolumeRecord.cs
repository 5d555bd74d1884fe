using System.Buffers.Binary;
using System.Text;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Life of a volume.</summary>
enum VolumeState : byte
{
    Ready = 1,

    /// <summary>Deleted for everyone; its space is being given back.</summary>
    Deleting = 2,

    /// <summary>
    /// What the map holds beyond the size does not count, and goes before the volume is <see cref="Ready"/>: the tail that a
    /// shrinking volume lets go of, or what a growing thick one has taken so far. With size 0 the volume itself is being created.
    /// </summary>
    Resizing = 3,
}

// Volume record in the store, format versions 1 and 2. Little-endian. The key holds the volume's UUID.
//
//   0         4       5       8         16           24     32          36           44
//   +---------+-------+-------+---------+------------+------+-----------+------------+------+
//   | Version | State | Flags | Lineage | Generation | Size | BlockSize | CreatedMs  | Name |
//   +---------+-------+-------+---------+------------+------+-----------+------------+------+
//
// Version 2, of volumes with limits of rate, goes on with them; 0 stands for none. Without limits version 1 is written, which programs
// read that know no limits; the others they refuse instead of serving them without.
//
//   44     52               60
//   +------+----------------+------+
//   | Iops | BytesPerSecond | Name |
//   +------+----------------+------+
//
// Flags bit 0: thick. Lineage: number under which the leaves are kept. Generation: of the writable head; 1 before the first
// snapshot. Name: ASCII, up to the end of the value. State: 1 ready, 2 being deleted, 3 being resized: then what lies beyond
// Size does not count, and a Size of 0 says that the volume never came to be.
sealed record VolumeRecord(
    Guid Id,
    string Name,
    VolumeState State,
    bool IsThick,
    long Lineage,
    long Generation,
    long SizeBytes,
    int BlockSizeBytes,
    DateTimeOffset CreatedAt)
{
    const uint PlainVersion = 1, LimitedVersion = 2;
    const int StateOffset = 4, FlagsOffset = 5, LineageOffset = 8, GenerationOffset = 16, SizeOffset = 24, BlockSizeOffset = 32;
    const int CreatedOffset = 36, PlainNameOffset = 44;
    const int IopsOffset = 44, BytesPerSecondOffset = 52, LimitedNameOffset = 60;
    const byte ThickFlag = 1;

    /// <summary>What clients may ask of it in a second.</summary>
    public RateLimits Limits { get; init; } = RateLimits.None;

    /// <summary>Whether the volume has not come to be yet: nobody was told that it exists.</summary>
    public bool IsBeingCreated => State == VolumeState.Resizing && SizeBytes == 0;

    public byte[] ToBytes()
    {
        var nameOffset = Limits.IsNone ? PlainNameOffset : LimitedNameOffset;
        var target = new byte[nameOffset + Name.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(target, Limits.IsNone ? PlainVersion : LimitedVersion);
        target[StateOffset] = (byte)State;
        target[FlagsOffset] = IsThick ? ThickFlag : (byte)0;
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(LineageOffset), Lineage);
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(GenerationOffset), Generation);
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(SizeOffset), SizeBytes);
        BinaryPrimitives.WriteInt32LittleEndian(target.AsSpan(BlockSizeOffset), BlockSizeBytes);
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(CreatedOffset), CreatedAt.ToUnixTimeMilliseconds());
        if (!Limits.IsNone)
        {
            BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(IopsOffset), Limits.Iops ?? 0);
            BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(BytesPerSecondOffset), Limits.BytesPerSecond ?? 0);
        }
        Encoding.ASCII.GetBytes(Name, target.AsSpan(nameOffset));
        return target;
    }

    public static VolumeRecord Read(ReadOnlySpan<byte> key, ReadOnlySpan<byte> source, string where)
    {
        if (key.Length != MapKeys.VolumeBytes || source.Length < sizeof(uint))
            throw new CorruptDataException(where, 0, "volume record: shorter than its version");
        if (BinaryPrimitives.ReadUInt32LittleEndian(source) is not (PlainVersion or LimitedVersion) and var version)
        {
            throw new UnsupportedFormatException(
                where, $"volume record version {version}; this program reads versions {PlainVersion} and {LimitedVersion}");
        }
        var isLimited = BinaryPrimitives.ReadUInt32LittleEndian(source) == LimitedVersion;
        var nameOffset = isLimited ? LimitedNameOffset : PlainNameOffset;
        if (source.Length <= nameOffset
            || source[StateOffset] is not ((byte)VolumeState.Ready or (byte)VolumeState.Deleting or (byte)VolumeState.Resizing))
            throw new CorruptDataException(where, 0, $"volume record: {source.Length} bytes");
        var record = new VolumeRecord(
            new Guid(key[1..], bigEndian: true),
            Encoding.ASCII.GetString(source[nameOffset..]),
            (VolumeState)source[StateOffset],
            (source[FlagsOffset] & ThickFlag) != 0,
            BinaryPrimitives.ReadInt64LittleEndian(source[LineageOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[GenerationOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[SizeOffset..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[BlockSizeOffset..]),
            DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(source[CreatedOffset..])))
        {
            Limits = isLimited ? ReadLimits(source, where) : RateLimits.None,
        };
        if (record.BlockSizeBytes is not (512 or 4096) || record.SizeBytes < 0 || record.SizeBytes % record.BlockSizeBytes != 0)
            throw new CorruptDataException(where, 0, $"volume record: {record.SizeBytes} bytes in blocks of {record.BlockSizeBytes}");
        return record;
    }

    static RateLimits ReadLimits(ReadOnlySpan<byte> source, string where)
    {
        var iops = BinaryPrimitives.ReadInt64LittleEndian(source[IopsOffset..]);
        var bytesPerSecond = BinaryPrimitives.ReadInt64LittleEndian(source[BytesPerSecondOffset..]);
        if (iops < 0 || bytesPerSecond < 0 || (iops | bytesPerSecond) == 0)
            throw new CorruptDataException(where, 0, $"volume record: limits of {iops} requests and {bytesPerSecond} bytes a second");
        return new(iops == 0 ? null : iops, bytesPerSecond == 0 ? null : bytesPerSecond);
    }
}
