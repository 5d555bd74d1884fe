using System.Buffers.Binary;

namespace Ashlar.Volumes;

/// <summary>
/// Keys of a pool's store. One letter says what the value is; numbers are big-endian, so that key order is number order.
/// </summary>
/// <remarks>
/// <code>
///   P                                        pool record
///   O                                        the pool is open, or was not closed; by whom, where a log of recent writes goes with it
///   J                                        up to where that log must reach, and up to where it is over
///   V uuid(16)                               volume record
///   U lineage(8)                             chunks that the volume's persisted leaves own
///   B group(8)                               bitmap of an allocation group
///   M lineage(8) leaf(8)                     marker: blocks being overwritten in place
///   D lineage(8) leaf/64(8)                  the same by leaf, as earlier versions wrote it: a bit for each of 64 leaves
///   L lineage(8) leaf(8) ~1(8)               leaf of the map
///   K lineage(8) leaf(8)                     delta of it: checksums that have changed since
///   H lineage(8) leaf(8) ~generation(8)      older version of a leaf, which snapshots keep
///   G lineage(8) generation(8) leaf(8)       a version of a leaf was changed in that generation; no value
///   F number(8)                              fragment chunks of 4 MiB of the device: whose they are, and which blocks are taken
///   C lineage(8) generation(8)               snapshot
///   A lineage(8)                             snapshot that a clone came from
///   W lineage(8)                             generation of the snapshot that a volume goes back to
///   S                                        chunks of the device
///   T                                        how long deleted volumes stay in the trash
///   X                                        where something is damaged
///   Y chunk(8)                               range of chunks of which none is given out
///   R                                        chunks may have leaked with leaves that could not be read; no value
///   E uuid(16) kind                          note beside a volume or snapshot
/// </code>
/// The generation of H is inverted: a reader at generation g finds the newest kept version that is not newer than g as the first key
/// at or after (lineage, leaf, ~g), by one seek however many snapshots there are; if there is none, L is what it looks for, unless
/// that was changed after g. L has a generation in its key for the sake of earlier programs.
/// </remarks>
static class MapKeys
{
    public const int VolumeBytes = 1 + 16, UsageBytes = 1 + 8, BitmapBytes = 1 + 8, MarkerBytes = 1 + 16, LeafBytes = 1 + 24;
    public const int DeltaBytes = 1 + 16, FragmentsBytes = 1 + 8, SnapshotBytes = 1 + 16, BarredBytes = 1 + 8;

    public static ReadOnlySpan<byte> Pool => "P"u8;
    public static ReadOnlySpan<byte> IsOpen => "O"u8;
    public static ReadOnlySpan<byte> RecentMark => "J"u8;
    public static ReadOnlySpan<byte> Volumes => "V"u8;
    public static ReadOnlySpan<byte> Usages => "U"u8;
    public static ReadOnlySpan<byte> Bitmaps => "B"u8;
    public static ReadOnlySpan<byte> Markers => "M"u8;
    public static ReadOnlySpan<byte> AfterMarkers => "N"u8;
    public static ReadOnlySpan<byte> GroupMarkers => "D"u8;
    public static ReadOnlySpan<byte> Leaves => "L"u8;
    public static ReadOnlySpan<byte> Deltas => "K"u8;
    public static ReadOnlySpan<byte> OldLeaves => "H"u8;
    public static ReadOnlySpan<byte> Fragments => "F"u8;
    public static ReadOnlySpan<byte> AfterFragments => "G"u8;
    public static ReadOnlySpan<byte> Snapshots => "C"u8;
    public static ReadOnlySpan<byte> Parents => "A"u8;
    public static ReadOnlySpan<byte> DeviceChunks => "S"u8;
    public static ReadOnlySpan<byte> TrashRetention => "T"u8;
    public static ReadOnlySpan<byte> Barred => "Y"u8;
    public static ReadOnlySpan<byte> MayHaveLeaked => "R"u8;
    public static ReadOnlySpan<byte> Damage => "X"u8;

    public static byte[] Volume(Guid id)
    {
        var key = new byte[VolumeBytes];
        key[0] = (byte)'V';
        id.TryWriteBytes(key.AsSpan(1), bigEndian: true, out _);
        return key;
    }

