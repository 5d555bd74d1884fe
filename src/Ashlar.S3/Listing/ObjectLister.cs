using System.Text;
using Ashlar.Files;
using Ashlar.Storage;

namespace Ashlar.S3;

/// <summary>A line of a listing: an object, or what several have in common.</summary>
/// <param name="Name">The key, or the common prefix.</param>
/// <param name="Entry">The object; null for a common prefix.</param>
readonly record struct ListedName(string Name, NamespaceEntry? Entry)
{
    public bool IsPrefix => Entry is null;
}

/// <summary>A page of a listing.</summary>
/// <param name="Names">In the order of their bytes.</param>
/// <param name="IsTruncated">Whether more follows.</param>
sealed record ObjectPage(IReadOnlyList<ListedName> Names, bool IsTruncated)
{
    /// <summary>Where the next page begins; null if there is none.</summary>
    public ListToken? Next => IsTruncated && Names.Count > 0 ? new(Names[^1].Name, Names[^1].IsPrefix) : null;
}

/// <summary>What is listed of a bucket.</summary>
/// <param name="Bucket">The bucket.</param>
/// <param name="Prefix">What keys begin with.</param>
/// <param name="Delimiter">Keys that have it behind the prefix are one line, up to it; empty for none.</param>
/// <param name="After">Begins behind this; null for the first page.</param>
/// <param name="Limit">Most lines.</param>
sealed record ObjectListing(string Bucket, string Prefix, string Delimiter, ListToken? After, int Limit);

/// <summary>
/// Lists a bucket as S3 does, whatever the delimiter: with a slash by directories, each of which costs a line, else by looking at every key
/// and passing by what a common prefix stands for.
/// </summary>
sealed class ObjectLister(INamespace names, CustomerId customer)
{
    const int MostAtOnce = 1000, LeastAtOnce = 2;

    // Sorts behind all that begins with the same: no path has it, as UTF-8 does not.
    const byte BehindAll = 0xFF;

    public async Task<ObjectPage> ListAsync(ObjectListing listing, CancellationToken cancellationToken)
    {
        var found = new List<ListedName>();
        if (listing.Limit == 0) return new(found, false);
        byte[] bucket = Encoding.UTF8.GetBytes(listing.Bucket + "/"), prefix = [.. bucket, .. Encoding.UTF8.GetBytes(listing.Prefix)];
        var after = Begin(listing, bucket, prefix);
        if (after.IsEmpty && await FindOwnAsync(listing, cancellationToken) is { } own) found.Add(own);
        var isByDirectory = listing.Delimiter == "/";
        // Where a prefix may stand for all that follows, little is read at first, and more as long as nothing of it was in vain.
        var atOnce = isByDirectory || listing.Delimiter.Length == 0 ? MostAtOnce : LeastAtOnce;
        while (true)
        {
            var request = new ListRequest
            {
                Prefix = prefix,
                IsRecursive = !isByDirectory,
                After = after,
                // One more says whether there is more.
                Limit = Math.Min(atOnce, listing.Limit - found.Count + 1),
            };
            var page = await names.ListAsync(customer, request, cancellationToken);
            after = page.Next;
            atOnce = Math.Min(MostAtOnce, 4 * atOnce);
            foreach (var entry in page.Entries)
            {
                var isDirectory = entry.Kind == NamespaceEntryKind.Directory;
                var key = Encoding.UTF8.GetString(entry.Path.Bytes.Span[bucket.Length..]) + (isDirectory ? "/" : "");
                ListedName? line = isByDirectory
                    ? new(key, isDirectory ? null : entry)
                    : Line(listing, key, isDirectory && entry.IsImplicit ? null : entry);
                if (line is not { } one) continue;
                if (found.Count == listing.Limit) return new(found, true);
                // A prefix stands for all that follow it, and is passed by: nothing comes twice.
                Invariant.Require(found.Count == 0 || !string.Equals(found[^1].Name, one.Name, StringComparison.Ordinal));
                found.Add(one);
                if (isByDirectory || !one.IsPrefix) continue;
                // The rest of the page may be of the same.
                after = Behind(bucket, one.Name);
                atOnce = LeastAtOnce;
                break;
            }

            if (after.IsEmpty) return new(found, false);
        }
    }

    static ListedName? Line(ObjectListing listing, string key, NamespaceEntry? entry)
    {
        // A directory that comes with what is in it is no object, and says nothing that its content does not say.
        if (entry is null) return null;
        if (listing.Delimiter.Length == 0) return new(key, entry);
        var at = key.IndexOf(listing.Delimiter, Math.Min(listing.Prefix.Length, key.Length), StringComparison.Ordinal);
        return at < 0 ? new(key, entry) : new(key[..(at + listing.Delimiter.Length)], null);
    }

    // The directory that the prefix names is an object of that key, if somebody made it.
    async Task<ListedName?> FindOwnAsync(ObjectListing listing, CancellationToken cancellationToken)
    {
        if (!listing.Prefix.EndsWith('/')) return null;
        FilePath path;
        try
        {
            path = S3Request.PathOf(listing.Bucket, listing.Prefix);
        }
        catch (S3Exception)
        {
            return null; // Nothing can have this name.
        }

        var entry = await names.StatAsync(customer, path, cancellationToken);
        return entry is { Kind: NamespaceEntryKind.Directory, IsImplicit: false } ? new(listing.Prefix, entry) : null;
    }

    static ReadOnlyMemory<byte> Begin(ObjectListing listing, byte[] bucket, byte[] prefix)
    {
        if (listing.After is not { } token) return default;
        byte[] after = [.. bucket, .. Encoding.UTF8.GetBytes(token.Name)];
        // In front of the prefix is the beginning; at it, the directory of that name has been listed.
        var order = after.AsSpan().SequenceCompareTo(prefix);
        if (order < 0) return default;
        if (order == 0) return token.IsPrefix ? Behind(bucket, token.Name) : (byte[])[.. after, 0];
        if (listing.Delimiter == "/") return after;
        // Clients go on from the last line also by its name, and then it must not come again.
        var at = listing.Delimiter.Length == 0
            ? -1
            : token.Name.IndexOf(listing.Delimiter, Math.Min(listing.Prefix.Length, token.Name.Length), StringComparison.Ordinal);
        var isLine = at >= 0 && at + listing.Delimiter.Length == token.Name.Length;
        return token.IsPrefix || isLine ? Behind(bucket, token.Name) : after;
    }

    static byte[] Behind(byte[] bucket, string prefix) => [.. bucket, .. Encoding.UTF8.GetBytes(prefix), BehindAll];
}
