using System.Buffers.Binary;

namespace Ashlar.KeyValue.Bench;

/// <summary>Keys as db_bench writes them: the number, 8 bytes big-endian, then the digit 0 to the length of a key.</summary>
static class KeyEncoding
{
    public static byte[] NewKey(int lengthBytes)
    {
        var key = new byte[lengthBytes];
        key.AsSpan(sizeof(ulong)).Fill((byte)'0');
        return key;
    }

    public static void Write(Span<byte> key, ulong number) => BinaryPrimitives.WriteUInt64BigEndian(key, number);
}
