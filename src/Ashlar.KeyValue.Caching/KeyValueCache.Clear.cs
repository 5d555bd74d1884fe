using Ashlar.Storage;

namespace Ashlar.KeyValue.Caching;

public sealed partial class KeyValueCache
{
    /// <summary>
    /// Removes all entries, however many, by one write that costs the same for ten or a billion; other data of the store stays. What is set
    /// at the same time comes before or after.
    /// </summary>
    /// <remarks>
    /// <para><c>HybridCache</c> goes on with what it has in memory: its <c>RemoveByTagAsync("*")</c> makes it forget that.</para>
    /// <para>Crash order: entries, their records and nothing else go by one write, so after a power cut all are there or none. What is used
    /// is set to nothing under the locks of all keys, so it is the sum of all records before and after.</para>
    /// </remarks>
    /// <exception cref="DeletedRangesLimitException">
    /// The cache was cleared thousands of times while a snapshot of the store was open; nothing was removed.
    /// </exception>
    /// <inheritdoc cref="Remove" path="/exception" />
    public void Clear()
    {
        stripes.EnterAll();
        try
        {
            RequireOpen();
            store.DeleteRange(keys.EntriesAndQueue, durability);
            queue?.Forget();
        }
        finally
        {
            stripes.ExitAll();
        }
    }

    /// <inheritdoc cref="Clear" />
    public async Task ClearAsync(CancellationToken token = default)
    {
        await stripes.EnterAllAsync(token).ConfigureAwait(false);
        try
        {
            RequireOpen();
            await store.DeleteRangeAsync(keys.EntriesAndQueue, durability, token).ConfigureAwait(false);
            queue?.Forget();
        }
        finally
        {
            stripes.ExitAll();
        }
    }
}
