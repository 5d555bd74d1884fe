using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

/// <summary>What a medium writes whole or not at all.</summary>
static class Sectors
{
    public const int SizeBytes = 512;

    /// <summary>
    /// Replaces sectors chosen by chance, but never all of them, by those of <paramref name="other"/>.
    /// </summary>
    public static void Mix(Span<byte> content, ReadOnlySpan<byte> other, IEntropySource entropy)
    {
        var sectors = content.Length / SizeBytes;
        var kept = (int)(entropy.NextUInt64() % (ulong)sectors);
        for (var sector = 0; sector < sectors; sector++)
        {
            if (sector == kept || (entropy.NextUInt64() & 1) == 0) continue;
            other.Slice(sector * SizeBytes, SizeBytes).CopyTo(content[(sector * SizeBytes)..]);
        }
    }
}
