using Ashlar.KeyValue;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    /// <summary>
    /// Latches for who makes a name: the name alone, the deepest directory above it that is there shared, and those that are missing alone.
    /// The directory that is shared is not written: any number make names in one at a time. Who removes it needs it alone.
    /// </summary>
    static LatchSet ToMake(CustomerId customer, FilePath path, List<FilePath> missing)
    {
        var wanted = new LatchSet()
            .Customer(customer, isExclusive: false)
            .Path(customer, (missing.Count > 0 ? missing[0] : path).Parent, isExclusive: false)
            .Path(customer, path, isExclusive: true);
        foreach (var directory in missing) wanted.Path(customer, directory, isExclusive: true);
        return wanted;
    }

    /// <summary>
    /// Directories that are missing above a path, from the top; without those of the root, which are made by name. It is looked for before
    /// the latches, and again behind them: where that differs they are taken anew.
    /// </summary>
    List<FilePath> FindMissing(CustomerId customer, FilePath path, bool createParents)
    {
        var missing = new List<FilePath>();
        if (!createParents) return missing;
        for (var directory = path.Parent; !directory.IsRoot && !directory.Parent.IsRoot; directory = directory.Parent)
        {
            if (Find(customer, directory) is not null) break;
            missing.Add(directory);
        }

        missing.Reverse();
        return missing;
    }

    void MakeParents(WriteBatch batch, UsageChanges usage, CustomerId customer, FilePath path, List<FilePath> missing)
    {
        RequireDirectory(customer, (missing.Count > 0 ? missing[0] : path).Parent);
        var now = Wall;
        foreach (var directory in missing)
        {
            var entry = new NamespaceEntry
            {
                Path = directory,
                Kind = NamespaceEntryKind.Directory,
                IsImplicit = true,
                CreatedAt = now,
                UpdatedAt = now,
            };
            batch.Put(MetadataKeys.Directory(customer, directory), Files.Rows.Write(entry));
            usage.AddDirectory(directory);
        }
    }

    /// <summary>Tests whether a file may take a name, makes what is missing above it, and removes the one that it replaces.</summary>
    void MakeRoom(
        WriteBatch batch, UsageChanges usage, CustomerId customer, FilePath path, CommitCondition condition, List<FilePath> missing)
    {
        if (path.IsRoot) throw new NotAFileException(path);
        MakeParents(batch, usage, customer, path, missing);
        var present = Find(customer, path);
        if (present is not null && !condition.MayReplace) throw new PathExistsException(path, present.Kind);
        if (present?.Kind == NamespaceEntryKind.Directory) throw new NotAFileException(path);
        RequireTag(path, condition.IfTag, present?.Tag);
        if (present is null) return;
        RemoveFile(batch, customer, present);
        usage.RemoveFile(path, present.SizeBytes);
    }

    static void RequireTag(FilePath path, string? expected, string? found)
    {
        if (expected is null || expected == found || (expected == CommitCondition.AnyTag && found is not null)) return;
        throw new TagMismatchException(path, expected, found);
    }
}
