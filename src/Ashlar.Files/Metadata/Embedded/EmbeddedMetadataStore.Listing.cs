using Ashlar.KeyValue;
using Ashlar.Storage;

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
        var entries = new List<NamespaceEntry>();
        using var moment = store.CreateSnapshot();
        var start = prefix;
        byte[] after = [.. table, .. request.After.Span];
        if (!request.After.IsEmpty && after.AsSpan().SequenceCompareTo(prefix) >= 0)
        {
            start = [.. after, 0];
            if (!request.IsRecursive && DirectoryOf(after, prefix) is { } directory)
            {
                // A directory stands for what is in it, and so for what of that lies behind.
                if (after.Length > directory.Length && Exists(moment, KeyRange.Between(start, Behind(directory))))
                {
                    var row = moment.Get(directory) ?? throw Missing(directory, "a directory is missing");
                    entries.Add(Files.Rows.ReadEntry(directory, row));
                }

                start = Behind(directory);
            }
        }

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
                if (!request.IsRecursive && rows.Key[^1] == Slash) start = Behind(rows.Key);
            }
        }

        return Task.FromResult(new ListPage(entries, default));
    }

    static bool Exists(KeyValueSnapshot moment, KeyRange range)
    {
        using var rows = moment.Scan(range);
        return rows.MoveNext();
    }

    /// <summary>The key of the directory behind a prefix that a key is, or lies in; null if there is none.</summary>
    static byte[]? DirectoryOf(byte[] key, byte[] prefix) =>
        key.AsSpan().StartsWith(prefix) && key.AsSpan(prefix.Length).IndexOf(Slash) is var slash and >= 0
            ? key[..(prefix.Length + slash + 1)]
            : null;

    /// <summary>The first key behind all that is in the directory of a key.</summary>
    static byte[] Behind(ReadOnlySpan<byte> directory)
    {
        Invariant.Require(directory[^1] == Slash);
        return [.. directory[..^1], Slash + 1];
    }

    static byte[] KeyOf(NamespaceEntry entry) => entry.Kind == NamespaceEntryKind.Directory
        ? [.. entry.Path.Bytes.Span, Slash]
        : entry.Path.Bytes.ToArray();
}
