using System.Buffers;
using System.Runtime.InteropServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

// How changes get to the device.
public sealed partial class BlockFileSystem
{
    const int MaxWritePages = 256; // Written at once.
    const int FewDirtyPages = 64;

    /// <remarks>
    /// <para>Crash order: 1. what was written goes to the device, zeros to what nobody wrote of new units; 2. if there are new units, a
    /// flush: a record that is durable without them would show what they held before; 3. a record, if length or places changed; 4. a
    /// flush. Units that the file gave up are free after 4, not before.</para>
    /// <para>Where neither length nor places changed 1 and 4 are all: an append to a file that was allocated before costs one flush.</para>
    /// </remarks>
    internal void Sync(Inode inode, string path)
    {
        lock (inode.Writing)
        {
            FileChanges changes;
            List<Extent> ranges;
            long length;
            lock (gate)
            {
                RequireOpen();
                if (region.IsReadOnly) return;
                RequireWritable("fdatasync", path);
                if (!inodes.ContainsKey(inode.Number)) return; // Nobody can find it any more.
                // First what the record will say, then what was written: what comes in between is on the device too early, which does no
                // harm.
                changes = inode.Changes;
                inode.Changes = new FileChanges();
                ranges = changes.Describe(inode.Extents);
                length = inode.LengthBytes;
            }

            try
            {
                WriteDirty(inode, path, "fdatasync");
                InitialiseFresh(inode);
            }
            catch
            {
                lock (gate) inode.Changes.Restore(changes);
                throw;
            }

            if (changes.HasAny)
            {
                if (changes.NeedsFlushBefore) FlushOrLatch(rules.FlushBeforeRecord);
                FlushThrough(CommitFile(inode, length, ranges));
                Release(changes.Freed);
                return;
            }
        }

        FlushThrough(log.Sequence, isNeeded: true);
    }

    /// <summary>Has the device begin with what was written.</summary>
    internal void StartWriteBack(Inode inode, string path)
    {
        lock (gate)
        {
            RequireOpen();
            if (inode.Dirty.Count == 0 || region.IsReadOnly || failure is not null) return;
        }

        if (!Monitor.TryEnter(inode.Writing)) return; // It is being written.
        try
        {
            WriteDirty(inode, path, "pwrite");
        }
        finally
        {
            Monitor.Exit(inode.Writing);
        }
    }

    internal void CloseHandle(Inode inode, ref bool isDisposed)
    {
        lock (gate)
        {
            if (isDisposed) return;
            isDisposed = true;
            Close(inode);
        }
    }

    /// <summary>Commits all names, and that files without one are gone.</summary>
    void CommitNames(string path)
    {
        Inode[] gone;
        lock (gate) gone = [.. dead];
        foreach (var inode in gone) lock (inode.Writing) { } // From now on nobody writes to their units: they have no pages any more.
        long sequence;
        var freed = new List<UnitRun>();
        lock (committing)
        {
            var changes = new ArrayBufferWriter<byte>();
            lock (gate)
            {
                RequireOpen();
                if (region.IsReadOnly) return;
                RequireWritable("fsync", path);
                DescribeNames(changes);
                var released = gone.ToHashSet();
                released.IntersectWith(dead); // Somebody else may have committed some meanwhile.
                foreach (var inode in released)
                {
                    if (inode.IsCommitted) ChangeFormat.WriteRemove(changes, inode.Number);
                    foreach (var extent in inode.Extents.Extents) freed.Add(extent.Run);
                    freed.AddRange(inode.Changes.Freed);
                    metadataBytes -= ChangeFormat.CreateBytes + ChangeFormat.FileBytes
                        + (inode.Extents.Extents.Count * (long)ChangeFormat.RangeBytes);
                }

                dead = [.. dead.Where(inode => !released.Contains(inode))];
            }

            sequence = changes.WrittenCount == 0 ? log.Sequence : AppendLocked(changes.WrittenSpan);
        }

        FlushThrough(sequence);
        Release(freed);
    }

    // All that a slot has become, whatever it was in between: first the inodes, then the names.
    void DescribeNames(ArrayBufferWriter<byte> changes)
    {
        foreach (var (directory, name) in changedNames)
        {
            if (!inodes.ContainsKey(directory.Number)) continue;
            DescribeCreation(changes, directory);
            if (directory.Names!.TryGetValue(name, out var named)) DescribeCreation(changes, named);
        }

        foreach (var (directory, name) in changedNames)
        {
            if (inodes.ContainsKey(directory.Number))
                ChangeFormat.WriteName(changes, directory.Number, name, directory.Names!.GetValueOrDefault(name)?.Number ?? 0);
        }

        changedNames.Clear();
    }

    static void DescribeCreation(ArrayBufferWriter<byte> changes, Inode inode)
    {
        if (inode.IsCommitted) return;
        inode.IsCommitted = true;
        ChangeFormat.WriteCreate(changes, inode.Number, inode.IsDirectory);
    }

    long CommitFile(Inode inode, long length, List<Extent> ranges)
    {
        lock (committing)
        {
            var changes = new ArrayBufferWriter<byte>();
            lock (gate) RequireWritable("fdatasync", region.Name);
            DescribeCreation(changes, inode);
            ChangeFormat.WriteFile(changes, inode.Number, length, ranges);
            return AppendLocked(changes.WrittenSpan);
        }
    }

    long AppendLocked(ReadOnlySpan<byte> changes)
    {
        try
        {
            image.Apply(changes, 0);
            return log.Append(changes, image);
        }
        catch (StorageException cause)
        {
            Latch(cause);
            throw;
        }
    }

