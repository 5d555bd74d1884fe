using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>The CRC-32C of each unit of a block, as its content comes. One caller at a time.</summary>
sealed class UnitChecksums
{
    readonly List<uint> checksums = [];
    uint checksum;

    /// <summary>Bytes so far.</summary>
    public int LengthBytes { get; private set; }

    /// <summary>How much of what comes next belongs to the unit that it begins in.</summary>
    public int LeftOfUnit => BlockGeometry.UnitBytes - (LengthBytes % BlockGeometry.UnitBytes);

    /// <summary>Takes what comes next.</summary>
    public void Append(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            var part = content[..Math.Min(content.Length, LeftOfUnit)];
            checksum = Crc32C.Append(checksum, part);
            LengthBytes += part.Length;
            content = content[part.Length..];
            if (LengthBytes % BlockGeometry.UnitBytes == 0) EndUnit();
        }
    }

    /// <summary>Those of all that came; the next block begins.</summary>
    public uint[] Finish()
    {
        if (LengthBytes % BlockGeometry.UnitBytes != 0) EndUnit();
        uint[] all = [.. checksums];
        checksums.Clear();
        LengthBytes = 0;
        return all;
    }

    void EndUnit()
    {
        checksums.Add(checksum);
        checksum = 0;
    }
}
