using System.Buffers.Binary;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// A note beside a volume or snapshot, format version 1. Little-endian.
//
//   key:    'E' | owner: a UUID (16) | kind: ASCII, 1 to 32
//   value:  Version (4) | what the kind says
//
// Notes belong to identities, which are never used again: one whose owner is gone says nothing, and goes when the pool is opened.
static class NoteFormat
{
    public const int MaxKindLength = 32;

    const uint Version = 1;
    const int KindOffset = 1 + 16;

    public static ReadOnlySpan<byte> All => "E"u8;

    public static byte[] Key(Guid owner, string kind)
    {
        Invariant.Require(kind.Length is > 0 and <= MaxKindLength && Ascii.IsValid(kind));
        var key = new byte[KindOffset + kind.Length];
        key[0] = All[0];
        owner.TryWriteBytes(key.AsSpan(1), bigEndian: true, out _);
        Encoding.ASCII.GetBytes(kind, key.AsSpan(KindOffset));
        return key;
    }

    public static byte[] ToValue(ReadOnlySpan<byte> content)
    {
        var value = new byte[sizeof(uint) + content.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(value, Version);
        content.CopyTo(value.AsSpan(sizeof(uint)));
        return value;
    }

    public static (Guid Owner, string Kind) ReadKey(ReadOnlySpan<byte> key, string where)
    {
        if (key.Length is <= KindOffset or > KindOffset + MaxKindLength)
            throw new CorruptDataException(where, 0, $"note: a key of {key.Length} bytes");
        return (new Guid(key.Slice(1, 16), bigEndian: true), Encoding.ASCII.GetString(key[KindOffset..]));
    }

    public static byte[] ReadValue(ReadOnlySpan<byte> value, string where)
    {
        if (value.Length < sizeof(uint)) throw new CorruptDataException(where, 0, "note: shorter than its version");
        if (BinaryPrimitives.ReadUInt32LittleEndian(value) is not Version and var version)
            throw new UnsupportedFormatException(where, $"note version {version}; this program reads version {Version}");
        return value[sizeof(uint)..].ToArray();
    }
}
