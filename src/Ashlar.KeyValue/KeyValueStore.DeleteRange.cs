using System.Runtime.CompilerServices;
using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class KeyValueStore
{
    /// <summary>
    /// Deletes all keys in a range, in the same time and space however many there are. What is put later stays; a range without keys is no
    /// error. In a store with keyspaces it ends before their keys.
    /// </summary>
    /// <remarks>
    /// The space comes back once the memory table has become a table, which is begun a second later if it is 8 MiB or more, else by
    /// <see cref="Flush"/> or later writes: tables that lie in the range go without being read, the others when they are merged, which is
    /// soon if half of them is deleted or they refer to values that are large beside their keys. Open snapshots keep what they see. Earlier
    /// programs refuse a store in which a range was deleted.
    /// </remarks>
    /// <param name="range">The keys.</param>
    /// <param name="durability">What the write has survived when the call returns.</param>
    /// <exception cref="KeyLengthException">
    /// A border is longer than any key can be (<see cref="KeyValueOptions.KeyLimitBytes"/>).
    /// </exception>
    /// <exception cref="DeletedRangesLimitException">
    /// Some 16,384 deleted ranges are remembered, mostly because a snapshot keeps what they deleted.
    /// </exception>
    /// <exception cref="ReservedKeyException">The range begins among the keys of keyspaces, with FF FF FF FF.</exception>
    /// <exception cref="StorageException">
    /// The write failed and nothing of it is left. A full disk is no reason, as long as anything is kept for deletes.
    /// </exception>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorePoisonedException">
    /// Whether the write is on disk is unknown, or that of an earlier one is.
    /// </exception>
    public void DeleteRange(KeyRange range, Durability durability = Durability.Sync)
    {
        while (true)
        {
            var isReserved = state.HasKeyspaces;
            var batch = RentSingleWrite();
            batch.DeleteRange(isReserved ? OutsideOfKeyspaces(range) : range);
            try
            {
                Write(batch, durability);
            }
            catch (ReservedKeyException) when (!isReserved)
            {
                continue; // The first keyspace was opened meanwhile.
            }

            ReturnSingleWrite(batch);
            return;
        }
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
        var isReserved = state.HasKeyspaces;
        var write = commits.RentAsync();
        write.OwnBatch.DeleteRange(isReserved ? OutsideOfKeyspaces(range) : range);
        var mayBeRefused = !isReserved && write.OwnBatch.HasReservedKeys;
        var submitted = Submit(write, write.OwnBatch, durability, cancellationToken);
        return mayBeRefused ? AgainIfReservedAsync(submitted, range, durability, cancellationToken) : submitted;
    }

    // The first keyspace may be opened between the look and the write.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask AgainIfReservedAsync(
        ValueTask submitted, KeyRange range, Durability durability, CancellationToken cancellationToken)
    {
        try
        {
            await submitted.ConfigureAwait(false);
            return;
        }
        catch (ReservedKeyException)
        {
            Invariant.Require(state.HasKeyspaces); // So the next write is cut, or refused for good.
        }

        await DeleteRangeAsync(range, durability, cancellationToken).ConfigureAwait(false);
    }

    // One that begins among the keys of keyspaces stays as it is, and is refused as a batch with it is.
    static KeyRange OutsideOfKeyspaces(KeyRange range) =>
        KeyspaceRegion.Holds(range.Start) ? range : range.Until(KeyspaceRegion.Start);
}
