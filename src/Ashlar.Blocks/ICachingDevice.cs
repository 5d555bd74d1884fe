namespace Ashlar.Blocks;

/// <summary>A device above whose medium something keeps copies of what it holds, such as the page cache of the system.</summary>
public interface ICachingDevice : IBlockDevice
{
    /// <summary>
    /// Forgets copies of a range that count as written, so that the next read gets what the medium holds. Flush before: what
    /// was not flushed stays as it is. After a flush that failed, copies and medium may differ although nothing says so.
    /// </summary>
    void DropCached(Lba start, long blockCount);

    /// <summary>
    /// How far apart flushes come, as far as the owner knows: where somebody flushes often the medium is given streams as they are
    /// written, instead of with the next flush, which is then short. Zero unless it was set.
    /// </summary>
    TimeSpan FlushInterval { get; set; }

    /// <summary>
    /// Whether a flush is expected to be over soon: the last one was, and little was changed since. A guess; for callers that can do
    /// something else while it runs.
    /// </summary>
    bool IsFlushShort { get; }
}
