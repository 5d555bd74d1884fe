using System.Buffers;
using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

// Reading, and what is kept of it in memory.
public sealed partial class BlockFileSystem
{
    const int MaxRunPages = 64; // Read at once.
    const int MaxKeptPages = 16; // Longer runs are read once, by those who read everything: they would only push out the rest.
    const int MaxPrefetches = 8;
    const long MaxPrefetchBytes = 1 << 20;

    int prefetches;

    internal long LengthOf(Inode inode)
    {
        lock (gate) return inode.LengthBytes;
    }

    internal long AllocatedOf(Inode inode)
    {
        lock (gate) return inode.Extents.Units * unitBytes;
    }

    internal int Read(Inode inode, string path, Span<byte> destination, long offset)
    {
        var done = 0;
        while (done < destination.Length)
        {
            MissingRun missing;
            lock (gate)
            {
                RequireOpen();
                var copied = CopyCached(inode, destination[done..], offset + done, out missing);
                done += copied;
                if (missing.Pages == 0) return done;
                if (copied > 0) continue;
            }

            var bytes = missing.Pages * Region.PageBytes;
            var buffer = ArrayPool<byte>.Shared.Rent(bytes);
            try
            {
                ReadRegion("pread", path, missing, buffer.AsMemory(0, bytes));
                lock (gate)
                {
                    if (!Keep(inode, missing, buffer)) continue; // Units were taken away: what was read may be of another file.
                    done += CopyPages(missing, buffer, destination[done..], offset + done);
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }

        return done;
    }

    // What the device has at hand comes at once; otherwise it is on its way when the caller comes again.
    internal bool TryReadCached(Inode inode, Span<byte> destination, long offset, out int bytesRead)
    {
        bytesRead = 0;
        while (true)
        {
            MissingRun missing;
            lock (gate)
            {
                RequireOpen();
                bytesRead += CopyCached(inode, destination[bytesRead..], offset + bytesRead, out missing);
                if (missing.Pages == 0) return true;
            }

            var buffer = new byte[missing.Pages * Region.PageBytes];
            try
            {
                var pending = region.ReadAsync(missing.Position, buffer);
                if (!pending.IsCompleted)
                {
                    _ = KeepLaterAsync(pending, inode, missing, buffer);
                    return false;
                }

                pending.GetAwaiter().GetResult();
            }
            catch (AshlarException)
            {
                return false; // Whoever reads it is told.
            }

            lock (gate)
            {
                if (Keep(inode, missing, buffer))
                    bytesRead += CopyPages(missing, buffer, destination[bytesRead..], offset + bytesRead);
            }
        }
    }

    internal void Prefetch(Inode inode, long offset, long length)
    {
        lock (gate)
        {
            length = Math.Min(Math.Min(length, MaxPrefetchBytes), inode.LengthBytes - offset);
            if (isClosed || length <= 0 || prefetches == MaxPrefetches) return;
            prefetches++;
        }

        WorkerThreads.Blocking.Post(
            static work => work.Disk.Fetch(work.Inode, work.Offset, work.Length), new PrefetchWork(this, inode, offset, length));
    }

    internal void DropCached(Inode inode, long offset, long length)
    {
        var dropped = new List<(long Position, long Length)>();
        lock (gate)
        {
            var end = PageEnd(Math.Min(length > long.MaxValue - offset ? long.MaxValue : offset + length, inode.LengthBytes));
            for (var page = offset / Region.PageBytes; page < end; page++)
            {
                if (inode.Pages.TryGetValue(page, out var cached))
                {
                    if (cached.IsDirty || cached.IsBeingWritten) continue;
                    cache.Drop(cached);
                }

                if (inode.IsOnDevice(page, pagesPerUnit, out var unit)) dropped.Add((PositionOf(unit, page), Region.PageBytes));
            }

            inode.WriteVersion++; // What is being read just now is not kept.
        }

        foreach (var (position, bytes) in dropped) region.DropCached(position, bytes);
    }

    void Fetch(Inode inode, long offset, long length)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxKeptPages * Region.PageBytes);
        try
        {
            for (var page = offset / Region.PageBytes; page * Region.PageBytes < offset + length; page++)
            {
                MissingRun missing;
                lock (gate)
                {
                    if (isClosed) return;
                    missing = FindMissing(inode, page, Math.Min(MaxKeptPages, PageEnd(offset + length) - page));
                }

                if (missing.Pages == 0) continue;
                region.Read(missing.Position, buffer.AsMemory(0, missing.Pages * Region.PageBytes));
                lock (gate) Keep(inode, missing, buffer);
                page += missing.Pages - 1;
            }
        }
        catch (Exception e) when (e is StorageException or ObjectDisposedException)
        {
            // Whoever reads it is told.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            lock (gate) prefetches--;
        }
    }

