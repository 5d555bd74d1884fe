using System.Buffers.Binary;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

// Superblock of a member of a RAID set, format version 1. Little-endian, ids in the order of RFC 9562, 4,096 bytes, two copies: at byte 0
// and at byte 65,536. docs/formats/raid-member.md has the table.
//
//   0       8         12      16       32          48      50      51       52            56          60
//   +-------+---------+-------+--------+-----------+-------+-------+--------+-------------+-----------+-----------+
//   | Magic | Version | Flags | Set id | Member id | Place | Level | Layout | MemberCount | ChunkSize | BlockSize |
//   +-------+---------+-------+--------+-----------+-------+-------+--------+-------------+-----------+-----------+
//   64         72            80            88           96         104            112           120       128        136   512   4092
//   +----------+-------------+-------------+------------+----------+--------------+-------------+---------+----------+-----+-----+--------+
//   | DataSize | JournalSlot | RegionBytes | Generation | Sequence | JournalEpoch | MissedSince | Created | Scrubbed | ... | ... | Crc32C |
//   +----------+-------------+-------------+------------+----------+--------------+-------------+---------+----------+-----+-----+--------+
//   136       152          153    216        232
//   +---------+------------+------+----------+
//   | Host id | NameLength | Name | Replaces | zeros up to the entries
//   +---------+------------+------+----------+
//
// Magic: "ASHLRAID". Flags: 1 = writable and not closed since. Place: 0xFFFF for a spare. Host: who has the set, or had it last; zeros
// where nobody said so. Replaces: the member that it is made a copy of, to have its place; zeros for none. Entries, from byte 512: 64 of
// 48 bytes.
sealed record MemberSuperblock
{
    public const int SizeBytes = 4096;
    public const uint Version = 1;
    public const int SparePlace = 0xFFFF;

    const int VersionOffset = 8, FlagsOffset = 12, SetIdOffset = 16, MemberIdOffset = 32, PlaceOffset = 48, LevelOffset = 50;
    const int LayoutOffset = 51, CountOffset = 52, ChunkOffset = 56, BlockOffset = 60, DataOffset = 64, SlotOffset = 72, RegionOffset = 80;
    const int GenerationOffset = 88, SequenceOffset = 96, EpochOffset = 104, MissedOffset = 112, CreatedOffset = 120, ScrubOffset = 128;
    const int HostOffset = 136, HostNameLengthOffset = 152, HostNameOffset = 153, HostEnd = 216, ReplacesOffset = 216;
    const int EntriesOffset = 512, EntryBytes = 48, Crc32COffset = SizeBytes - sizeof(uint);
    const uint DirtyFlag = 1;

    public required Guid SetId { get; init; }

    public required Guid MemberId { get; init; }

    /// <summary>Its place in the layout, or <see cref="SparePlace"/>.</summary>
    public required int Place { get; init; }

    public required RaidLevel Level { get; init; }

    public required int ChunkBytes { get; init; }

    public required int BlockSizeBytes { get; init; }

    public required MemberAreas Areas { get; init; }

    /// <summary>Bytes of a member's data that one bit of the maps stands for.</summary>
    public required long RegionBytes { get; init; }

    /// <summary>
    /// Raised whenever members come or go, and when the set is opened and closed, in two steps: an odd one is proposed, and nothing is
    /// written under it; an even one all members in sync have been told of.
    /// </summary>
    public long Generation { get; init; }

    /// <summary>Counts writes of this superblock: of two copies the higher one is newer.</summary>
    public long Sequence { get; init; }

    /// <summary>Batches of the journal count if they bear it.</summary>
    public long JournalEpoch { get; init; }

    /// <summary>Since which generation the map of what was missed has been kept; 0 while nobody is missing.</summary>
    public long MissedSince { get; init; }

    /// <summary>How far the set has been scrubbed, in bytes of a member; 0 when no scrub is under way.</summary>
    public long ScrubbedBytes { get; init; }

    /// <summary>Whether the set was writable and has not been closed.</summary>
    public bool IsDirty { get; init; }

    /// <summary>Who opened the set last, if he said so.</summary>
    public RaidHost? Host { get; init; }

