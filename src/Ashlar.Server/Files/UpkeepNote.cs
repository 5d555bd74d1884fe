using System.Globalization;
using System.Text;
using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>
/// How far something that goes through all blocks has come, and when it is due: kept as a note of the metadata, so that it goes on after a
/// restart. Text, so that people can read it.
/// </summary>
/// <remarks>
/// <code>
/// ashlar upkeep 1
/// due 2026-11-30T13:00:00.0000000+00:00
/// node 00000000000000a1                 where more than one node is gone through
/// after HASH.GENERATION.CUSTOMER        the last block that is done; absent at the beginning
/// </code>
/// </remarks>
/// <param name="DueAt">When it is to be begun, or to go on.</param>
/// <param name="Node">The node that it has come to.</param>
/// <param name="After">The last block that is done.</param>
sealed record UpkeepNote(DateTimeOffset DueAt, NodeId? Node = null, CustomerBlock? After = null)
{
    const string Magic = "ashlar upkeep 1", Due = "due ", OfNode = "node ", Behind = "after ";

    /// <summary>Reads a note; null for one that is none: then it begins anew.</summary>
    public static UpkeepNote? Parse(ReadOnlySpan<byte> bytes)
    {
        var lines = Encoding.UTF8.GetString(bytes).Split('\n');
        if (lines[0] != Magic) return null;
        (DateTimeOffset? due, NodeId? node, CustomerBlock? after) = (null, null, null);
        foreach (var line in lines.Skip(1))
        {
            if (line.Length == 0) continue;
            if (line.StartsWith(Due, StringComparison.Ordinal)
                && DateTimeOffset.TryParseExact(
                    line[Due.Length..], "O", CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time)) due = time;
            else if (line.StartsWith(OfNode, StringComparison.Ordinal) && NodeId.TryParse(line[OfNode.Length..], out var id)) node = id;
            else if (line.StartsWith(Behind, StringComparison.Ordinal) && CustomerBlock.TryParse(line[Behind.Length..], out var block))
                after = block;
            else return null;
        }

        return due is { } at ? new(at, node, after) : null;
    }

    /// <summary>As it is kept.</summary>
    public byte[] ToBytes()
    {
        var text = new StringBuilder(Magic).Append('\n');
        text.Append(CultureInfo.InvariantCulture, $"{Due}{DueAt:O}\n");
        if (Node is { } node) text.Append(CultureInfo.InvariantCulture, $"{OfNode}{node}\n");
        if (After is { } after) text.Append(CultureInfo.InvariantCulture, $"{Behind}{after}\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
