using System.Buffers.Binary;
using System.Text;

namespace Ashlar.Volumes;

// Part of the superblock of a pool with its metadata on the device: version 2, from byte 128 on. Little-endian.
//
//   128        136     140          144       160      168         169    232       4092
//   +----------+-------+------------+---------+--------+-----------+------+----------+
//   | Revision | State | Segments   | Host id | SeenMs | NameLength| Name | Segments |
//   +----------+-------+------------+---------+--------+-----------+------+----------+
//
// Revision: one more with each copy that is written; the greater one counts. State: 0 nobody has the pool, it was closed or exported; 1 a
// host has it. Host: who has it or had it last, and when it wrote this. A segment: chunks of metadata (8), chunks of data (8); one lies
// behind the other from chunk 2 on. Pools count the chunks of data alone: 2 is the first of them.
sealed record PoolPlacement(ulong Revision, bool IsInUse, PoolHost Host, DateTimeOffset SeenAt, IReadOnlyList<PoolSegment> Segments)
{
    const int StateOffset = 8, CountOffset = 12, HostOffset = 16, SeenOffset = 32, NameLengthOffset = 40, NameOffset = 41;
    const int SegmentsOffset = 104, SegmentBytes = 16, MaxNameBytes = SegmentsOffset - NameOffset;
    public const int MaxSegments = 240;

    /// <summary>Chunks of the device that it needs, those of the superblocks included.</summary>
    public long DeviceChunks => MapLayout.ReservedChunks + Segments.Sum(segment => segment.MetadataChunks + segment.DataChunks);

    /// <summary>Chunks that the pool sees, those of the superblocks included.</summary>
    public long PoolChunks => MapLayout.ReservedChunks + Segments.Sum(segment => segment.DataChunks);

    public PoolPlacement Revised(TimeProvider clock) =>
        this with { Revision = Revision + 1, SeenAt = clock.GetUtcNow() };

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target, Revision);
        BinaryPrimitives.WriteInt32LittleEndian(target[StateOffset..], IsInUse ? 1 : 0);
        BinaryPrimitives.WriteInt32LittleEndian(target[CountOffset..], Segments.Count);
        Host.Id.TryWriteBytes(target[HostOffset..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(target[SeenOffset..], SeenAt.ToUnixTimeMilliseconds());
        var name = Encoding.ASCII.GetBytes(Host.Name);
        var length = Math.Min(name.Length, MaxNameBytes);
        target[NameLengthOffset] = (byte)length;
        name.AsSpan(0, length).CopyTo(target[NameOffset..]);
        for (var i = 0; i < Segments.Count; i++)
        {
            var place = target[(SegmentsOffset + (i * SegmentBytes))..];
            BinaryPrimitives.WriteInt64LittleEndian(place, Segments[i].MetadataChunks);
            BinaryPrimitives.WriteInt64LittleEndian(place[8..], Segments[i].DataChunks);
        }
    }

    /// <summary>Reads it, behind a checksum that holds.</summary>
    /// <returns>Null if it cannot be.</returns>
    public static PoolPlacement? Read(ReadOnlySpan<byte> source, long chunkCount)
    {
        var state = BinaryPrimitives.ReadInt32LittleEndian(source[StateOffset..]);
        var count = BinaryPrimitives.ReadInt32LittleEndian(source[CountOffset..]);
        int nameLength = source[NameLengthOffset];
        var seen = BinaryPrimitives.ReadInt64LittleEndian(source[SeenOffset..]);
        if (state is not (0 or 1) || count is < 1 or > MaxSegments || nameLength > MaxNameBytes
            || seen < DateTimeOffset.MinValue.ToUnixTimeMilliseconds() || seen > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
            return null;
        var segments = new PoolSegment[count];
        var (chunks, all) = ((long)MapLayout.ReservedChunks, (long)MapLayout.ReservedChunks);
        for (var i = 0; i < count; i++)
        {
            var place = source[(SegmentsOffset + (i * SegmentBytes))..];
            segments[i] = new(BinaryPrimitives.ReadInt64LittleEndian(place), BinaryPrimitives.ReadInt64LittleEndian(place[8..]));
            var (metadata, data) = segments[i];
            if (metadata < (i == 0 ? 1 : 0) || data < 1
                || metadata > MapLayout.MaxNumber48 - all || data > MapLayout.MaxNumber48 - all - metadata)
                return null;
            chunks += data;
            all += metadata + data;
        }

        var name = Encoding.ASCII.GetString(source.Slice(NameOffset, nameLength));
        if (chunks < chunkCount || name.Any(char.IsControl)) return null;
        return new PoolPlacement(
            BinaryPrimitives.ReadUInt64LittleEndian(source),
            state == 1,
            new PoolHost(new Guid(source.Slice(HostOffset, 16), bigEndian: true), name),
            DateTimeOffset.FromUnixTimeMilliseconds(seen),
            segments);
    }
}

/// <summary>A part of a pool's device: metadata, then data.</summary>
readonly record struct PoolSegment(long MetadataChunks, long DataChunks);
