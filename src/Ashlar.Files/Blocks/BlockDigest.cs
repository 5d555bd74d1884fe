using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>What the content of a block is known by.</summary>
/// <param name="Hash">SHA-256 of all of it.</param>
/// <param name="LengthBytes">Its length.</param>
/// <param name="UnitChecksums">CRC-32C of each unit of <see cref="BlockGeometry.UnitBytes"/>.</param>
public sealed record BlockDigest(ContentHash Hash, int LengthBytes, IReadOnlyList<uint> UnitChecksums)
{
    /// <summary>The first byte of some content of the block that is not what it was; null when all of it is.</summary>
    /// <param name="content">Whole units, and at the end of the block what is left.</param>
    /// <param name="offsetBytes">Where it begins: at the beginning of a unit.</param>
    public long? FindDamage(ReadOnlySpan<byte> content, long offsetBytes)
    {
        Invariant.Require(offsetBytes % BlockGeometry.UnitBytes == 0);
        Invariant.Require(content.Length % BlockGeometry.UnitBytes == 0 || offsetBytes + content.Length == LengthBytes);
        for (var done = 0; done < content.Length; done += BlockGeometry.UnitBytes)
        {
            var unit = content.Slice(done, Math.Min(BlockGeometry.UnitBytes, content.Length - done));
            if (Crc32C.Compute(unit) != UnitChecksums[(int)((offsetBytes + done) / BlockGeometry.UnitBytes)]) return offsetBytes + done;
        }

        return null;
    }

    /// <summary>Whether both are of the same content.</summary>
    public bool Matches(BlockDigest other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Hash == other.Hash && LengthBytes == other.LengthBytes && UnitChecksums.SequenceEqual(other.UnitChecksums);
    }
}
