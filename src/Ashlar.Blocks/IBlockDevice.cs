namespace Ashlar.Blocks;

/// <summary>
/// A fixed number of fixed-size blocks. The contract of devices, RAID sets and volumes; protocols see nothing else.
/// </summary>
/// <remarks>
/// <para>Safe for concurrent callers. Of two writes that overlap in time and place either may win, block by block; a
/// read that overlaps a write sees each block before or after it, never a mixture that fails a checksum.</para>
/// <para>Durability: a completed write may sit in a volatile cache. A completed <see cref="FlushAsync"/> makes
/// everything durable that completed before it began, whoever wrote it. <see cref="WriteOptions.ForceUnitAccess"/>
/// makes the one write durable before it completes.</para>
/// <para>Calls complete synchronously when they need not wait for the medium; callers on a hot path should look at
/// <see cref="ValueTask.IsCompletedSuccessfully"/> before they await. A call that has completed, or was cancelled, no
/// longer touches the caller's buffer. Errors are thrown or come with the task, as suits the device.</para>
/// <para>A failed flush latches: the device refuses writes and flushes from then on, until it is opened again.</para>
/// <para>Errors: <see cref="BlockRangeException"/>, <see cref="BadBlockException"/>, <see cref="DeviceFullException"/>,
/// <see cref="DeviceReadOnlyException"/>, <see cref="DeviceIOException"/> and
/// <see cref="Storage.CorruptDataException"/>; see <see cref="BlockDeviceException"/>.</para>
/// </remarks>
public interface IBlockDevice : IAsyncDisposable
{
    /// <summary>A name for messages: a path, or pool/volume.</summary>
    string Name { get; }

    /// <summary>Size, block size and hints.</summary>
    BlockGeometry Geometry { get; }

    /// <summary>Whether writes are refused.</summary>
    bool IsReadOnly { get; }

    /// <summary>Reads whole blocks. Blocks that were never written, or were trimmed, read as zeros.</summary>
    /// <param name="start">First block.</param>
    /// <param name="destination">A multiple of the block size; filled completely; not kept after completion.</param>
    /// <param name="cancellationToken">Gives up waiting; the destination is then undefined.</param>
    ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default);

    /// <summary>Writes whole blocks.</summary>
    /// <param name="start">First block.</param>
    /// <param name="source">A multiple of the block size; must not change until completion; not kept after it.</param>
    /// <param name="options">Durability of this write.</param>
    /// <param name="cancellationToken">Gives up waiting; each block then holds the old or the new content.</param>
    ValueTask WriteAsync(
        Lba start,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes a range read as zeros. Space is given back unless <see cref="ZeroOptions.KeepAllocated"/> is set.
    /// </summary>
    ValueTask WriteZeroesAsync(
        Lba start,
        long blockCount,
        ZeroOptions options = ZeroOptions.None,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Says that a range is no longer needed: it reads as zeros from now on, and its space is given back.
    /// </summary>
    ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default);

    /// <summary>Makes every write that completed before this call durable.</summary>
    ValueTask FlushAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Describes which blocks hold data, beginning at <paramref name="start"/>, as runs of equal kind in order.
    /// </summary>
    /// <param name="start">First block.</param>
    /// <param name="blockCount">How far to look.</param>
    /// <param name="extents">Filled from the front; neighbours of equal kind are merged.</param>
    /// <returns>How many extents were filled: at least one; together they cover the range unless the span is
    /// full.</returns>
    int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents);

    /// <summary>Counters since the device was opened.</summary>
    DeviceStatistics GetStatistics();
}
