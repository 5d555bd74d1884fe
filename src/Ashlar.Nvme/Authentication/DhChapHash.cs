using System.Security.Cryptography;

namespace Ashlar.Nvme;

/// <summary>A hash that responses are made by (NVM Express Base 2.0, 8.13.5.2).</summary>
/// <param name="Id">Its number; secrets name their own by the same.</param>
/// <param name="Name">Of it.</param>
/// <param name="SizeBytes">Bytes of its results.</param>
sealed record DhChapHash(byte Id, HashAlgorithmName Name, int SizeBytes)
{
    /// <summary>The longest result.</summary>
    public const int MaxBytes = 64;

    /// <summary>The strongest first: they cost the same.</summary>
    public static readonly DhChapHash[] All =
    [
        new(3, HashAlgorithmName.SHA512, SHA512.HashSizeInBytes),
        new(2, HashAlgorithmName.SHA384, SHA384.HashSizeInBytes),
        new(1, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes),
    ];

    public static DhChapHash? Find(byte id) => Array.Find(All, known => known.Id == id);

    /// <summary>The one of ours that is used with a host which knows these; null where there is none.</summary>
    public static DhChapHash? Choose(ReadOnlySpan<byte> ids)
    {
        foreach (var known in All)
            if (ids.Contains(known.Id)) return known;
        return null;
    }

    public byte[] Hash(ReadOnlySpan<byte> data) => CryptographicOperations.HashData(Name, data);

    public byte[] Hmac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data) => CryptographicOperations.HmacData(Name, key, data);
}