    public static byte[] Usage(long lineage)
    {
        var key = new byte[UsageBytes];
        key[0] = (byte)'U';
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(1), lineage);
        return key;
    }

    public static byte[] Bitmap(int group)
    {
        var key = new byte[BitmapBytes];
        key[0] = (byte)'B';
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(1), group);
        return key;
    }

    public static byte[] Marker(long lineage, long leafIndex)
    {
        var key = new byte[MarkerBytes];
        WriteMarker(key, lineage, leafIndex);
        return key;
    }

    public static void WriteMarker(Span<byte> key, long lineage, long leafIndex) => WriteOfLeaf(key, (byte)'M', lineage, leafIndex);

    /// <summary>Key of what has changed of a leaf of the head.</summary>
    public static byte[] Delta(long lineage, long leafIndex)
    {
        var key = new byte[DeltaBytes];
        WriteDelta(key, lineage, leafIndex);
        return key;
    }

    public static void WriteDelta(Span<byte> key, long lineage, long leafIndex) => WriteOfLeaf(key, (byte)'K', lineage, leafIndex);

    /// <summary>Key of a leaf of the head.</summary>
    public static void WriteLeaf(Span<byte> key, long lineage, long leafIndex) =>
        WriteVersion(key, (byte)'L', lineage, leafIndex, LeafVersion.First.Generation);

    /// <summary>Whether a key of a version of a leaf is that of the head.</summary>
    public static bool IsHead(ReadOnlySpan<byte> key) => key[0] == (byte)'L';

    /// <summary>Key of an older version of a leaf; also where to look for the newest one that is not newer than a generation.</summary>
    public static byte[] OldLeaf(long lineage, long leafIndex, long generation)
    {
        var key = new byte[LeafBytes];
        WriteVersion(key, (byte)'H', lineage, leafIndex, generation);
        return key;
    }

    /// <summary>First key behind the versions of a leaf.</summary>
    public static byte[] OldLeavesEnd(long lineage, long leafIndex) => OldLeaf(lineage, leafIndex + 1, -1);

    /// <summary>Key that says in which generation a version of a leaf was changed.</summary>
    public static byte[] Change(long lineage, long generation, long leafIndex)
    {
        var key = new byte[LeafBytes];
        key[0] = (byte)'G';
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(1), lineage);
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(9), generation);
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(17), leafIndex);
        return key;
    }

    public static (long Lineage, long Generation, long LeafIndex) ReadChange(ReadOnlySpan<byte> key) => (
        BinaryPrimitives.ReadInt64BigEndian(key[1..]),
        BinaryPrimitives.ReadInt64BigEndian(key[9..]),
        BinaryPrimitives.ReadInt64BigEndian(key[17..]));

    /// <summary>Key of the fragment chunks of 64 chunks of the device.</summary>
    public static byte[] FragmentPage(long number)
    {
        var key = new byte[FragmentsBytes];
        key[0] = (byte)'F';
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(1), number);
        return key;
    }

    /// <summary>Key of a range that is out of use.</summary>
    public static byte[] BarredFrom(long chunk)
    {
        var key = FragmentPage(chunk);
        key[0] = (byte)'Y';
        return key;
    }

    /// <summary>Key of a snapshot.</summary>
    public static byte[] Snapshot(long lineage, long generation)
    {
        var key = new byte[SnapshotBytes];
        key[0] = (byte)'C';
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(1), lineage);
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(9), generation);
        return key;
    }

    /// <summary>Key of what a clone came from.</summary>
    public static byte[] Parent(long lineage)
    {
        var key = new byte[1 + 8];
        key[0] = (byte)'A';
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(1), lineage);
        return key;
    }

    /// <summary>Key of what a volume goes back to.</summary>
    public static byte[] Restoring(long lineage)
    {
        var key = Parent(lineage);
        key[0] = (byte)'W';
        return key;
    }

    static void WriteOfLeaf(Span<byte> key, byte kind, long lineage, long leafIndex)
    {
        key[0] = kind;
        BinaryPrimitives.WriteInt64BigEndian(key[1..], lineage);
        BinaryPrimitives.WriteInt64BigEndian(key[9..], leafIndex);
    }

    static void WriteVersion(Span<byte> key, byte kind, long lineage, long leafIndex, long generation)
    {
        key[0] = kind;
        BinaryPrimitives.WriteInt64BigEndian(key[1..], lineage);
        BinaryPrimitives.WriteInt64BigEndian(key[9..], leafIndex);
        BinaryPrimitives.WriteInt64BigEndian(key[17..], ~generation);
    }

    /// <summary>First key of the leaves from <paramref name="leafIndex"/> on.</summary>
    public static byte[] LeafStart(long lineage, long leafIndex)
    {
        var key = new byte[17];
        key[0] = (byte)'L';
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(1), lineage);
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(9), leafIndex);
        return key;
    }

    public static (long Lineage, long LeafIndex, long Generation) ReadLeaf(ReadOnlySpan<byte> key) => (
        BinaryPrimitives.ReadInt64BigEndian(key[1..]),
        BinaryPrimitives.ReadInt64BigEndian(key[9..]),
        ~BinaryPrimitives.ReadInt64BigEndian(key[17..]));

    public static long ReadNumber(ReadOnlySpan<byte> key) => BinaryPrimitives.ReadInt64BigEndian(key[1..]);

    /// <summary>Lineage and leaf of a marker or a delta; of a group's marker, lineage and leaf / 64.</summary>
    public static (long Lineage, long Number) ReadMarker(ReadOnlySpan<byte> key) => (
        BinaryPrimitives.ReadInt64BigEndian(key[1..]),
        BinaryPrimitives.ReadInt64BigEndian(key[9..]));
}
