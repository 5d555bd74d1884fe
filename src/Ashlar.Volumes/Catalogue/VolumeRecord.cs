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

// Volume record in the store, format versions 1 to 3. Little-endian. The key holds the volume's UUID.
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
// Version 3, of volumes with attributes or in the trash, has limits as well, both 0 for none, and goes on with
//
//   60          68          76             84           86
//   +-----------+-----------+--------------+------------+------+------------+
//   | TrashedMs | ExpiresMs | RetentionMs  | NameLength | Name | Attributes |     Attributes: VolumeAttributesFormat
//   +-----------+-----------+--------------+------------+------+------------+
//
// Flags bit 0: thick; in version 3 bit 1: in the trash since TrashedMs, until ExpiresMs (both 0 otherwise); bit 2: RetentionMs is how
// long it stays there when it is deleted (0 otherwise; then the pool says). Lineage: number under which the leaves are kept.
// Generation: of the writable head; 1 before the first snapshot. Name: ASCII, up to the end of the value in versions 1 and 2.
// State: 1 ready, 2 being deleted, 3 being resized: then what lies beyond Size does not count, and a Size of 0 says that the volume
// never came to be.
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
    const uint PlainVersion = 1, LimitedVersion = 2, AttributedVersion = 3;
    const int StateOffset = 4, FlagsOffset = 5, LineageOffset = 8, GenerationOffset = 16, SizeOffset = 24, BlockSizeOffset = 32;
    const int CreatedOffset = 36, PlainNameOffset = 44;
    const int IopsOffset = 44, BytesPerSecondOffset = 52, LimitedNameOffset = 60;
    const int TrashedOffset = 60, ExpiresOffset = 68, RetentionOffset = 76, NameLengthOffset = 84, AttributedNameOffset = 86;
    const long MaxMilliseconds = 253_402_300_799_999; // The end of the year 9999.
    const byte ThickFlag = 1, TrashedFlag = 2, RetentionFlag = 4;

    /// <summary>What clients may ask of it in a second.</summary>
    public RateLimits Limits { get; init; } = RateLimits.None;

    /// <summary>What people say of it.</summary>
    public VolumeAttributes Attributes { get; init; } = VolumeAttributes.None;

    /// <summary>Since when it is in the trash, and until when it stays there; null where it is not.</summary>
    public (DateTimeOffset Since, DateTimeOffset Until)? Trashed { get; init; }

    /// <summary>Whether the volume has not come to be yet: nobody was told that it exists.</summary>
    public bool IsBeingCreated => State == VolumeState.Resizing && SizeBytes == 0;

    // The oldest that says all of it, so that earlier programs read what they understand and refuse what they do not.
    uint WrittenVersion =>
        Trashed is not null || !Attributes.IsNone ? AttributedVersion : Limits.IsNone ? PlainVersion : LimitedVersion;

    public byte[] ToBytes()
    {
        var version = WrittenVersion;
        var nameOffset = NameOffset(version);
        var attributes = version == AttributedVersion ? VolumeAttributesFormat.ToBytes(Attributes) : [];
        var target = new byte[nameOffset + Name.Length + attributes.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(target, version);
        target[StateOffset] = (byte)State;
        target[FlagsOffset] = IsThick ? ThickFlag : (byte)0;
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(LineageOffset), Lineage);
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(GenerationOffset), Generation);
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(SizeOffset), SizeBytes);
        BinaryPrimitives.WriteInt32LittleEndian(target.AsSpan(BlockSizeOffset), BlockSizeBytes);
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(CreatedOffset), CreatedAt.ToUnixTimeMilliseconds());
        if (version != PlainVersion)
        {
            BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(IopsOffset), Limits.Iops ?? 0);
            BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(BytesPerSecondOffset), Limits.BytesPerSecond ?? 0);
        }
        if (version == AttributedVersion) WriteAttributed(target);
        Encoding.ASCII.GetBytes(Name, target.AsSpan(nameOffset));
        attributes.CopyTo(target, nameOffset + Name.Length);
        return target;
    }

    void WriteAttributed(Span<byte> target)
    {
        if (Trashed is var (since, until))
        {
            target[FlagsOffset] |= TrashedFlag;
            BinaryPrimitives.WriteInt64LittleEndian(target[TrashedOffset..], since.ToUnixTimeMilliseconds());
            BinaryPrimitives.WriteInt64LittleEndian(target[ExpiresOffset..], until.ToUnixTimeMilliseconds());
        }
        if (Attributes.TrashRetention is { } retention)
        {
            target[FlagsOffset] |= RetentionFlag;
            BinaryPrimitives.WriteInt64LittleEndian(target[RetentionOffset..], (long)retention.TotalMilliseconds);
        }
        BinaryPrimitives.WriteUInt16LittleEndian(target[NameLengthOffset..], (ushort)Name.Length);
    }

    static int NameOffset(uint version) => version switch
    {
        PlainVersion => PlainNameOffset,
        LimitedVersion => LimitedNameOffset,
        _ => AttributedNameOffset,
    };

    public static VolumeRecord Read(ReadOnlySpan<byte> key, ReadOnlySpan<byte> source, string where)
    {
        if (key.Length != MapKeys.VolumeBytes || source.Length < sizeof(uint))
            throw new CorruptDataException(where, 0, "volume record: shorter than its version");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(source);
        if (version is not (PlainVersion or LimitedVersion or AttributedVersion))
        {
            throw new UnsupportedFormatException(
                where, $"volume record version {version}; this program reads versions {PlainVersion} to {AttributedVersion}");
        }
        var nameOffset = NameOffset(version);
        if (source.Length <= nameOffset
            || source[StateOffset] is not ((byte)VolumeState.Ready or (byte)VolumeState.Deleting or (byte)VolumeState.Resizing))
            throw new CorruptDataException(where, 0, $"volume record: {source.Length} bytes");
        var nameLength = version == AttributedVersion
            ? BinaryPrimitives.ReadUInt16LittleEndian(source[NameLengthOffset..])
            : source.Length - nameOffset;
        if (nameLength == 0 || nameLength > source.Length - nameOffset)
            throw new CorruptDataException(where, 0, $"volume record: a name of {nameLength} bytes in {source.Length}");
        var record = new VolumeRecord(
            new Guid(key[1..], bigEndian: true),
            Encoding.ASCII.GetString(source.Slice(nameOffset, nameLength)),
            (VolumeState)source[StateOffset],
            (source[FlagsOffset] & ThickFlag) != 0,
            BinaryPrimitives.ReadInt64LittleEndian(source[LineageOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[GenerationOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[SizeOffset..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[BlockSizeOffset..]),
            DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(source[CreatedOffset..])))
        {
            Limits = version == PlainVersion ? RateLimits.None : ReadLimits(source, mayBeNone: version == AttributedVersion, where),
        };
        if (version == AttributedVersion) record = ReadAttributed(record, source, nameOffset + nameLength, where);
        if (record.BlockSizeBytes is not (512 or 4096) || record.SizeBytes < 0 || record.SizeBytes % record.BlockSizeBytes != 0)
            throw new CorruptDataException(where, 0, $"volume record: {record.SizeBytes} bytes in blocks of {record.BlockSizeBytes}");
        return record;
    }

    static VolumeRecord ReadAttributed(VolumeRecord record, ReadOnlySpan<byte> source, int attributesOffset, string where)
    {
        var flags = source[FlagsOffset];
        var since = BinaryPrimitives.ReadInt64LittleEndian(source[TrashedOffset..]);
        var until = BinaryPrimitives.ReadInt64LittleEndian(source[ExpiresOffset..]);
        var retention = BinaryPrimitives.ReadInt64LittleEndian(source[RetentionOffset..]);
        var (isTrashed, hasRetention) = ((flags & TrashedFlag) != 0, (flags & RetentionFlag) != 0);
        if (retention < 0 || retention > VolumeAttributes.MaxTrashRetention.TotalMilliseconds || (!hasRetention && retention != 0)
            || since < 0 || since > MaxMilliseconds || until < 0 || until > MaxMilliseconds || (!isTrashed && (since | until) != 0))
        {
            throw new CorruptDataException(
                where, 0, $"volume record: flags {flags:x2}, in the trash from {since} to {until} ms, for {retention} ms");
        }
        return record with
        {
            Trashed = isTrashed ? (DateTimeOffset.FromUnixTimeMilliseconds(since), DateTimeOffset.FromUnixTimeMilliseconds(until)) : null,
            Attributes = VolumeAttributesFormat.Read(source[attributesOffset..], where) with
            {
                TrashRetention = hasRetention ? TimeSpan.FromMilliseconds(retention) : null,
            },
        };
    }

    static RateLimits ReadLimits(ReadOnlySpan<byte> source, bool mayBeNone, string where)
    {
        var iops = BinaryPrimitives.ReadInt64LittleEndian(source[IopsOffset..]);
        var bytesPerSecond = BinaryPrimitives.ReadInt64LittleEndian(source[BytesPerSecondOffset..]);
        if (iops < 0 || bytesPerSecond < 0 || ((iops | bytesPerSecond) == 0 && !mayBeNone))
            throw new CorruptDataException(where, 0, $"volume record: limits of {iops} requests and {bytesPerSecond} bytes a second");
        return new(iops == 0 ? null : iops, bytesPerSecond == 0 ? null : bytesPerSecond);
    }
}
