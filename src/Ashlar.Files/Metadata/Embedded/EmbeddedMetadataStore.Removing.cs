using Ashlar.KeyValue;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    /// <summary>Removes a name, in one transaction with the implicit directories above it that become empty.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="path">The name.</param>
    /// <param name="made">What the same transaction makes, if anything: its directories stay.</param>
    /// <param name="more">What it latches besides.</param>
    /// <param name="remove">
    /// Tests, behind the latches, whether the name may go, and adds what removes it; says whether it goes. Called again if more latches are
    /// needed.
    /// </param>
    async Task RemoveAsync(
        CustomerId customer, FilePath path, FilePath? made, (FilePath Path, bool IsExclusive)[] more,
        Func<WriteBatch, UsageChanges, bool> remove)
    {
        var account = accounts.Of(customer);
        // Withdrawn last, when the write is seen.
        using var removal = removals.Announce(customer, path);
        var depth = 0;
        while (true)
        {
            var wanted = ToRemove(customer, path, depth);
            foreach (var (other, isExclusive) in more) wanted.Path(customer, other, isExclusive);
            using var held = await latches.TakeAsync(wanted);
            var batch = new WriteBatch { MayUseReserve = made is null };
            var usage = new UsageChanges(customer);
            if (remove(batch, usage) && !TryPrune(batch, usage, removal, customer, path, made, ref depth)) continue;
            if (batch.Count > 0) await WriteAsync(account, batch, usage);
            return;
        }
    }

    /// <summary>
    /// Latches for who removes a name: the name alone, and as many of the directories above it as may become empty; the next one is shared,
    /// for who finds something else in it.
    /// </summary>
    static LatchSet ToRemove(CustomerId customer, FilePath path, int depth)
    {
        var wanted = new LatchSet().Path(customer, path, isExclusive: true);
        var directory = path.Parent;
        for (var i = 0; i <= depth && !directory.IsRoot; i++, directory = directory.Parent)
            wanted.Path(customer, directory, isExclusive: i < depth);
        return wanted;
    }

    /// <summary>
    /// Removes, with a name, the implicit directories above it that become empty. The caller has announced the name and holds the latches
    /// of <see cref="ToRemove"/>.
    /// </summary>
    /// <param name="batch">Gets what is removed.</param>
    /// <param name="usage">Counts it.</param>
    /// <param name="removal">Of the name.</param>
    /// <param name="customer">Whose.</param>
    /// <param name="path">The name.</param>
    /// <param name="made">What the same transaction makes, if anything: its directories stay.</param>
    /// <param name="depth">How many directories are latched alone; how many must be, if this is not enough.</param>
    /// <returns>Whether it is done; otherwise nothing is, and the latches are taken anew.</returns>
    bool TryPrune(
        WriteBatch batch, UsageChanges usage, Removals.Removal removal, CustomerId customer, FilePath path, FilePath? made, ref int depth)
    {
        var pruned = new List<FilePath>();
        var (last, directory) = (path, path.Parent);
        while (!directory.IsRoot && Find(customer, directory) is { IsImplicit: true })
        {
            if (made is not null && made.Bytes.Span.StartsWith(directory.ChildPrefix.Span)) break;
            if (witnesses.HasRemaining(customer, directory)) break;
            if (pruned.Count == depth)
            {
                depth++;
                removal.Add(directory);
                return false;
            }

            // What others have announced, and have not come to yet, is still there: they will look when they do.
            if (HasOther(customer, directory, last)) break;
            pruned.Add(directory);
            (last, directory) = (directory, directory.Parent);
        }

        foreach (var empty in pruned)
        {
            batch.Delete(MetadataKeys.Directory(customer, empty));
            usage.RemoveDirectory(empty);
        }

        return true;
    }

    bool HasChildren(CustomerId customer, FilePath path)
    {
        var key = MetadataKeys.Directory(customer, path);
        return Exists(KeyRange.Between([.. key, 0], KeyRange.Prefix(key).End));
    }

    // Whether a directory has anything in it but one name, and what that has in it.
    bool HasOther(CustomerId customer, FilePath directory, FilePath name)
    {
        var key = MetadataKeys.Directory(customer, directory);
        var file = MetadataKeys.File(customer, name);
        var end = KeyRange.Prefix(key).End;
        return Exists(KeyRange.Between([.. key, 0], file))
            || Exists(KeyRange.Between([.. file, 0], MetadataKeys.Directory(customer, name)))
            || Exists(KeyRange.Between(KeyRange.Prefix(MetadataKeys.Directory(customer, name)).End, end));
    }
}