    /// <summary>Returns when a transaction, and everything that was written before the call, is durable.</summary>
    void FlushThrough(long sequence, bool isNeeded = false)
    {
        if (!isNeeded && log.DurableSequence >= sequence) return;
        FlushOrLatch(rules.FlushAfterRecord);
        log.MarkDurable(sequence);
    }

    void FlushOrLatch(Action<Region> flush)
    {
        try
        {
            flush(region);
        }
        catch (StorageException cause)
        {
            Latch(cause);
            throw;
        }
    }

    void Release(List<UnitRun> freed)
    {
        if (freed.Count == 0) return;
        lock (gate)
        {
            foreach (var run in freed)
            {
                units.Release(run);
                pendingUnits -= run.Count;
            }
        }
    }

    /// <summary>Commits what files have given up, because somebody needs it.</summary>
    /// <returns>Whether there was anything.</returns>
    bool ReleasePending()
    {
        Inode[] givers;
        lock (gate)
        {
            if (pendingUnits == 0) return false;
            givers = [.. inodes.Values.Where(inode => inode.Changes.Freed.Count > 0)];
        }

        CommitNames(region.Name);
        foreach (var inode in givers) Sync(inode, region.Name);
        return true;
    }

    void ReduceDirty(Inode inode, string path)
    {
        for (var attempt = 0; attempt < 4; attempt++)
        {
            var victim = inode;
            lock (gate)
            {
                if (!cache.HasTooManyDirty) return;
                if (inode.Dirty.Count < FewDirtyPages && inodes.Values.MaxBy(candidate => candidate.Dirty.Count) is { } largest)
                    victim = largest;
            }

            try
            {
                lock (victim.Writing) WriteDirty(victim, path, "pwrite");
            }
            catch (StorageException) when (victim != inode)
            {
                return; // It stays in memory, and whoever syncs that file is told.
            }
        }
    }

    // By whoever holds Inode.Writing.
    void WriteDirty(Inode inode, string path, string operation)
    {
        List<long> dirty;
        lock (gate)
        {
            dirty = inode.Dirty;
            inode.Dirty = [];
        }

        if (dirty.Count == 0) return;
        dirty.Sort();
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Min(MaxWritePages, dirty.Count) * Region.PageBytes);
        var run = new List<CachedPage>();
        var next = 0;
        try
        {
            while (next < dirty.Count)
            {
                long position;
                lock (gate) next = CopyRun(inode, dirty, next, buffer, run, out position);
                if (run.Count == 0) continue;
                var isWritten = false;
                try
                {
                    region.Write(position, buffer.AsMemory(0, run.Count * Region.PageBytes));
                    isWritten = true;
                }
                catch (StorageException e)
                {
                    throw Region.Translate(operation, path, e, $"{run.Count} pages");
                }
                finally
                {
                    lock (gate) EndRun(inode, run, isWritten);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            if (next < dirty.Count) lock (gate) inode.Dirty.AddRange(dirty.Skip(next));
        }
    }

    // A copy: writers go on with their pages while the device has it.
    int CopyRun(Inode inode, List<long> dirty, int next, byte[] buffer, List<CachedPage> run, out long position)
    {
        position = 0;
        run.Clear();
        for (; next < dirty.Count && run.Count < MaxWritePages; next++)
        {
            if (!inode.Pages.TryGetValue(dirty[next], out var page) || !page.IsDirty) continue;
            var (unit, _) = inode.Extents.Find(page.Index / pagesPerUnit);
            Invariant.Require(unit >= 0);
            var place = PositionOf(unit, page.Index);
            if (run.Count == 0) position = place;
            else if (place != position + ((long)run.Count * Region.PageBytes)) break;
            page.Bytes.CopyTo(buffer, run.Count * Region.PageBytes);
            cache.BeginWrite(page);
            run.Add(page);
        }

        return next;
    }

    void EndRun(Inode inode, List<CachedPage> run, bool isWritten)
    {
        foreach (var page in run)
        {
            if (isWritten && page.Owner == inode)
            {
                var (unit, within) = Math.DivRem(page.Index, pagesPerUnit);
                ref var written = ref CollectionsMarshal.GetValueRefOrNullRef(inode.Fresh, unit);
                if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref written)) written |= 1UL << (int)within;
            }

            cache.EndWrite(page, isWritten);
        }
    }

    // By whoever holds Inode.Writing. What is in memory only is written over the zeros later.
    void InitialiseFresh(Inode inode)
    {
        (long FileUnit, long Unit, ulong Written)[] fresh;
        lock (gate)
        {
            if (inode.Fresh.Count == 0) return;
            fresh = [.. inode.Fresh.Select(unit => (unit.Key, inode.Extents.Find(unit.Key).Unit, unit.Value))];
        }

        Array.Sort(fresh, static (a, b) => a.Unit.CompareTo(b.Unit));
        long start = 0, end = 0;
        foreach (var (_, unit, written) in fresh)
        {
            for (var page = 0; page < pagesPerUnit; page++)
            {
                if ((written >> page & 1) != 0) continue;
                var position = (unit * unitBytes) + ((long)page * Region.PageBytes);
                if (position != end)
                {
                    if (end > start) rules.Zero(region, start, end - start);
                    start = position;
                }

                end = position + Region.PageBytes;
            }
        }

        if (end > start) rules.Zero(region, start, end - start);
        lock (gate)
        {
            foreach (var (fileUnit, unit, _) in fresh)
                if (inode.Extents.Find(fileUnit).Unit == unit) inode.Fresh.Remove(fileUnit);
        }
    }
}
