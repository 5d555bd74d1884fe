namespace Ashlar.Blocks;

/// <summary>A run of blocks that have, or have not, been changed since some moment.</summary>
/// <param name="IsChanged">Whether they may hold something else.</param>
/// <param name="BlockCount">How many blocks.</param>
public readonly record struct BlockChange(bool IsChanged, long BlockCount);

/// <summary>Knows what of a device has changed since some moment.</summary>
public interface IChangeMap
{
    /// <summary>
    /// Describes which blocks have been changed, as runs in order. What was changed before the call is never called unchanged; what is
    /// called changed may hold the same all the same.
    /// </summary>
    /// <param name="start">First block.</param>
    /// <param name="blockCount">How far to look.</param>
    /// <param name="runs">Filled from the front; neighbours of one kind are merged.</param>
    /// <returns>How many runs were filled: at least one, unless nothing was asked for; together they cover the range unless the span is
    /// full.</returns>
    /// <exception cref="ChangesUnknownException">What would tell is gone.</exception>
    int DescribeChanges(Lba start, long blockCount, Span<BlockChange> runs);
}
