using System.Runtime.InteropServices;

namespace Ashlar.Simulation;

/// <summary>A fast 128-bit hash, good enough to tell images of a disk apart; nobody chooses the data to fool it.</summary>
struct ContentHash
{
    const ulong First = 0xA0761D6478BD642F, Second = 0xE7037ED1A0B428DB;

    ulong low, high;

    public static UInt128 Of(ReadOnlySpan<byte> bytes)
    {
        var hash = default(ContentHash);
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        for (var i = 0; i + 1 < words.Length; i += 2) hash.Add(words[i], words[i + 1]);
        for (var i = words.Length / 2 * 16; i < bytes.Length; i++) hash.Add(bytes[i], (ulong)i);
        hash.Add((ulong)bytes.Length, First);
        return hash.Value;
    }

    public readonly UInt128 Value => new(high, low);

    public void Add(ulong a, ulong b)
    {
        var upper = Math.BigMul(a ^ low ^ First, b ^ high ^ Second, out var lower);
        low = ulong.RotateLeft(low, 23) + lower + a;
        high = ulong.RotateLeft(high, 41) ^ upper ^ (b * First);
    }

    public void Add(UInt128 value) => Add((ulong)value, (ulong)(value >> 64));

    public void Add(string text) => Add(Of(MemoryMarshal.AsBytes(text.AsSpan())));
}
