using System.Buffers.Binary;
using System.Text;
using Ashlar.Nbd.Protocol;

namespace Ashlar.Nbd.Negotiation;

/// <summary>
/// Reads the data of an option front to back. Every length is checked against what is really there before it is used;
/// "no" means that the option is malformed.
/// </summary>
ref struct OptionDataReader(ReadOnlySpan<byte> data)
{
    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    ReadOnlySpan<byte> rest = data;

    public readonly bool AtEnd => rest.IsEmpty;

    public bool TryReadUInt32(out uint value)
    {
        if (!BinaryPrimitives.TryReadUInt32BigEndian(rest, out value)) return false;
        rest = rest[sizeof(uint)..];
        return true;
    }

    public bool TryReadUInt16(out ushort value)
    {
        if (!BinaryPrimitives.TryReadUInt16BigEndian(rest, out value)) return false;
        rest = rest[sizeof(ushort)..];
        return true;
    }

    /// <summary>A string behind its length.</summary>
    public bool TryReadString(out string value)
    {
        value = "";
        if (!TryReadUInt32(out var length) || length > (uint)rest.Length) return false;
        var bytes = rest[..(int)length];
        rest = rest[(int)length..];
        return TryDecode(bytes, out value);
    }

    /// <summary>Strings are UTF-8 without NUL, at most 4096 bytes.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out string value)
    {
        value = "";
        if (bytes.Length > NbdProtocol.MaxStringBytes || bytes.Contains((byte)0)) return false;
        try
        {
            value = StrictUtf8.GetString(bytes);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
