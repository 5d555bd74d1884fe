using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

// What changes files, in memory; how it gets to the device is in BlockFileSystem.Commit.cs.
public sealed partial class BlockFileSystem
{
    const int PieceBytes = 256 * 1024; // Written under one lock.

    static readonly byte[] Zeros = new byte[64 * 1024];

    internal void Write(Inode inode, string path, ReadOnlySpan<byte> source, long offset)
    {
        RequireFileRange("pwrite", path, offset, source.Length);
        while (!source.IsEmpty)
        {
            var piece = source[..Math.Min(source.Length, PieceBytes - (int)(offset % PieceBytes))];
            WritePiece(inode, path, piece, offset);
            source = source[piece.Length..];
            offset += piece.Length;
            ReduceDirty(inode, path);
        }
    }

    internal void SetLength(Inode inode, string path, long length)
    {
        RequireFileRange("ftruncate", path, length, 0);
        while (true)
        {
            long missing;
            lock (gate)
            {
                RequireWritable("ftruncate", path);
                if (length <= inode.LengthBytes)
                {
                    if (length < inode.LengthBytes) Cut(inode, length);
                    return;
                }

                missing = FindNeededToExtend(inode);
                if (missing < 0)
                {
                    Extend(inode, length);
                    return;
                }
            }

            LoadPage(inode, path, missing);
        }
    }

    internal void Allocate(Inode inode, string path, long offset, long length)
    {
        RequireFileRange("fallocate", path, offset, length);
        var end = offset + length;
        var mayRelease = true;
        while (true)
        {
            long missing = -1;
            lock (gate)
            {
                RequireWritable("fallocate", path);
                var fits = CountHoles(inode, offset, end) <= units.Free;
                if (fits && end > inode.LengthBytes) missing = FindNeededToExtend(inode);
                if (fits && missing < 0)
                {
                    if (MapUnits(inode, offset, length) < length) throw NoSpace("fallocate", path, offset, length);
                    if (end > inode.LengthBytes) Extend(inode, end);
                    return;
                }
            }

            if (missing >= 0) LoadPage(inode, path, missing);
            else if (!mayRelease || !ReleasePending()) throw NoSpace("fallocate", path, offset, length);
            else mayRelease = false;
        }
    }

    internal void PunchHole(Inode inode, string path, long offset, long length)
    {
        while (true)
        {
            long missing;
            lock (gate)
            {
                RequireWritable("fallocate", path);
                var end = Math.Min(length > long.MaxValue - offset ? long.MaxValue : offset + length, inode.LengthBytes);
                if (offset >= end) return;
                missing = FindNeeded(inode, offset, end);
                if (missing < 0)
                {
                    Punch(inode, offset, end);
                    break;
                }
            }

            LoadPage(inode, path, missing);
        }

        ReduceDirty(inode, path);
    }

    internal void ZeroRange(Inode inode, string path, long offset, long length)
    {
        length = Math.Min(length, LengthOf(inode) - offset);
        if (length <= 0)
        {
            lock (gate) RequireWritable("fallocate", path);
            return;
        }

        Allocate(inode, path, offset, length);
        for (long done = 0; done < length; done += Zeros.Length)
            Write(inode, path, Zeros.AsSpan(0, (int)Math.Min(Zeros.Length, length - done)), offset + done);
    }

    void WritePiece(Inode inode, string path, ReadOnlySpan<byte> piece, long offset)
    {
        var mayRelease = true;
        while (true)
        {
            long missing;
            lock (gate)
            {
                RequireWritable("pwrite", path);
                missing = FindNeeded(inode, offset, offset + piece.Length);
                if (missing < 0 && offset + piece.Length > inode.LengthBytes) missing = FindNeededToExtend(inode);
                if (missing < 0)
                {
                    // As a real disk: what fits is written before the rest is refused.
                    var fitting = (int)MapUnits(inode, offset, piece.Length);
                    if (fitting > 0) CopyIn(inode, piece[..fitting], offset);
                    if (fitting == piece.Length) return;
                    piece = piece[fitting..];
                    offset += fitting;
                }
            }

            if (missing >= 0) LoadPage(inode, path, missing);
            else if (!mayRelease || !ReleasePending()) throw NoSpace("pwrite", path, offset, piece.Length);
            else mayRelease = false;
        }
    }

