using System.Buffers.Binary;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Attributes, the end of a volume record of version 3. Little-endian; texts are UTF-8.
//
//   +--------------------+-------------+-----------+---------------------------------------------------------------+
//   | Description length | Description | Count (1) | Count times: Key length (1) | Key | Value length (1) | Value  |
//   | (2)                |             |           | keys ascending, byte by byte                                  |
//   +--------------------+-------------+-----------+---------------------------------------------------------------+
static class VolumeAttributesFormat
{
    static readonly UTF8Encoding Text = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static byte[] ToBytes(VolumeAttributes attributes)
    {
        Invariant.Require(attributes.FindProblem() is null);
        var target = new List<byte>();
        var description = Text.GetBytes(attributes.Description);
        target.AddRange([(byte)description.Length, (byte)(description.Length >> 8), .. description, (byte)attributes.Labels.Count]);
        foreach (var (key, value) in attributes.Labels)
        {
            var (keyBytes, valueBytes) = (Text.GetBytes(key), Text.GetBytes(value));
            target.AddRange([(byte)keyBytes.Length, .. keyBytes, (byte)valueBytes.Length, .. valueBytes]);
        }
        return [.. target];
    }

    /// <exception cref="CorruptDataException">The bytes are not attributes.</exception>
    public static VolumeAttributes Read(ReadOnlySpan<byte> source, string where)
    {
        try
        {
            var remaining = source;
            var length = BinaryPrimitives.ReadUInt16LittleEndian(Slice(ref remaining, sizeof(ushort), where));
            var description = Take(ref remaining, length, where);
            var labels = VolumeAttributes.None.Labels.ToBuilder();
            var previous = "";
            for (var count = Slice(ref remaining, 1, where)[0]; count > 0; count--)
            {
                var key = Take(ref remaining, Slice(ref remaining, 1, where)[0], where);
                if (string.CompareOrdinal(key, previous) <= 0) throw Damaged(where, $"label '{key}' after '{previous}'");
                labels.Add(previous = key, Take(ref remaining, Slice(ref remaining, 1, where)[0], where));
            }
            if (!remaining.IsEmpty) throw Damaged(where, $"{remaining.Length} bytes beyond the last label");
            var attributes = new VolumeAttributes { Description = description, Labels = labels.ToImmutable() };
            return attributes.FindProblem() is { } problem ? throw Damaged(where, problem) : attributes;
        }
        catch (DecoderFallbackException)
        {
            throw Damaged(where, "a text is not UTF-8");
        }
    }

    static string Take(ref ReadOnlySpan<byte> remaining, int length, string where) => Text.GetString(Slice(ref remaining, length, where));

    static ReadOnlySpan<byte> Slice(ref ReadOnlySpan<byte> remaining, int length, string where)
    {
        if (remaining.Length < length) throw Damaged(where, "cut off within its attributes");
        var slice = remaining[..length];
        remaining = remaining[length..];
        return slice;
    }

    static CorruptDataException Damaged(string where, string problem) => new(where, 0, $"volume record: {problem}");
}
