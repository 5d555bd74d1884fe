using System.Globalization;
using System.Security.Cryptography;

namespace Ashlar.Iscsi;

/// <summary>A hash that responses are made by (RFC 7143, 12.1.3; the numbers are those of IANA's PPP authentication algorithms).</summary>
/// <param name="Number">CHAP_A.</param>
/// <param name="DigestBytes">Bytes of a response.</param>
/// <param name="Hash">Makes it.</param>
sealed record ChapAlgorithm(int Number, int DigestBytes, Func<byte[], byte[]> Hash)
{
    // MD5 and SHA-1 are what most initiators know; neither needs to be free of collisions here.
#pragma warning disable CA5350, CA5351
    static readonly ChapAlgorithm[] All =
    [
        new(5, MD5.HashSizeInBytes, MD5.HashData),
        new(6, SHA1.HashSizeInBytes, SHA1.HashData),
        new(7, SHA256.HashSizeInBytes, SHA256.HashData),
        .. SHA3_256.IsSupported ? new ChapAlgorithm[] { new(8, SHA3_256.HashSizeInBytes, SHA3_256.HashData) } : [],
    ];
#pragma warning restore CA5350, CA5351

    /// <summary>The first of an initiator's list that we know; null where we know none.</summary>
    public static ChapAlgorithm? Choose(string list)
    {
        foreach (var each in list.Split(','))
            if (int.TryParse(each, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && Array.Find(All, known => known.Number == number) is { } found)
                return found;
        return null;
    }

    /// <summary>The response to a challenge: a hash of identifier, secret and challenge (RFC 1994, 4.1).</summary>
    public byte[] Respond(byte identifier, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> challenge) =>
        Hash([identifier, .. secret, .. challenge]);
}
