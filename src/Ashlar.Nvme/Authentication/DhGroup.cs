using System.Collections.Concurrent;
using System.Numerics;
using System.Security.Cryptography;
using Ashlar.Storage;

namespace Ashlar.Nvme;

/// <summary>A group of Diffie and Hellman, of those of RFC 7919; its generator is 2 and its prime a safe one.</summary>
/// <param name="Id">Its number (NVM Express Base 2.0, 8.13.5.3).</param>
/// <param name="Bits">Of the prime; 0 of the group that is none.</param>
/// <param name="PrimeOffset">What makes the prime one (RFC 7919, appendix A).</param>
/// <param name="ExponentBits">Bits of an exponent, twice the strength of the group (there).</param>
sealed record DhGroup(byte Id, int Bits, int PrimeOffset, int ExponentBits)
{
    /// <summary>No exchange: responses are made by secrets and challenges alone.</summary>
    public const byte None = 0;

    /// <summary>Bytes of the largest prime.</summary>
    public const int MaxBytes = 8192 / 8;

    // 3072 bits are as strong as SHA-256, and what is stronger takes many times as long; 2048 are still better than none.
    static readonly DhGroup[] All =
    [
        new(2, 3072, 2625351, 275),
        new(3, 4096, 5736041, 325),
        new(4, 6144, 15705020, 375),
        new(5, 8192, 10965728, 400),
        new(1, 2048, 560316, 225),
        new(None, 0, 0, 0),
    ];

    static readonly ConcurrentDictionary<int, BigInteger> Primes = new();

    public bool IsNone => Id == None;

    public int SizeBytes => Bits / 8;

    public BigInteger Prime => Primes.GetOrAdd(Bits, static (_, group) => group.MakePrime(), this);

    public static DhGroup? Find(byte id) => Array.Find(All, known => known.Id == id);

    /// <summary>The one that is used with a host which knows these; null where there is none.</summary>
    public static DhGroup? Choose(ReadOnlySpan<byte> ids)
    {
        foreach (var known in All)
            if (ids.Contains(known.Id)) return known;
        return null;
    }

    /// <summary>Draws an exponent, for one exchange.</summary>
    public BigInteger DrawExponent(IEntropySource entropy)
    {
        var drawn = new byte[(ExponentBits + 7) / 8];
        entropy.Fill(drawn);
        var exponent = new BigInteger(drawn, isUnsigned: true) | (BigInteger.One << (ExponentBits - 1));
        CryptographicOperations.ZeroMemory(drawn);
        return exponent;
    }

    /// <summary>What the other side is sent.</summary>
    public byte[] PublicValue(BigInteger exponent) => Write(BigInteger.ModPow(2, exponent, Prime));

    /// <summary>What both sides know then, as long as the prime is.</summary>
    /// <returns>Null where the value of the other side is none: it would make the result known to everybody.</returns>
    public byte[]? SharedValue(BigInteger exponent, ReadOnlySpan<byte> theirs)
    {
        if (theirs.Length > SizeBytes) return null;
        var value = new BigInteger(theirs, isUnsigned: true, isBigEndian: true);
        return value <= 1 || value >= Prime - 1 ? null : Write(BigInteger.ModPow(value, exponent, Prime));
    }

    byte[] Write(BigInteger value)
    {
        var written = new byte[SizeBytes];
        Invariant.Require(value.TryWriteBytes(written, out var length, isUnsigned: true, isBigEndian: true));
        // Zeros in front count: both sides hash as many bytes as the prime has.
        written.AsSpan(0, length).CopyTo(written.AsSpan(SizeBytes - length));
        written.AsSpan(0, SizeBytes - length).Clear();
        return written;
    }

    // RFC 7919, appendix A: p = 2^b - 2^(b-64) + (floor(2^(b-130) e) + X) 2^64 - 1
    BigInteger MakePrime() => (BigInteger.One << Bits) - (BigInteger.One << (Bits - 64))
        + ((EulerTimes(Bits - 130) + PrimeOffset) << 64) - 1;

    // floor(2^bits e), by the sum of 1/n!, with bits to spare.
    static BigInteger EulerTimes(int bits)
    {
        const int spareBits = 64;
        var term = BigInteger.One << (bits + spareBits);
        var sum = BigInteger.Zero;
        for (var n = 1; !term.IsZero; n++)
        {
            sum += term;
            term /= n;
        }
        return sum >> spareBits;
    }
}
