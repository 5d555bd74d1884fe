using System.Buffers.Binary;

namespace Ashlar.KeyValue.Entries;

// Keys of keyspaces, at the end of all keys. Big-endian, so that a keyspace is one range, in the order of its keys.
//   0             4    8
//   +-------------+----+-------+   Id 1 and above: a keyspace, which is never given another name's number. Id 0: the names, each with
//   | FF FF FF FF | Id | Key.. |   the Id, 4 bytes, little-endian, as its value.
//   +-------------+----+-------+
// The key FF FF FF FF alone is the mark: "ASHLRKSP", then the last Id that was given, 4 bytes, little-endian.
static class KeyspaceRegion
{
    public const int PrefixBytes = 8;

    public const int MarkBytes = 12;

    const int StartBytes = 4;

    /// <summary>The first key of the region, and that of the mark.</summary>
    public static ReadOnlySpan<byte> Start => [0xFF, 0xFF, 0xFF, 0xFF];

    static ReadOnlySpan<byte> Magic => "ASHLRKSP"u8;

    public static bool Holds(ReadOnlySpan<byte> key) => key.StartsWith(Start);

    public static byte[] PrefixOf(uint id)
    {
        var prefix = new byte[PrefixBytes];
        Start.CopyTo(prefix);
        BinaryPrimitives.WriteUInt32BigEndian(prefix.AsSpan(StartBytes), id);
        return prefix;
    }

    /// <summary>Reads the Id of a key of the region; false if it is too short for one.</summary>
    public static bool TryReadId(ReadOnlySpan<byte> key, out uint id)
    {
        id = 0;
        if (key.Length < PrefixBytes) return false;
        id = BinaryPrimitives.ReadUInt32BigEndian(key[StartBytes..]);
        return true;
    }

    public static byte[] Mark(uint lastId)
    {
        var mark = new byte[MarkBytes];
        Magic.CopyTo(mark);
        BinaryPrimitives.WriteUInt32LittleEndian(mark.AsSpan(Magic.Length), lastId);
        return mark;
    }

    /// <summary>Reads the value of the mark; false if it is none.</summary>
    public static bool TryReadMark(ReadOnlySpan<byte> value, out uint lastId)
    {
        lastId = 0;
        if (value.Length != MarkBytes || !value.StartsWith(Magic)) return false;
        lastId = BinaryPrimitives.ReadUInt32LittleEndian(value[Magic.Length..]);
        return true;
    }
}
