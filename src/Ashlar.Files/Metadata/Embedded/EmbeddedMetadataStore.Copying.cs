using Ashlar.KeyValue;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    /// <inheritdoc />
    public async Task<NamespaceEntry> CopyFileAsync(
        CustomerId customer, FilePath from, FilePath to, FileCopy copy, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(copy);
        ArgumentOutOfRangeException.ThrowIfZero(copy.UploadId, nameof(copy));
        if (copy.Tag is { } tag) CheckTag(tag, nameof(copy));
        cancellationToken.ThrowIfCancellationRequested();
        var account = accounts.Of(customer);
        while (true)
        {
            var missing = FindMissing(customer, to, copy.CreateParents);
            using var held = await latches.TakeAsync(ToMake(customer, to, missing)
                .Path(customer, from, isExclusive: false)
                .Intent(customer, copy.UploadId, isExclusive: true));
            RequireCustomer(customer);
            if (FindFree(customer, copy.UploadId, to) is { } done) return done;
            if (!missing.SequenceEqual(FindMissing(customer, to, copy.CreateParents))) continue;
            var source = RequireFile(customer, from);
            RequireTag(from, copy.IfTag, source.Tag);
            var batch = new WriteBatch();
            var usage = new UsageChanges(customer).AddFile(to, source.SizeBytes);
            MakeRoom(batch, usage, customer, to, copy.Condition, missing);
            var now = Wall;
            var entry = source with
            {
                Path = to,
                FileId = copy.UploadId,
                Tag = copy.Tag ?? source.Tag,
                CreatedAt = now,
                UpdatedAt = now,
            };
            var row = RequireRow(MetadataKeys.FileRow(customer, source.FileId));
            batch.Put(MetadataKeys.File(customer, to), Files.Rows.Write(entry));
            var properties = copy.Properties?.Beside(row.Properties) ?? row.Properties;
            batch.Put(
                MetadataKeys.FileRow(customer, copy.UploadId),
                (row with { Path = to, CreatedAt = now, Properties = properties }).Write());
            CopyBlockList(batch, customer, source.FileId, copy.UploadId);
            await WriteAsync(account, batch, usage);
            return entry;
        }
    }

    // The blocks are not latched. The source is: until this is written its references keep them, and from then on those of the copy do.
    void CopyBlockList(WriteBatch batch, CustomerId customer, ulong from, ulong to)
    {
        var seen = new HashSet<BlockName>();
        using var pages = store.Scan(KeyRange.Prefix(MetadataKeys.BlockList(customer, from)));
        while (pages.MoveNext())
        {
            batch.Put(MetadataKeys.BlockList(customer, to, (long)MetadataKeys.WordAt(pages.Key, 2)), pages.Value);
            foreach (var block in BlockListPage.Read(pages.Key, pages.Value))
            {
                if (seen.Add(block.Name)) batch.Put(MetadataKeys.Reference(customer, block.Name, to), []);
            }
        }
    }

    /// <summary>The file of a number at a path; null if the number is free.</summary>
    /// <exception cref="UploadIdInUseException">It is another's.</exception>
    NamespaceEntry? FindFree(CustomerId customer, ulong id, FilePath path)
    {
        if (FindCommitted(customer, id) is { } done) return done.Path == path ? done : throw new UploadIdInUseException(customer, id);
        return FindIntent(customer, id) is null ? null : throw new UploadIdInUseException(customer, id);
    }
}
