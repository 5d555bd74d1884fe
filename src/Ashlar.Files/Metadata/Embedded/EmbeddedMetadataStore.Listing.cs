using Ashlar.KeyValue;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    const byte Slash = (byte)'/';

    /// <inheritdoc />
    public Task<ListPage> ListAsync(CustomerId customer, ListRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(request.Limit, nameof(request));
        accounts.Of(customer);
        var table = MetadataKeys.Entries(customer, []);
        byte[] prefix = [.. table, .. request.Prefix.Span];
        var range = KeyRange.Prefix(prefix);
        var start = request.After.IsEmpty ? prefix : Behind([.. table, .. request.After.Span], request.IsRecursive);
        if (start.AsSpan().SequenceCompareTo(prefix) < 0) start = prefix;
        var entries = new List<NamespaceEntry>();
        using var moment = store.CreateSnapshot();
        while (start is not null && start.AsSpan().SequenceCompareTo(range.End) < 0)
        {
            using var rows = moment.Scan(KeyRange.Between(start, range.End));
            start = null;
            while (start is null && rows.MoveNext())
            {
                cancellationToken.ThrowIfCancellationRequested();
                // What is listed for a directory is the directory: it is no child of its own.
                if (rows.Key.Length == prefix.Length && rows.Key[^1] == Slash) continue;
                if (entries.Count == request.Limit)
                    return Task.FromResult(new ListPage(entries, KeyOf(entries[^1])));
                entries.Add(Files.Rows.ReadEntry(rows.Key, rows.Value));
                // What lies in a directory sorts behind it and is passed by one search, however much that is.
                if (!request.IsRecursive && rows.Key[^1] == Slash) start = Behind(rows.Key.ToArray(), isRecursive: false);
            }
        }

        return Task.FromResult(new ListPage(entries, default));
    }

    /// <summary>The first key behind one, or where the other is not recursive, behind all that is in the directory of it.</summary>
    static byte[] Behind(byte[] key, bool isRecursive)
    {
        if (isRecursive || key[^1] != Slash) return [.. key, 0];
        key[^1]++;
        return key;
    }

    static byte[] KeyOf(NamespaceEntry entry) => entry.Kind == NamespaceEntryKind.Directory
        ? [.. entry.Path.Bytes.Span, Slash]
        : entry.Path.Bytes.ToArray();
}
