using System.Buffers.Binary;

namespace Ashlar.Volumes;

/// <summary>
/// Keys of a pool's store. One letter says what the value is; numbers are big-endian, so that key order is number order.
/// </summary>
/// <remarks>
/// <code>
///   P                                        pool record
///   O                                        the pool is open, or was not closed; no value
///   V uuid(16)                               volume record
///   U lineage(8)                             chunks that the volume's persisted leaves own
///   B group(8)                               bitmap of an allocation group
///   M lineage(8) leaf(8)                     marker: blocks being overwritten in place
///   D lineage(8) leaf/64(8)                  the same by leaf, as earlier versions wrote it: a bit for each of 64 leaves
///   L lineage(8) leaf(8) ~generation(8)      leaf of the map
///   S                                        chunks of the device
///   T                                        how long deleted volumes stay in the trash
///   X                                        where something is damaged
///   R                                        chunks may have leaked with leaves that could not be read; no value
/// </code>
/// The generation is inverted: a reader at generation g finds the newest leaf that is not newer than g as the first key
/// at or after (lineage, leaf, ~g), by one seek however many snapshots there are.
/// </remarks>
static class MapKeys
{
    public const int VolumeBytes = 1 + 16, UsageBytes = 1 + 8, BitmapBytes = 1 + 8, MarkerBytes = 1 + 16, LeafBytes = 1 + 24;

    public static ReadOnlySpan<byte> Pool => "P"u8;
    public static ReadOnlySpan<byte> IsOpen => "O"u8;
    public static ReadOnlySpan<byte> Volumes => "V"u8;
    public static ReadOnlySpan<byte> Usages => "U"u8;
    public static ReadOnlySpan<byte> Bitmaps => "B"u8;
    public static ReadOnlySpan<byte> Markers => "M"u8;
    public static ReadOnlySpan<byte> AfterMarkers => "N"u8;
    public static ReadOnlySpan<byte> GroupMarkers => "D"u8;
    public static ReadOnlySpan<byte> Leaves => "L"u8;
    public static ReadOnlySpan<byte> DeviceChunks => "S"u8;
    public static ReadOnlySpan<byte> TrashRetention => "T"u8;
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

    public static void WriteMarker(Span<byte> key, long lineage, long leafIndex)
    {
        key[0] = (byte)'M';
        BinaryPrimitives.WriteInt64BigEndian(key[1..], lineage);
        BinaryPrimitives.WriteInt64BigEndian(key[9..], leafIndex);
    }

    public static void WriteLeaf(Span<byte> key, long lineage, long leafIndex, long generation)
    {
        key[0] = (byte)'L';
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

    /// <summary>Lineage and leaf of a marker; of a group's, lineage and leaf / 64.</summary>
    public static (long Lineage, long Number) ReadMarker(ReadOnlySpan<byte> key) => (
        BinaryPrimitives.ReadInt64BigEndian(key[1..]),
        BinaryPrimitives.ReadInt64BigEndian(key[9..]));
}
