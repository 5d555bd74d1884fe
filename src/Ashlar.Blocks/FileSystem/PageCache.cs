using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

/// <summary>
/// Counts pages and forgets those that have not been used for longest, but never one whose content is not on the device. Its owner lets in
/// one caller at a time.
/// </summary>
sealed class PageCache(long maxCleanBytes, long maxDirtyBytes)
{
    readonly long maxClean = Math.Max(16, maxCleanBytes / Region.PageBytes);
    readonly long maxDirty = Math.Max(16, maxDirtyBytes / Region.PageBytes);
    CachedPage? newest; // Clean pages only.
    CachedPage? oldest;
    CachedPage? spare;
    long clean;
    long dirty;

    public bool HasTooManyDirty => dirty > maxDirty;

    /// <summary>A page of a file, which did not have it; its content is undefined, and it counts as neither clean nor dirty yet.</summary>
    public CachedPage Add(Inode owner, long index)
    {
        var page = spare ?? new CachedPage();
        spare = page.Older;
        page.Older = null;
        (page.Owner, page.Index) = (owner, index);
        owner.Pages.Add(index, page);
        return page;
    }

    public void MarkDirty(CachedPage page)
    {
        if (page.IsDirty) return;
        if (!page.IsBeingWritten && IsListed(page)) Unlist(page);
        page.IsDirty = true;
        dirty++;
        page.Owner!.Dirty.Add(page.Index);
    }

    /// <summary>It goes to the device now.</summary>
    public void BeginWrite(CachedPage page)
    {
        Invariant.Require(page.IsDirty && !page.IsBeingWritten);
        page.IsDirty = false;
        page.IsBeingWritten = true;
        dirty--;
    }

    /// <summary>It is there, or will have to go there again.</summary>
    public void EndWrite(CachedPage page, bool isWritten)
    {
        page.IsBeingWritten = false;
        if (page.Owner is null) Recycle(page); // The file gave it up meanwhile.
        else if (!isWritten) MarkDirty(page);
        else if (!page.IsDirty) MarkClean(page);
    }

    /// <summary>Its content is what the device has.</summary>
    public void MarkClean(CachedPage page)
    {
        Invariant.Require(!page.IsDirty && !page.IsBeingWritten);
        page.Older = newest;
        if (newest is not null) newest.Newer = page;
        newest = page;
        oldest ??= page;
        clean++;
        while (clean > maxClean) Drop(oldest!);
    }

    public void Touch(CachedPage page)
    {
        if (page == newest || !IsListed(page)) return;
        Unlist(page);
        MarkClean(page);
    }

    /// <summary>Forgets a page, dirty or not.</summary>
    public void Drop(CachedPage page)
    {
        page.Owner!.Pages.Remove(page.Index);
        if (page.IsDirty) dirty--;
        else if (!page.IsBeingWritten && IsListed(page)) Unlist(page);
        page.IsDirty = false;
        page.Owner = null;
        if (!page.IsBeingWritten) Recycle(page);
    }

    void Recycle(CachedPage page)
    {
        page.Newer = null;
        page.Older = spare;
        spare = page;
    }

    bool IsListed(CachedPage page) => !page.IsDirty && !page.IsBeingWritten && (page == newest || page.Newer is not null);

    void Unlist(CachedPage page)
    {
        if (page.Newer is not null) page.Newer.Older = page.Older;
        else newest = page.Older;
        if (page.Older is not null) page.Older.Newer = page.Newer;
        else oldest = page.Newer;
        page.Newer = page.Older = null;
        clean--;
    }
}
