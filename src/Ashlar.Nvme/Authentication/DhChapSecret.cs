using System.Buffers.Binary;
using System.Text;

namespace Ashlar.Nvme;

/// <summary>
/// A secret of DH-HMAC-CHAP as nvme-cli makes and takes it: <c>DHHC-1:01:&lt;base64&gt;:</c>, where the number says by which hash it
/// becomes a key (00: as it is), and the base64 is of 32, 48 or 64 bytes and their CRC-32.
/// </summary>
/// <remarks>
/// The key is bound to the name of whom it is for: what is made of it for one host is of no use to pass for another (NVM Express Base 2.0,
/// 8.13.5.7).
/// </remarks>
public sealed class DhChapSecret
{
    const string Prefix = "DHHC-1:";

    const int ChecksumBytes = sizeof(uint);

    readonly DhChapHash? hash;
    readonly byte[] bytes;

    DhChapSecret(DhChapHash? hash, byte[] bytes) => (this.hash, this.bytes) = (hash, bytes);

    /// <summary>Reads a secret as it is written.</summary>
    /// <param name="text">What is written.</param>
    /// <param name="secret">The secret.</param>
    /// <param name="problem">Why it is none; never says what it is.</param>
    public static bool TryParse(string text, out DhChapSecret secret, out string problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        secret = null!;
        problem = "a secret of DH-HMAC-CHAP is written DHHC-1:<hash>:<base64>:, as 'nvme gen-dhchap-key' prints it";
        if (!text.StartsWith(Prefix, StringComparison.Ordinal) || text[Prefix.Length..].Split(':') is not [var number, var encoded, ""])
            return false;
        if (number is not ("00" or "01" or "02" or "03"))
        {
            problem = $"'{(number.Length <= 8 ? number : number[..8])}' is not the hash of a DH-HMAC-CHAP secret: 00, 01, 02 or 03";
            return false;
        }
        var decoded = new byte[encoded.Length];
        if (!Convert.TryFromBase64String(encoded, decoded, out var length)) return false;
        var hash = DhChapHash.Find((byte)(number[1] - '0'));
        var keyBytes = length - ChecksumBytes;
        if (hash is null ? keyBytes is not (32 or 48 or 64) : keyBytes != hash.SizeBytes)
        {
            var wanted = hash is null ? "32, 48 or 64" : $"{hash.SizeBytes}";
            problem = $"a DH-HMAC-CHAP secret with the hash {number} has {wanted} bytes and a checksum; this one has {length} in all";
            return false;
        }
        if (Crc32(decoded.AsSpan(0, keyBytes)) != BinaryPrimitives.ReadUInt32LittleEndian(decoded.AsSpan(keyBytes)))
        {
            problem = "a DH-HMAC-CHAP secret does not match its checksum: it was not copied whole";
            return false;
        }
        secret = new(hash, decoded[..keyBytes]);
        return true;
    }

    /// <summary>
    /// A secret that nobody knows, of these bytes. It becomes a key as those do that nvme-cli makes for us, which takes time that can be
    /// measured.
    /// </summary>
    /// <param name="bytes">32 of them.</param>
    public static DhChapSecret Of(ReadOnlySpan<byte> bytes) => new(DhChapHash.Find(1), bytes.ToArray());

    /// <summary>The key by which one proves who it is.</summary>
    internal byte[] KeyOf(string name) =>
        hash is null ? bytes : hash.Hmac(bytes, [.. Encoding.ASCII.GetBytes(name), .. "NVMe-over-Fabrics"u8]);

    /// <summary>Whether both are the same; by what they are, not how they are written.</summary>
    public bool IsSame(DhChapSecret other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return bytes.AsSpan().SequenceEqual(other.bytes);
    }

    // CRC-32 of IEEE 802.3, of at most 64 bytes.
    static uint Crc32(ReadOnlySpan<byte> data)
    {
        const uint polynomial = 0xEDB8_8320;
        var crc = uint.MaxValue;
        foreach (var each in data)
        {
            crc ^= each;
            for (var bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
        }
        return ~crc;
    }
}
