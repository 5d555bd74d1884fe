using System.Runtime.InteropServices;

namespace Ashlar.KeyValue.Bench;

/// <summary>Values cut from one pool of 1 MiB of bytes that do not compress, again from its beginning at the end.</summary>
sealed class ValuePool
{
    const int PoolBytes = 1 << 20;
    const ulong PoolSeed = 301;

    static readonly byte[] Shared = Create(PoolBytes);

    readonly byte[] pool;
    readonly int valueBytes;
    int position;

    public ValuePool(int valueBytes)
    {
        this.valueBytes = valueBytes;
        pool = valueBytes <= PoolBytes ? Shared : Create(valueBytes);
    }

    public ReadOnlySpan<byte> Next()
    {
        if (position + valueBytes > pool.Length) position = 0;
        var value = pool.AsSpan(position, valueBytes);
        position += valueBytes;
        return value;
    }

    static byte[] Create(int lengthBytes)
    {
        var words = new ulong[(lengthBytes + 7) / 8];
        var random = new MersenneTwister64(PoolSeed);
        for (var i = 0; i < words.Length; i++) words[i] = random.Next();
        return MemoryMarshal.AsBytes<ulong>(words)[..lengthBytes].ToArray();
    }
}