    async Task KeepLaterAsync(ValueTask pending, Inode inode, MissingRun missing, byte[] buffer)
    {
        try
        {
            await pending.ConfigureAwait(false);
            lock (gate) Keep(inode, missing, buffer);
        }
        catch (AshlarException)
        {
            // Whoever reads it is told.
        }
        catch (ObjectDisposedException)
        {
            // The device was closed.
        }
    }

    /// <summary>Copies what is in memory or a hole, up to the first page that is neither.</summary>
    int CopyCached(Inode inode, Span<byte> destination, long offset, out MissingRun missing)
    {
        missing = default;
        var wanted = (int)Math.Clamp(inode.LengthBytes - offset, 0, destination.Length);
        var done = 0;
        while (done < wanted)
        {
            var (page, start) = Math.DivRem(offset + done, Region.PageBytes);
            var count = (int)Math.Min(Region.PageBytes - start, wanted - done);
            var target = destination.Slice(done, count);
            if (inode.Pages.TryGetValue(page, out var cached))
            {
                cached.Bytes.AsSpan((int)start, count).CopyTo(target);
                cache.Touch(cached);
            }
            else if (inode.IsOnDevice(page, pagesPerUnit, out _))
            {
                missing = FindMissing(inode, page, Math.Min(MaxRunPages, PageEnd(offset + wanted) - page));
                return done;
            }
            else
            {
                target.Clear();
            }

            done += count;
        }

        return done;
    }

    // Pages from one on that are on the device only, one behind the other.
    MissingRun FindMissing(Inode inode, long page, long limit)
    {
        var run = new MissingRun
        {
            FirstPage = page,
            MapVersion = inode.MapVersion,
            WriteVersion = inode.WriteVersion,
            Length = inode.LengthBytes,
        };
        while (run.Pages < limit
            && !inode.Pages.ContainsKey(page + run.Pages)
            && inode.IsOnDevice(page + run.Pages, pagesPerUnit, out var unit))
        {
            var position = PositionOf(unit, page + run.Pages);
            if (run.Pages == 0)
            {
                run.Position = position;
                limit = Math.Min(limit, region.ContiguousBytes(position) / Region.PageBytes);
            }
            else if (position != run.Position + ((long)run.Pages * Region.PageBytes))
            {
                break;
            }

            run.Pages++;
        }

        return run;
    }

    /// <summary>Takes pages that were read into memory, unless they have been written meanwhile.</summary>
    /// <returns>Whether they are still the file's.</returns>
    bool Keep(Inode inode, MissingRun read, ReadOnlySpan<byte> bytes)
    {
        if (inode.MapVersion != read.MapVersion) return false;
        if (inode.WriteVersion != read.WriteVersion || read.Pages > MaxKeptPages || isClosed) return true;
        for (var i = 0; i < read.Pages; i++)
        {
            if (inode.Pages.ContainsKey(read.FirstPage + i)) continue;
            var page = cache.Add(inode, read.FirstPage + i);
            bytes.Slice(i * Region.PageBytes, Region.PageBytes).CopyTo(page.Bytes);
            ClearBeyondEnd(page, inode.LengthBytes);
            cache.MarkClean(page);
        }

        return true;
    }

    static int CopyPages(MissingRun read, ReadOnlySpan<byte> bytes, Span<byte> destination, long offset)
    {
        var start = (int)(offset - (read.FirstPage * Region.PageBytes));
        var count = (int)Math.Min(Math.Min((read.Pages * Region.PageBytes) - start, read.Length - offset), destination.Length);
        bytes.Slice(start, count).CopyTo(destination);
        return count;
    }

    static void ClearBeyondEnd(CachedPage page, long lengthBytes)
    {
        var used = lengthBytes - (page.Index * Region.PageBytes);
        if (used < Region.PageBytes) page.Bytes.AsSpan((int)Math.Max(0, used)).Clear();
    }

    void ReadRegion(string operation, string path, MissingRun run, Memory<byte> destination)
    {
        try
        {
            region.Read(run.Position, destination);
        }
        catch (StorageException e)
        {
            throw Region.Translate(operation, path, e, $"{destination.Length} bytes at {run.FirstPage * Region.PageBytes}");
        }
    }

    long PositionOf(long unit, long page) => (unit * unitBytes) + (page % pagesPerUnit * Region.PageBytes);

    static long PageEnd(long offset) => (offset + Region.PageBytes - 1) / Region.PageBytes;

    /// <summary>Pages of a file that are on the device and not in memory, and what the file was when they were looked for.</summary>
    struct MissingRun
    {
        public long FirstPage;
        public int Pages;
        public long Position;
        public int MapVersion;
        public int WriteVersion;
        public long Length;
    }

    sealed record PrefetchWork(BlockFileSystem Disk, Inode Inode, long Offset, long Length);
}
