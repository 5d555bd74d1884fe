using System.Buffers.Binary;
using System.Text;

namespace Ashlar.Nvme;

/// <summary>
/// How a response is made (NVM Express Base 2.0, 8.13.5.4 and 8.13.5.5): an HMAC of challenge, its number, the transaction, one zero, who
/// responds, its name, a NUL, and the name of the other side. With a group the challenge is one that only the two can know.
/// </summary>
static class DhChapResponse
{
    /// <summary>What the host proves itself by.</summary>
    public static byte[] OfHost(
        DhChapHash hash, DhChapSecret secret, string host, string subsystem, in DhChapChallenge challenge, byte[]? shared) =>
        Make(hash, secret, "HostHost"u8, host, subsystem, challenge, shared);

    /// <summary>What the controller proves itself by.</summary>
    public static byte[] OfController(
        DhChapHash hash, DhChapSecret secret, string host, string subsystem, in DhChapChallenge challenge, byte[]? shared) =>
        Make(hash, secret, "Controller"u8, subsystem, host, challenge, shared);

    static byte[] Make(
        DhChapHash hash, DhChapSecret secret, ReadOnlySpan<byte> role, string own, string other, in DhChapChallenge challenge,
        byte[]? shared)
    {
        var value = shared is null ? challenge.Value : hash.Hmac(hash.Hash(shared), challenge.Value);
        Span<byte> numbers = stackalloc byte[7]; // The last is the secure channel, of which there is none.
        numbers.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(numbers, challenge.Number);
        BinaryPrimitives.WriteUInt16LittleEndian(numbers[4..], challenge.Transaction);
        return hash.Hmac(
            secret.KeyOf(own),
            [.. value, .. numbers, .. role, .. Encoding.ASCII.GetBytes(own), 0, .. Encoding.ASCII.GetBytes(other)]);
    }
}

/// <summary>What a response answers.</summary>
/// <param name="Value">Chance, as long as the hash.</param>
/// <param name="Number">Never 0.</param>
/// <param name="Transaction">Which exchange it is of.</param>
readonly record struct DhChapChallenge(byte[] Value, uint Number, ushort Transaction);
