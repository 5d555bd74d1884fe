using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// A store, plain or sharded: what is done with its entries, and what concerns it as a whole. Safe for concurrent callers.
/// </summary>
public interface IKeyValueStore : IKeyspace, IDisposable, IAsyncDisposable
{
    /// <summary>Random identity of the store, fixed when it was created.</summary>
    Guid StoreId { get; }

    /// <summary>
    /// What the store could not make durable when it was closed, or what put it in doubt before: null if nothing is. To be read after
    /// <see cref="IDisposable.Dispose"/>, which does not throw it.
    /// </summary>
    Exception? Failure { get; }

    /// <summary>Writes what is in memory to tables, and returns when that is done.</summary>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorageException">The disk refused; the store goes on as before.</exception>
    /// <exception cref="StorePoisonedException">What is on disk is in doubt.</exception>
    void Flush();

    /// <summary>
    /// Flushes, then merges all tables, which drops everything that no reader can see. Takes disk space for a second copy.
    /// </summary>
    /// <exception cref="CorruptDataException">A table is damaged; the store goes on as before.</exception>
    /// <inheritdoc cref="Flush" path="/exception" />
    void Compact();

    /// <summary>Reads everything that is on disk and checks it.</summary>
    VerificationReport Verify();

    /// <summary>Counts and sizes, cheap to take.</summary>
    KeyValueStatistics GetStatistics();

    /// <summary>Closes the store as <see cref="IDisposable.Dispose"/> does, and reports what that could not make durable.</summary>
    /// <exception cref="StorePoisonedException">
    /// The last writes could not be made durable, now or earlier. The store is closed all the same.
    /// </exception>
    void Close();
}
