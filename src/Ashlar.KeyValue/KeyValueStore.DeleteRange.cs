using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class KeyValueStore
{
    /// <summary>
    /// Deletes all keys in a range, in the same time and space however many there are. What is put later stays; a range without keys is no
    /// error.
    /// </summary>
    /// <remarks>
    /// The space comes back once the memory table has become a table, which <see cref="Flush"/> or later writes begin: tables that lie in
    /// the range go without being read, the others when they are merged, which is soon if they refer to values that are large beside their
    /// keys. Open snapshots keep what they see. Earlier programs refuse a store in which a range was deleted.
    /// </remarks>
    /// <param name="range">The keys.</param>
    /// <param name="durability">What the write has survived when the call returns.</param>
    /// <exception cref="KeyLengthException">
    /// A border is longer than any key can be (<see cref="KeyValueOptions.KeyLimitBytes"/>).
    /// </exception>
    /// <exception cref="DeletedRangesLimitException">
    /// Some 16,384 deleted ranges are remembered, mostly because a snapshot keeps what they deleted.
    /// </exception>
    /// <exception cref="StorageException">
    /// The write failed and nothing of it is left. A full disk is no reason, as long as anything is kept for deletes.
    /// </exception>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorePoisonedException">
    /// Whether the write is on disk is unknown, or that of an earlier one is.
    /// </exception>
    public void DeleteRange(KeyRange range, Durability durability = Durability.Sync)
    {
        var batch = RentSingleWrite();
        batch.DeleteRange(state.HasKeyspaces ? range.Until(KeyspaceRegion.Start) : range);
        Write(batch, durability);
        ReturnSingleWrite(batch);
    }

    /// <summary>
    /// Deletes all keys from one inclusive to another exclusive, otherwise as <see cref="DeleteRange(KeyRange, Durability)"/>.
    /// </summary>
    /// <param name="start">The first key.</param>
    /// <param name="end">The first key behind the range.</param>
    /// <param name="durability">What the write has survived when the call returns.</param>
    /// <exception cref="ArgumentException">The start is beyond the end.</exception>
    /// <inheritdoc cref="DeleteRange(KeyRange, Durability)" path="/exception" />
    public void DeleteRange(ReadOnlySpan<byte> start, ReadOnlySpan<byte> end, Durability durability = Durability.Sync) =>
        DeleteRange(KeyRange.Between(start, end), durability);

    /// <summary>Deletes all keys in a range; many writes may be outstanding from one thread and share one flush.</summary>
    /// <param name="range">The keys.</param>
    /// <param name="durability">What the write has survived when the task completes.</param>
    /// <param name="cancellationToken">
    /// Cancels a write that no leader has taken yet; once one has, the write takes its course.
    /// </param>
    /// <inheritdoc cref="DeleteRange(KeyRange, Durability)" path="/exception" />
    public ValueTask DeleteRangeAsync(
        KeyRange range, Durability durability = Durability.Sync, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var write = commits.RentAsync();
        write.OwnBatch.DeleteRange(state.HasKeyspaces ? range.Until(KeyspaceRegion.Start) : range);
        return Submit(write, write.OwnBatch, durability, cancellationToken);
    }
}
