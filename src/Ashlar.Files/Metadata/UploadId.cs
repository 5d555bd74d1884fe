using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Numbers of uploads, which become those of files and the generations of blocks: 40 bits of the time in milliseconds, so that what is
/// written together lies together, and 24 bits of chance. The store refuses one that is taken; another is drawn then.
/// </summary>
public static class UploadId
{
    const int ChanceBits = 24;

    /// <summary>Draws a number, which is never 0.</summary>
    public static ulong Draw(TimeProvider clock, IEntropySource entropy)
    {
        ArgumentNullException.ThrowIfNull(clock);
        var time = (ulong)clock.GetUtcNow().ToUnixTimeMilliseconds() << ChanceBits;
        return Math.Max(1, time | (entropy.NextUInt64() >> (64 - ChanceBits)));
    }
}