    /// <summary>
    /// Of a device that is made a copy of a member to take its place: that member, until all say that it has. Null for any other.
    /// </summary>
    public Guid? Replaces { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>All places, in their order.</summary>
    public required IReadOnlyList<MemberEntry> Entries { get; init; }

    public bool IsSpare => Place == SparePlace;

    static ReadOnlySpan<byte> Magic => "ASHLRAID"u8;

    public static bool HasMagic(ReadOnlySpan<byte> source) => source.StartsWith(Magic);

    public void Write(Span<byte> target)
    {
        target[..SizeBytes].Clear();
        Magic.CopyTo(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target[VersionOffset..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(target[FlagsOffset..], IsDirty ? DirtyFlag : 0);
        SetId.TryWriteBytes(target[SetIdOffset..], bigEndian: true, out _);
        MemberId.TryWriteBytes(target[MemberIdOffset..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt16LittleEndian(target[PlaceOffset..], (ushort)Place);
        target[LevelOffset] = (byte)Level;
        target[LayoutOffset] = 0;
        BinaryPrimitives.WriteUInt32LittleEndian(target[CountOffset..], (uint)Entries.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(target[ChunkOffset..], (uint)ChunkBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[BlockOffset..], (uint)BlockSizeBytes);
        BinaryPrimitives.WriteInt64LittleEndian(target[DataOffset..], Areas.DataBytes);
        BinaryPrimitives.WriteInt64LittleEndian(target[SlotOffset..], Areas.JournalSlotBytes);
        BinaryPrimitives.WriteInt64LittleEndian(target[RegionOffset..], RegionBytes);
        BinaryPrimitives.WriteInt64LittleEndian(target[GenerationOffset..], Generation);
        BinaryPrimitives.WriteInt64LittleEndian(target[SequenceOffset..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(target[EpochOffset..], JournalEpoch);
        BinaryPrimitives.WriteInt64LittleEndian(target[MissedOffset..], MissedSince);
        BinaryPrimitives.WriteInt64LittleEndian(target[CreatedOffset..], CreatedAt.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64LittleEndian(target[ScrubOffset..], ScrubbedBytes);
        if (Host is not null) WriteHost(target, Host);
        Replaces?.TryWriteBytes(target[ReplacesOffset..], bigEndian: true, out _);
        for (var place = 0; place < Entries.Count; place++) WriteEntry(target[(EntriesOffset + (place * EntryBytes))..], Entries[place]);
        BinaryPrimitives.WriteUInt32LittleEndian(target[Crc32COffset..], Crc32C.Compute(target[..Crc32COffset]));
    }

    /// <summary>Reads one copy.</summary>
    /// <exception cref="UnsupportedFormatException">Not a member, or of a version that this program cannot read.</exception>
    /// <exception cref="CorruptDataException">A member's superblock that is damaged.</exception>
    public static MemberSuperblock Read(ReadOnlySpan<byte> source, string device, long offsetBytes)
    {
        if (!HasMagic(source)) throw new UnsupportedFormatException(device, "not a member of a RAID set");
        var expected = BinaryPrimitives.ReadUInt32LittleEndian(source[Crc32COffset..]);
        var actual = Crc32C.Compute(source[..Crc32COffset]);
        if (expected != actual) throw Damaged($"checksum mismatch: expected {expected:x8}, found {actual:x8}");
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[VersionOffset..]) is not Version and var version)
            throw new UnsupportedFormatException(device, $"RAID member format version {version}; this program reads version {Version}");
        if (source[LayoutOffset] != 0) throw new UnsupportedFormatException(device, $"RAID layout {source[LayoutOffset]}");
        var (level, count) = ((RaidLevel)source[LevelOffset], BinaryPrimitives.ReadUInt32LittleEndian(source[CountOffset..]));
        int place = BinaryPrimitives.ReadUInt16LittleEndian(source[PlaceOffset..]);
        if (!Enum.IsDefined(level) || count > RaidLayout.MaxMembers || !RaidLayout.IsPossible(level, (int)count)
            || (place >= count && place != SparePlace))
            throw Damaged($"place {place} of {count} of RAID-{(int)level}");
        var chunk = BinaryPrimitives.ReadUInt32LittleEndian(source[ChunkOffset..]);
        var block = BinaryPrimitives.ReadUInt32LittleEndian(source[BlockOffset..]);
        var data = BinaryPrimitives.ReadInt64LittleEndian(source[DataOffset..]);
        var slot = BinaryPrimitives.ReadInt64LittleEndian(source[SlotOffset..]);
        var region = BinaryPrimitives.ReadInt64LittleEndian(source[RegionOffset..]);
        if (!RaidSet.IsPossibleChunk(chunk) || block is not (512 or 4096) || data <= 0 || data % chunk != 0 || data > 1L << 56
            || slot < 0 || slot > int.MaxValue || slot % JournalBatch.Alignment != 0 || region < chunk || region % chunk != 0
            || !RegionMap.Covers(data, region))
            throw Damaged($"{data} bytes in chunks of {chunk}, blocks of {block}, regions of {region}, a journal of {slot}");
        return new MemberSuperblock
        {
            SetId = new Guid(source.Slice(SetIdOffset, 16), bigEndian: true),
            MemberId = new Guid(source.Slice(MemberIdOffset, 16), bigEndian: true),
            Place = place,
            Level = level,
            ChunkBytes = (int)chunk,
            BlockSizeBytes = (int)block,
            Areas = new MemberAreas(slot, data),
            RegionBytes = region,
            Generation = BinaryPrimitives.ReadInt64LittleEndian(source[GenerationOffset..]),
            Sequence = BinaryPrimitives.ReadInt64LittleEndian(source[SequenceOffset..]),
            JournalEpoch = BinaryPrimitives.ReadInt64LittleEndian(source[EpochOffset..]),
            MissedSince = BinaryPrimitives.ReadInt64LittleEndian(source[MissedOffset..]),
            IsDirty = (BinaryPrimitives.ReadUInt32LittleEndian(source[FlagsOffset..]) & DirtyFlag) != 0,
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(
                Math.Clamp(BinaryPrimitives.ReadInt64LittleEndian(source[CreatedOffset..]), 0, 253_402_300_799_999)),
            ScrubbedBytes = Math.Clamp(BinaryPrimitives.ReadInt64LittleEndian(source[ScrubOffset..]), 0, data),
            Host = ReadHost(source),
            Replaces = new Guid(source.Slice(ReplacesOffset, 16), bigEndian: true) is var id && id != Guid.Empty ? id : null,
            Entries = ReadEntries(source, (int)count),
        };

        CorruptDataException Damaged(string problem) => new(device, offsetBytes, $"superblock of a RAID member: {problem}");

        MemberEntry[] ReadEntries(ReadOnlySpan<byte> source, int count)
        {
            var entries = new MemberEntry[count];
            for (var i = 0; i < count; i++)
            {
                entries[i] = ReadEntry(source.Slice(EntriesOffset + (i * EntryBytes), EntryBytes));
                var isPossible = entries[i].State is MemberState.Missing or MemberState.InSync or MemberState.Rebuilding;
                if (!isPossible || entries[i].RebuiltBytes < 0 || entries[i].RebuiltBytes > data)
                    throw Damaged($"member {i} in state {(int)entries[i].State}, {entries[i].RebuiltBytes} bytes of {data} rebuilt");
            }

            return entries;
        }
    }

    static void WriteHost(Span<byte> target, RaidHost host)
    {
        host.Id.TryWriteBytes(target[HostOffset..], bigEndian: true, out _);
        var name = Encoding.ASCII.GetBytes(host.Name);
        var length = Math.Min(name.Length, HostEnd - HostNameOffset);
        target[HostNameLengthOffset] = (byte)length;
        name.AsSpan(0, length).CopyTo(target[HostNameOffset..]);
    }

    // Only told to people, so a name that cannot be one costs no more than the name.
    static RaidHost? ReadHost(ReadOnlySpan<byte> source)
    {
        var id = new Guid(source.Slice(HostOffset, 16), bigEndian: true);
        if (id == Guid.Empty) return null;
        var length = Math.Min((int)source[HostNameLengthOffset], HostEnd - HostNameOffset);
        var name = Encoding.ASCII.GetString(source.Slice(HostNameOffset, length));
        return new RaidHost(id, name.Any(char.IsControl) ? "" : name);
    }

    static void WriteEntry(Span<byte> target, in MemberEntry entry)
    {
        entry.Id.TryWriteBytes(target, bigEndian: true, out _);
        target[16] = (byte)entry.State;
        target[17] = entry.IsByRegions ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt64LittleEndian(target[24..], entry.LeftAt);
        BinaryPrimitives.WriteInt64LittleEndian(target[32..], entry.RebuiltBytes);
    }

    static MemberEntry ReadEntry(ReadOnlySpan<byte> source) => new(
        new Guid(source[..16], bigEndian: true),
        (MemberState)source[16],
        BinaryPrimitives.ReadInt64LittleEndian(source[24..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[32..]),
        source[17] != 0);
}
