namespace Ashlar.Simulation;

/// <summary>
/// Files of which the page cache holds, since a sync of them failed, what the medium does not, and counts it as written: it can be read
/// until it is dropped from the cache, and no sync writes it unless its page is written again.
/// </summary>
sealed class ForgottenPages
{
    readonly Dictionary<int, FileNode> onMedium = [];
    readonly HashSet<(int Node, long Page)> dirty = [];

    /// <summary>A file of which a sync was forgotten.</summary>
    /// <param name="node">The file.</param>
    /// <param name="content">What the medium has of it.</param>
    public void Add(int node, FileNode content) => onMedium[node] = content.Clone();

    /// <summary>Follows what happens to the files after that.</summary>
    public void Note(DiskEvent change, DiskImage image)
    {
        switch (change)
        {
            case DiskEvent.Write write when onMedium.ContainsKey(write.Node):
                Touch(write.Node, write.Offset, write.Data.Length);
                break;
            case DiskEvent.PunchHole punch when onMedium.ContainsKey(punch.Node):
                Touch(punch.Node, punch.Offset, punch.Length);
                break;
            case DiskEvent.Sync sync when onMedium.TryGetValue(sync.Node, out var medium):
                foreach (var page in dirty.Where(page => page.Node == sync.Node)) Copy(image.Files[sync.Node], medium, page.Page);
                dirty.RemoveWhere(page => page.Node == sync.Node);
                break;
            default:
                break;
        }
    }

    /// <summary>What a range shows when its pages are read from the medium again: pieces that differ, page by page.</summary>
    public IEnumerable<DiskEvent.Reread> Drop(int node, FileNode cached, long offset, long length)
    {
        if (!onMedium.TryGetValue(node, out var medium)) yield break;
        var end = Math.Min(cached.LengthBytes, offset + length);
        for (var page = (offset + Page.SizeBytes - 1) / Page.SizeBytes; (page + 1) * Page.SizeBytes <= end; page++)
        {
            if (dirty.Contains((node, page))) continue;
            var (shown, held) = (new byte[Page.SizeBytes], new byte[Page.SizeBytes]);
            cached.Copy(shown, page * Page.SizeBytes);
            medium.Copy(held, page * Page.SizeBytes);
            if (!shown.AsSpan().SequenceEqual(held)) yield return new DiskEvent.Reread(node, page * Page.SizeBytes, held);
        }
    }

    void Touch(int node, long offset, long length)
    {
        for (var page = offset / Page.SizeBytes; page * Page.SizeBytes < offset + length; page++) dirty.Add((node, page));
    }

    static void Copy(FileNode from, FileNode to, long page)
    {
        var bytes = new byte[Page.SizeBytes];
        from.Copy(bytes, page * Page.SizeBytes);
        to.PutBytes(bytes, page * Page.SizeBytes);
    }
}
