namespace Ashlar.Simulation;

/// <summary>Content of a simulated file. A missing page is a hole. What lies beyond the length is not readable.</summary>
sealed class FileNode
{
    object token = new();
    Page?[] pages = [];
    int occupiedPages;

    public long LengthBytes { get; private set; }

    /// <summary>Handles that are open; a file without a name lives on for them.</summary>
    public int OpenHandles { get; set; }

    /// <summary>Whether a directory still names the file.</summary>
    public bool HasName { get; set; } = true;

    public long AllocatedBytes => (long)occupiedPages * Page.SizeBytes;

    /// <summary>A copy that shares the pages; from now on both copy a page before they change it.</summary>
    public FileNode Clone()
    {
        token = new object();
        return new FileNode { pages = (Page?[])pages.Clone(), occupiedPages = occupiedPages, LengthBytes = LengthBytes };
    }

    public int Read(Span<byte> destination, long offset)
    {
        var count = (int)Math.Clamp(LengthBytes - offset, 0, destination.Length);
        Copy(destination[..count], offset);
        return count;
    }

    /// <summary>Pages that a write or a reservation of this range would newly occupy.</summary>
    public int CountNewPages(long offset, long length)
    {
        var count = 0;
        for (var index = offset / Page.SizeBytes; index * Page.SizeBytes < offset + length; index++)
        {
            if (index >= pages.Length || pages[index] is null) count++;
        }

        return count;
    }

    /// <summary>Where a write that begins at an offset would need a page beyond so many new ones.</summary>
    public long OffsetOfNewPage(long offset, long newPages)
    {
        for (var index = offset / Page.SizeBytes; ; index++)
        {
            if (index < pages.Length && pages[index] is not null) continue;
            if (newPages-- == 0) return Math.Max(offset, index * Page.SizeBytes);
        }
    }

    public void Write(ReadOnlySpan<byte> source, long offset)
    {
        if (source.IsEmpty) return;
        PutBytes(source, offset);
        GrowTo(offset + source.Length);
    }

    /// <summary>Changes bytes but not the length: what lies beyond it appears once the file grows.</summary>
    public void PutBytes(ReadOnlySpan<byte> source, long offset)
    {
        EnsurePages(offset + source.Length);
        while (!source.IsEmpty)
        {
            var (index, start) = Math.DivRem(offset, Page.SizeBytes);
            var count = (int)Math.Min(Page.SizeBytes - start, source.Length);
            var page = pages[index] = Occupy(index).Own(token);
            source[..count].CopyTo(page.Bytes.AsSpan((int)start));
            source = source[count..];
            offset += count;
        }
    }

    /// <summary>Bytes whatever the length is; what is not there reads as zeros.</summary>
    public void Copy(Span<byte> destination, long offset)
    {
        while (!destination.IsEmpty)
        {
            var (index, start) = Math.DivRem(offset, Page.SizeBytes);
            var count = (int)Math.Min(Page.SizeBytes - start, destination.Length);
            var page = index < pages.Length ? pages[index] : null;
            (page ?? Page.Zero).Bytes.AsSpan((int)start, count).CopyTo(destination);
            destination = destination[count..];
            offset += count;
        }
    }

    public void SetLength(long length)
    {
        if (length < LengthBytes) Clear(length, pages.LongLength * Page.SizeBytes);
        LengthBytes = length;
    }

    public void GrowTo(long length) => LengthBytes = Math.Max(LengthBytes, length);

    /// <summary>Makes what lies beyond the length zeros, as a file's first reader after a crash must find it.</summary>
    public void ClearBeyondLength() => Clear(LengthBytes, pages.LongLength * Page.SizeBytes);

    public void Allocate(long offset, long length)
    {
        EnsurePages(offset + length);
        for (var index = offset / Page.SizeBytes; index * Page.SizeBytes < offset + length; index++)
            pages[index] = Occupy(index);
        GrowTo(offset + length);
    }

    /// <summary>Zeros within the pages the file has; whole pages become holes.</summary>
    public void PunchHole(long offset, long length) =>
        Clear(offset, Math.Min(offset + length, pages.LongLength * Page.SizeBytes));

    public void AddTo(ref ContentHash hash)
    {
        hash.Add((ulong)LengthBytes, 0);
        for (var index = 0; index < pages.Length; index++)
        {
            // Holes and written zeros read the same, so they count the same.
            if (pages[index] is not { } page || page.Hash == Page.Zero.Hash) continue;
            hash.Add((ulong)index, 1);
            hash.Add(page.Hash);
        }
    }

    void Clear(long start, long end)
    {
        while (start < end)
        {
            var (index, first) = Math.DivRem(start, Page.SizeBytes);
            var count = (int)Math.Min(Page.SizeBytes - first, end - start);
            if (count == Page.SizeBytes)
            {
                if (pages[index] is not null) occupiedPages--;
                pages[index] = null;
            }
            else if (pages[index] is { } page && page != Page.Zero)
            {
                pages[index] = page.Own(token);
                pages[index]!.Bytes.AsSpan((int)first, count).Clear();
            }

            start += count;
        }
    }

    Page Occupy(long index)
    {
        if (pages[index] is { } page) return page;
        occupiedPages++;
        return Page.Zero;
    }

    void EnsurePages(long end)
    {
        var needed = checked((int)((end + Page.SizeBytes - 1) / Page.SizeBytes));
        if (needed > pages.Length) Array.Resize(ref pages, Math.Max(needed, Math.Min(2 * pages.Length, pages.Length + 4096)));
    }
}
