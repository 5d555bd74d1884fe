namespace Ashlar.Volumes;

/// <summary>
/// The leaves of one volume that are in memory: a radix tree of two levels, read without locks. A page covers 1 GiB of the
/// volume and stays once it was touched.
/// </summary>
sealed class LeafTable
{
    public const int LeavesPerPage = 1024;

    readonly Lock growing = new();
    Leaf?[]?[] pages = [];

    public Leaf? Find(long index)
    {
        var directory = Volatile.Read(ref pages);
        var page = index / LeavesPerPage;
        if (page >= directory.Length) return null;
        var leaves = Volatile.Read(ref directory[page]);
        return leaves is null ? null : Volatile.Read(ref leaves[index % LeavesPerPage]);
    }

    public void Set(long index, Leaf leaf) => Volatile.Write(ref Page(index / LeavesPerPage)[index % LeavesPerPage], leaf);

    /// <summary>Takes a leaf out, unless another has replaced it.</summary>
    public void Remove(Leaf leaf) =>
        Interlocked.CompareExchange(ref Page(leaf.Index / LeavesPerPage)[leaf.Index % LeavesPerPage], null, leaf);

    /// <summary>The leaves of a page, or nothing when none of them was ever in memory.</summary>
    public ReadOnlySpan<Leaf?> FindPage(long page)
    {
        var directory = Volatile.Read(ref pages);
        return page < directory.Length ? Volatile.Read(ref directory[page]) : null;
    }

    /// <summary>The first page, from one on, that has a leaf in memory; -1 when there is none.</summary>
    public long FindNextPage(long page)
    {
        var directory = Volatile.Read(ref pages);
        for (; page < directory.Length; page++)
            if (Volatile.Read(ref directory[page]) is { } leaves && Array.Exists(leaves, static leaf => leaf is not null)) return page;
        return -1;
    }

    Leaf?[] Page(long page)
    {
        var directory = Volatile.Read(ref pages);
        if (page < directory.Length && Volatile.Read(ref directory[page]) is { } leaves) return leaves;
        lock (growing)
        {
            directory = pages;
            if (page >= directory.Length)
            {
                Array.Resize(ref directory, checked((int)Math.Max(page + 1, directory.Length * 2L)));
                Volatile.Write(ref pages, directory);
            }

            if (directory[page] is null) Volatile.Write(ref directory[page], new Leaf?[LeavesPerPage]);
            return directory[page]!;
        }
    }
}
