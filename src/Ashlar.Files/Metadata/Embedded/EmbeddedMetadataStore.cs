using System.Buffers.Binary;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Metadata in a key-value store of this process. A transaction latches what it relies on, tests it, and writes one batch, which is
/// durable before the latches are let go of: the tests and the write are one, and a crash cannot separate them.
/// </summary>
public sealed partial class EmbeddedMetadataStore : IMetadataStore
{
    const uint FormatVersion = 1;
    const int FormatRowBytes = sizeof(uint) + sizeof(ulong);

    readonly KeyValueStore store;
    readonly StoreClock clock;
    readonly LatchTable latches = new();
    readonly WriterSlots writers = new();
    readonly Accounts accounts;
    readonly Removals removals = new();
    readonly DirectoryWitnesses witnesses;
    readonly Generations generations;
    readonly IEntropySource entropy;
    ulong nextCustomer;
    long damagedRows;

    EmbeddedMetadataStore(KeyValueStore store, string directory, KeyValueOptions options)
    {
        (this.store, entropy) = (store, options.Entropy);
        accounts = new(store);
        witnesses = new(store, removals);
        nextCustomer = ReadFormat(directory);
        generations = new(store);
        clock = new(store, options.TimeProvider);
    }

    /// <summary>Opens, or creates, the metadata in a directory.</summary>
    /// <param name="directory">The directory, of its own.</param>
    /// <param name="options">How the key-value store is opened; leases and periods go by its clock.</param>
    /// <exception cref="LockedException">It is open elsewhere.</exception>
    /// <exception cref="CorruptDataException">It is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">It is of another version, or something else.</exception>
    /// <exception cref="StorageException">The disk refused.</exception>
    public static EmbeddedMetadataStore Open(string directory, KeyValueOptions? options = null)
    {
        options ??= KeyValueOptions.Default;
        var store = KeyValueStore.Open(directory, options);
        try
        {
            return new(store, directory, options);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public long DamagedRows => Interlocked.Read(ref damagedRows);

    /// <summary>Why it refuses changes until it is opened anew; null while it does not.</summary>
    public Exception? Failure => store.Failure;

    /// <summary>The store below, for tests that read rows as they are.</summary>
    internal KeyValueStore Rows => store;

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        SaveTime();
        await store.DisposeAsync();
        writers.Dispose();
    }

    // Of leases and periods.
    DateTimeOffset Now => clock.Now;

    // Of what is shown.
    DateTimeOffset Wall => clock.Wall;

    ulong ReadFormat(string directory)
    {
        if (store.Get(MetadataKeys.Format) is { } row)
        {
            if (row.Length != FormatRowBytes || BinaryPrimitives.ReadUInt32LittleEndian(row) != FormatVersion)
                throw new UnsupportedFormatException(
                    directory, $"the file metadata are not of version {FormatVersion}, which can be read");
            return BinaryPrimitives.ReadUInt64LittleEndian(row.AsSpan(sizeof(uint)));
        }

        if (Exists(KeyRange.All)) throw new UnsupportedFormatException(directory, "the key-value store holds no file metadata");
        store.Put(MetadataKeys.Format, FormatRow(1));
        return 1;
    }

    static byte[] FormatRow(ulong nextCustomer)
    {
        var row = new byte[FormatRowBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(row, FormatVersion);
        BinaryPrimitives.WriteUInt64LittleEndian(row.AsSpan(sizeof(uint)), nextCustomer);
        return row;
    }

    bool Exists(KeyRange range)
    {
        using var cursor = store.Scan(range);
        return cursor.MoveNext();
    }

    /// <summary>Makes a transaction durable and visible, with what it changes of a customer's usage.</summary>
    async Task WriteAsync(Account account, WriteBatch batch, UsageChanges changes)
    {
        account.Reserve(changes);
        byte? writer = null;
        var isCommitted = false;
        try
        {
            writer = await writers.TakeAsync();
            changes.AddRows(batch, writer.Value, store);
            await WriteAsync(batch);
            isCommitted = true;
        }
        finally
        {
            if (writer is { } taken) writers.Return(taken);
            account.Settle(changes, isCommitted);
        }
    }

    async Task WriteAsync(WriteBatch batch)
    {
        clock.AddTo(batch);
        try
        {
            await store.WriteAsync(batch);
        }
        catch (StorePoisonedException doubt)
        {
            throw new UnknownOutcomeException(doubt);
        }

        // The write ends on the thread that committed a group, which has others to serve.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
    }

    void SaveTime()
    {
        var batch = new WriteBatch { MayUseReserve = true };
        clock.AddTo(batch, always: true);
        try
        {
            store.Write(batch);
        }
        catch (Exception failure) when (failure is AshlarException or ObjectDisposedException)
        {
            // Then it is that of a while ago.
        }
    }

    ulong DrawGeneration()
    {
        try
        {
            return generations.Draw();
        }
        catch (StorePoisonedException doubt)
        {
            throw new UnknownOutcomeException(doubt);
        }
    }

    /// <summary>A page of a table: what is selected of the rows of a range, behind a key.</summary>
    /// <param name="range">The range.</param>
    /// <param name="after">The key of the last of the page before; where it lies before the range, the page begins with that.</param>
    /// <param name="limit">Most rows.</param>
    /// <param name="select">What becomes of a row.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="isLenient">
    /// Whether a damaged row is passed by and counted. Who looks after all that there is would never come to what is behind it.
    /// </param>
    List<T> ReadPage<T>(
        KeyRange range, byte[]? after, int limit, RowSelector<T> select, CancellationToken cancellationToken, bool isLenient = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        var page = new List<T>();
        if (after is not null)
        {
            byte[] start = [.. after, 0];
            if (start.AsSpan().SequenceCompareTo(range.End) > 0) return page;
            if (start.AsSpan().SequenceCompareTo(range.Start) > 0) range = KeyRange.Between(start, range.End);
        }

        using var rows = store.Scan(range);
        while (page.Count < limit && rows.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (select(rows, out var item)) page.Add(item);
            }
            catch (CorruptDataException) when (isLenient)
            {
                Interlocked.Increment(ref damagedRows);
            }
        }

        return page;
    }

    delegate bool RowSelector<T>(KeyValueCursor row, out T item);

    static CorruptDataException Missing(ReadOnlySpan<byte> key, string problem) =>
        new($"row {Convert.ToHexStringLower(key)} of the file metadata", 0, problem);
}
