using System.Numerics;

namespace Ashlar.Simulation;

/// <summary>
/// Numbers from a seed (SplitMix64: Steele, Lea, Flood, OOPSLA 2014). <see cref="System.Random"/> does not promise the same
/// sequence in every version, so a seed printed by a failure would not replay for ever. Not safe for concurrent callers.
/// </summary>
public sealed class SeededRandom(ulong seed)
{
    ulong state = seed;

    /// <summary>A generator of its own, for another purpose: what is drawn here does not shift what is drawn there.</summary>
    public static SeededRandom For(ulong seed, string purpose)
    {
        var mixed = new SeededRandom(seed).NextUInt64();
        foreach (var letter in purpose) mixed = new SeededRandom(mixed ^ letter).NextUInt64();
        return new SeededRandom(mixed);
    }

    public ulong NextUInt64()
    {
        state += 0x9E3779B97F4A7C15;
        var z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>0 or more, and below <paramref name="bound"/>.</summary>
    public int Next(int bound) => (int)NextInt64(bound);

    /// <summary><paramref name="from"/> or more, and below <paramref name="bound"/>.</summary>
    public int Next(int from, int bound) => checked(from + (int)NextInt64((long)bound - from));

    /// <summary>0 or more, and below <paramref name="bound"/>.</summary>
    public long NextInt64(long bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (long)Math.BigMul(NextUInt64(), (ulong)bound, out _);
    }

    /// <summary>0 or more, and below 1.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>True once in <paramref name="times"/>.</summary>
    public bool OneIn(int times) => Next(times) == 0;

    public void Fill(Span<byte> destination)
    {
        while (destination.Length >= sizeof(ulong))
        {
            BitConverter.TryWriteBytes(destination, NextUInt64());
            destination = destination[sizeof(ulong)..];
        }

        var last = NextUInt64();
        foreach (ref var value in destination)
        {
            value = (byte)last;
            last = BitOperations.RotateRight(last, 8);
        }
    }

    /// <summary>As many random bytes as asked for.</summary>
    public byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        Fill(bytes);
        return bytes;
    }

    /// <summary>One of several.</summary>
    public T Pick<T>(IReadOnlyList<T> choices) => choices[Next(choices.Count)];

    public void Shuffle<T>(Span<T> values)
    {
        for (var i = values.Length - 1; i > 0; i--)
        {
            var other = Next(i + 1);
            (values[i], values[other]) = (values[other], values[i]);
        }
    }
}