    void CopyIn(Inode inode, ReadOnlySpan<byte> source, long offset)
    {
        var end = offset + source.Length;
        var before = inode.LengthBytes;
        if (end > before) Extend(inode, end);
        inode.WriteVersion++;
        while (!source.IsEmpty)
        {
            var (index, start) = Math.DivRem(offset, Region.PageBytes);
            var count = (int)Math.Min(Region.PageBytes - start, source.Length);
            if (!inode.Pages.TryGetValue(index, out var page))
            {
                // A part of a page that is on the device was loaded before, unless it is all that the file has there.
                Invariant.Require(
                    count == Region.PageBytes || index * Region.PageBytes >= before || (start == 0 && offset + count >= before)
                    || !inode.IsOnDevice(index, pagesPerUnit, out _));
                page = cache.Add(inode, index);
                if (count < Region.PageBytes) page.Bytes.AsSpan().Clear();
            }

            source[..count].CopyTo(page.Bytes.AsSpan((int)start));
            cache.MarkDirty(page);
            source = source[count..];
            offset += count;
        }
    }

    /// <summary>Gives the file what units it lacks in a range.</summary>
    /// <returns>For how many bytes of the range, from its beginning on, it has units now.</returns>
    long MapUnits(Inode inode, long offset, long length)
    {
        var last = (offset + length - 1) / unitBytes;
        for (var fileUnit = offset / unitBytes; fileUnit <= last;)
        {
            var (unit, count) = inode.Extents.Find(fileUnit);
            if (unit < 0)
            {
                if (metadataBytes + ChangeFormat.RangeBytes > log.MaxCheckpointBytes / 2
                    || TakeUnits(inode, fileUnit, Math.Min(count, last - fileUnit + 1)) is not { } taken)
                    return Math.Max(0, (fileUnit * unitBytes) - offset);
                count = taken;
            }

            fileUnit += Math.Min(count, last - fileUnit + 1);
        }

        return length;
    }

    long? TakeUnits(Inode inode, long fileUnit, long wanted)
    {
        var before = fileUnit > 0 ? inode.Extents.Find(fileUnit - 1).Unit : -1;
        if (units.Allocate(wanted, before >= 0 ? before + 1 : -1) is not { } run) return null;
        ChangeExtents(inode, extents => extents.Set(fileUnit, run));
        for (long i = 0; i < run.Count; i++) inode.Fresh.Add(fileUnit + i, 0);
        inode.Changes.AddRange(fileUnit, fileUnit + run.Count);
        inode.Changes.NeedsFlushBefore = true;
        return run.Count;
    }

    void GiveUpUnits(Inode inode, long fileUnit, long end)
    {
        ChangeExtents(inode, extents => extents.Clear(fileUnit, end - fileUnit, run =>
        {
            rules.GiveUp(units, inode.Changes.Freed, run);
            pendingUnits += run.Count;
        }));
        inode.Changes.AddRange(fileUnit, end);
        foreach (var page in inode.Pages.Values.Where(page => IsWithin(page.Index / pagesPerUnit)).ToArray()) cache.Drop(page);
        foreach (var fresh in inode.Fresh.Keys.Where(IsWithin).ToArray()) inode.Fresh.Remove(fresh);

        bool IsWithin(long unit) => unit >= fileUnit && unit < end;
    }

    void ChangeExtents(Inode inode, Action<ExtentMap> change)
    {
        var before = inode.Extents.Extents.Count;
        change(inode.Extents);
        metadataBytes += (inode.Extents.Extents.Count - before) * ChangeFormat.RangeBytes;
    }

    // What an earlier, longer life of the file may have left behind its end becomes zeros before the file is longer again, at once up to
    // the end of the unit: so the next appends need no flush before their record.
    void Extend(Inode inode, long length)
    {
        Invariant.Require(length > inode.LengthBytes);
        if (inode.StaleEnd > inode.LengthBytes)
        {
            for (var index = inode.LengthBytes / Region.PageBytes; index * Region.PageBytes < inode.StaleEnd; index++)
            {
                if (!inode.Pages.TryGetValue(index, out var page))
                {
                    if (!inode.IsOnDevice(index, pagesPerUnit, out _)) continue;
                    Invariant.Require(index * Region.PageBytes >= inode.LengthBytes); // Or it was loaded.
                    page = cache.Add(inode, index);
                    page.Bytes.AsSpan().Clear();
                }

                cache.MarkDirty(page);
            }

            inode.StaleEnd = 0;
            inode.Changes.NeedsFlushBefore = true;
        }

        inode.LengthBytes = length;
        inode.WriteVersion++;
        inode.Changes.HasAny = true;
    }

