using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

// Changes of metadata, as records and checkpoints hold them one behind the other. Little-endian.
//
//   1: kind (1) = 1 | inode (8) | 1 directory, 0 file (1)                                          an inode comes to be
//   2: kind (1) = 2 | inode (8)                                                                    it is gone, with its units
//   3: kind (1) = 3 | directory (8) | inode, 0 for none (8) | length of the name (2) | name        a name stands for an inode from now on
//   4: kind (1) = 4 | inode (8) | length in bytes (8) | ranges (4) | for each: first unit of the
//      file (8), units (8), unit of the region or -1 for a hole (8)                                length, and where units of a file lie
//
// Names: UTF-8, 1 to 255 bytes, without '/' and NUL, neither "." nor "..". The root is inode 1; nothing says that it comes to be.
static class ChangeFormat
{
    public const byte Create = 1, Remove = 2, Name = 3, File = 4;
    public const int CreateBytes = 10, RemoveBytes = 9, NameBytes = 19, FileBytes = 21, RangeBytes = 24;
    public const int MaxNameBytes = 255;
    public const long RootInode = 1;

    public static void WriteCreate(ArrayBufferWriter<byte> target, long inode, bool isDirectory)
    {
        var bytes = Begin(target, CreateBytes, Create, inode);
        bytes[9] = isDirectory ? (byte)1 : (byte)0;
    }

    public static void WriteRemove(ArrayBufferWriter<byte> target, long inode) => Begin(target, RemoveBytes, Remove, inode);

    public static void WriteName(ArrayBufferWriter<byte> target, long directory, string name, long inode)
    {
        var count = Encoding.UTF8.GetByteCount(name);
        Invariant.Require(count is > 0 and <= MaxNameBytes);
        var bytes = Begin(target, NameBytes + count, Name, directory);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[9..], inode);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[17..], (ushort)count);
        Encoding.UTF8.GetBytes(name, bytes[NameBytes..]);
    }

    public static void WriteFile(ArrayBufferWriter<byte> target, long inode, long lengthBytes, IReadOnlyList<Extent> ranges)
    {
        var bytes = Begin(target, FileBytes + (RangeBytes * ranges.Count), File, inode);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[9..], lengthBytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[17..], ranges.Count);
        for (var i = 0; i < ranges.Count; i++)
        {
            var place = bytes[(FileBytes + (RangeBytes * i))..];
            BinaryPrimitives.WriteInt64LittleEndian(place, ranges[i].FileUnit);
            BinaryPrimitives.WriteInt64LittleEndian(place[8..], ranges[i].Count);
            BinaryPrimitives.WriteInt64LittleEndian(place[16..], ranges[i].Unit);
        }
    }

    static Span<byte> Begin(ArrayBufferWriter<byte> target, int length, byte kind, long inode)
    {
        var bytes = target.GetSpan(length)[..length];
        target.Advance(length);
        bytes[0] = kind;
        BinaryPrimitives.WriteInt64LittleEndian(bytes[1..], inode);
        return bytes;
    }
}
