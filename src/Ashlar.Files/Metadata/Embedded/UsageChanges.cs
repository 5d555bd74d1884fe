using Ashlar.KeyValue;

namespace Ashlar.Files;

/// <summary>What a transaction changes of a customer's usage, for each directory of the root.</summary>
sealed class UsageChanges(CustomerId customer)
{
    readonly Dictionary<FilePath, Usage> changes = [];
    FilePath? removed;

    public Usage Total { get; private set; }

    /// <summary>Bytes of blocks whose pins the transaction takes back.</summary>
    public long UnpinnedBytes { get; set; }

    /// <summary>The upload that it makes a file of, which sends nothing more; 0 for none.</summary>
    public ulong Upload { get; set; }

    /// <summary>Parts that it takes away.</summary>
    public long EndedParts { get; set; }

    /// <summary>Whether the transaction ends an upload.</summary>
    public bool EndsUpload { get; set; }

    public UsageChanges AddFile(FilePath path, long sizeBytes) => Add(BucketOf(path), new(sizeBytes, 1, 0));

    public UsageChanges RemoveFile(FilePath path, long sizeBytes) => Add(BucketOf(path), new(-sizeBytes, -1, 0));

    public UsageChanges AddDirectory(FilePath path) => Add(path.Bucket, new(0, 0, 1));

    public UsageChanges RemoveDirectory(FilePath path)
    {
        // With a directory of the root all parts of its counts go. Nobody counts in it meanwhile: it is empty, and latched.
        if (path.Parent.IsRoot) removed = path;
        return Add(path.Bucket, new(0, 0, -1));
    }

    /// <summary>Adds the parts of the counts that this writer keeps, as they will be.</summary>
    public void AddRows(WriteBatch batch, byte writer, KeyValueStore store)
    {
        foreach (var (bucket, change) in changes)
        {
            if (change == default) continue;
            if (bucket == removed)
            {
                using var parts = store.Scan(KeyRange.Prefix(MetadataKeys.Usages(customer, bucket)));
                while (parts.MoveNext()) batch.Delete(parts.Key);
                continue;
            }

            var key = MetadataKeys.Usage(customer, bucket, writer);
            var part = change + (store.Get(key) is { } row ? Rows.ReadUsage(key, row) : default);
            // Parts may be negative: what one writer counted another may take off.
            if (part == default) batch.Delete(key);
            else batch.Put(key, Rows.Write(part));
        }
    }

    // Files of the root itself count for no directory of it.
    static FilePath BucketOf(FilePath file) => file.Parent.IsRoot ? FilePath.Root : file.Bucket;

    UsageChanges Add(FilePath bucket, Usage change)
    {
        changes[bucket] = changes.GetValueOrDefault(bucket) + change;
        Total += change;
        return this;
    }
}
