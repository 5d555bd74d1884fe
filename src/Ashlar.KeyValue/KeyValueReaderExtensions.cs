using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Ashlar.KeyValue;

/// <summary>Other ways to walk over entries.</summary>
public static class KeyValueReaderExtensions
{
    // As many as a cursor asks the disk for at once.
    const int BatchEntries = 64;
    const int BatchBytes = 256 << 10;

    /// <summary>Lets <c>foreach</c> walk a cursor; the loop disposes it.</summary>
    public static CursorEnumerator GetEnumerator(this IKeyValueCursor cursor)
    {
        ArgumentNullException.ThrowIfNull(cursor);
        return new(cursor);
    }

    /// <summary>
    /// Walks a range by <c>await foreach</c>: the disk is waited for on other threads, and entries are copies that may be kept. What it
    /// sees is the store as it was when the loop began.
    /// </summary>
    /// <param name="reader">A store or a snapshot.</param>
    /// <param name="range">The range.</param>
    /// <param name="direction">Order of the keys.</param>
    /// <param name="cancellationToken">Ends the loop with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="Storage.CorruptDataException">What lies next is damaged; thrown by the loop.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed; thrown by the loop.</exception>
    public static IAsyncEnumerable<KeyValueEntry> ScanAsync(
        this IKeyValueReader reader, KeyRange range, ScanDirection direction = ScanDirection.Forward,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reader);
        Storage.EnumArgument.RequireDefined(direction);
        return Walk(reader, range, direction, cancellationToken);
    }

    static async IAsyncEnumerable<KeyValueEntry> Walk(
        IKeyValueReader reader, KeyRange range, ScanDirection direction, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var cursor = reader.Scan(range, direction);
        var batch = new List<KeyValueEntry>(BatchEntries);
        while (true)
        {
            batch.Clear();
            var (hasMore, failure) =
                await Task.Run(() => Fill(cursor, batch, cancellationToken), cancellationToken).ConfigureAwait(false);
            foreach (var entry in batch)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return entry;
            }

            if (failure is not null) ExceptionDispatchInfo.Throw(failure);
            if (!hasMore) yield break;
        }
    }

    // A failure comes behind the entries that were read before it.
    static (bool HasMore, Exception? Failure) Fill(IKeyValueCursor cursor, List<KeyValueEntry> batch, CancellationToken cancellationToken)
    {
        var bytes = 0L;
        try
        {
            while (batch.Count < BatchEntries && bytes < BatchBytes)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!cursor.MoveNext()) return (false, null);
                var entry = new KeyValueEntry(cursor.Key.ToArray(), cursor.Value.ToArray());
                batch.Add(entry);
                bytes += entry.Key.Length + entry.Value.Length;
            }

            return (true, null);
        }
        catch (Exception failure)
        {
            return (false, failure);
        }
    }
}