    void Cut(Inode inode, long length)
    {
        var kept = (length + unitBytes - 1) / unitBytes;
        if (inode.Extents.Extents is [.., var last] && last.FileEnd > kept) GiveUpUnits(inode, kept, last.FileEnd);
        foreach (var page in inode.Pages.Values.Where(page => page.Index * Region.PageBytes >= length).ToArray()) cache.Drop(page);
        inode.LengthBytes = length;
        inode.StaleEnd = kept * unitBytes;
        if (inode.Pages.TryGetValue(length / Region.PageBytes, out var lastPage)) ClearBeyondEnd(lastPage, length);
        inode.Changes.HasAny = true;
        inode.MapVersion++;
        inode.WriteVersion++;
    }

    void Punch(Inode inode, long offset, long end)
    {
        var first = (offset + unitBytes - 1) / unitBytes;
        var stop = end == inode.LengthBytes ? (end + unitBytes - 1) / unitBytes : end / unitBytes;
        if (first < stop)
        {
            ZeroPages(inode, offset, first * unitBytes);
            if (inode.Extents.Extents is [.., var last] && last.FileEnd > first) GiveUpUnits(inode, first, Math.Min(stop, last.FileEnd));
            ZeroPages(inode, stop * unitBytes, end);
        }
        else
        {
            ZeroPages(inode, offset, end);
        }

        inode.MapVersion++;
        inode.WriteVersion++;
    }

    void ZeroPages(Inode inode, long offset, long end)
    {
        while (offset < end)
        {
            var (index, start) = Math.DivRem(offset, Region.PageBytes);
            var count = (int)Math.Min(Region.PageBytes - start, end - offset);
            if (inode.Pages.TryGetValue(index, out var page) || inode.IsOnDevice(index, pagesPerUnit, out _))
            {
                if (page is null)
                {
                    page = cache.Add(inode, index);
                    page.Bytes.AsSpan().Clear(); // Parts were loaded before: nothing but the file's last page is cleared beyond its end.
                }

                page.Bytes.AsSpan((int)start, count).Clear();
                cache.MarkDirty(page);
            }

            offset += count;
        }
    }

    /// <summary>The first page of which a range covers a part only, and which is on the device and not in memory; -1 if there is
    /// none.</summary>
    long FindNeeded(Inode inode, long offset, long end)
    {
        if (offset % Region.PageBytes != 0 && IsNeeded(offset / Region.PageBytes)) return offset / Region.PageBytes;
        if (end % Region.PageBytes != 0 && end < inode.LengthBytes && IsNeeded(end / Region.PageBytes)) return end / Region.PageBytes;
        return -1;

        bool IsNeeded(long page) =>
            page * Region.PageBytes < inode.LengthBytes && !inode.Pages.ContainsKey(page) && inode.IsOnDevice(page, pagesPerUnit, out _);
    }

    // The page in which the file ends, if what lies behind its end on the device may not be zeros.
    long FindNeededToExtend(Inode inode) =>
        inode.StaleEnd > inode.LengthBytes ? FindNeeded(inode, inode.LengthBytes, inode.LengthBytes) : -1;

    long CountHoles(Inode inode, long offset, long end)
    {
        long holes = 0;
        var last = (end - 1) / unitBytes;
        for (var fileUnit = offset / unitBytes; fileUnit <= last;)
        {
            var (unit, count) = inode.Extents.Find(fileUnit);
            count = Math.Min(count, last - fileUnit + 1);
            if (unit < 0) holes += count;
            fileUnit += count;
        }

        return holes;
    }

    void LoadPage(Inode inode, string path, long index)
    {
        MissingRun missing;
        lock (gate) missing = FindMissing(inode, index, 1);
        if (missing.Pages == 0) return;
        var buffer = new byte[Region.PageBytes];
        ReadRegion("pread", path, missing, buffer);
        lock (gate) Keep(inode, missing, buffer);
    }

    static void RequireFileRange(string operation, string path, long offset, long length)
    {
        if (offset > MetadataImage.MaxFileBytes || length > MetadataImage.MaxFileBytes - offset)
            throw StorageException.FromErrno(operation, path, Errno.FileTooLarge, $"{length} bytes at {offset}");
    }

    static StorageException NoSpace(string operation, string path, long offset, long length) =>
        StorageException.FromErrno(operation, path, Errno.NoSpace, $"{length} bytes at {offset}");
}
