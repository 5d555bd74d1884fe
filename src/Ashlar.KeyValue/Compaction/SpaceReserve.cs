using System.Diagnostics.CodeAnalysis;
using Ashlar.KeyValue.Commit;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.MemTables;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Disk space that is kept for the day when the disk is full: deletes, flushes and the merges that give space back then go on,
/// puts are refused until all of it is kept again, except a few that their owner needs in order to delete.
/// </summary>
/// <remarks>
/// A file without content that nobody reads and no manifest lists: whatever a crash leaves of it is right.
/// <para>Invariants, from <see cref="DeclareFull"/> until the store has room again:</para>
/// <list type="bullet">
/// <item>Nothing is written that was not taken from here first, and only as much is taken as is about to be written: what others
/// on the same disk write cannot use it up.</item>
/// <item>Merges leave what the log needs, and so do flushes; while there is anything to merge they leave what a merge needs, too. So
/// a delete finds room in the log; its memtable becomes a table and gives the log's back, at the latest when merges are done; and
/// tables do not pile up in what the merge needs that is to take them away.</item>
/// <item>What work gives back is kept again before other work takes any.</item>
/// <item>Puts that may use the reserve (<see cref="WriteBatch.MayUseReserve"/>) leave <see cref="DeleteBytes"/> of it, so they cannot
/// use up what deletes need. They take for their log, and are refused unless there is as much again for the table that they
/// become; so when that is written, too, three quarters are left. Half is what a step of a merge may take, a sixteenth is for the
/// log of deletes. What is between is more than flushes need before a merge gives anything back: there are at most three
/// memtables, each ends at a quarter of the log's share, a 64th of all, and its table takes about as much. What those puts leave for good
/// is what they had in log and tables: they are finite, while deletes end by giving back more than they took.</item>
/// </list>
/// </remarks>
sealed class SpaceReserve
{
    const long PageBytes = 4096;

    /// <summary>What the log is left with at the least where there is so much: files take whole pages.</summary>
    const long LeastLogBytes = 16 << 10;

    readonly StoreFiles files;
    readonly KeyValueOptions options;
    readonly Lock gate = new();
    long target; // What is to be kept; 0 before the first write.
    long held; // What the file has.
    long promised; // Taken and perhaps not written yet.
    bool isKnown;
    bool isTried;
    bool isFreeSpaceKnown = true;
    bool isLow;

    public SpaceReserve(StoreFiles files, KeyValueOptions options)
    {
        (this.files, this.options) = (files, options);
        held = LookAtFile();
    }

    /// <summary>Whether the disk is full: only deletes are taken.</summary>
    public bool IsLow => Volatile.Read(ref isLow);

    /// <summary>Disk space that is kept now.</summary>
    public long HeldBytes => Volatile.Read(ref held);

    /// <summary>
    /// What it holds once the store has more than a memtable: room for memtables and their logs, and for a step of a merge.
    /// </summary>
    public long FullBytes => WholePages(options.SpaceReserveBytes ?? (2 * (options.MemTableBytes + options.TableBytes)));

    /// <summary>For the logs of deletes, until their memtables are tables.</summary>
    long LogBytes => Math.Max(target / 16, Math.Min(target / 4, LeastLogBytes));

    /// <summary>For a step of a merge: a table of level 0 and one below it.</summary>
    long MergeBytes => target / 2;

    /// <summary>What puts leave, whatever they may use.</summary>
    long DeleteBytes => target - (target / 4);

    /// <summary>
    /// Keeps space for deletes from the first write on; the rest from the first full memtable on. On a small disk it is no more
    /// than half of what there is.
    /// </summary>
    public void Prepare(bool isFull)
    {
        var wanted = isFull ? FullBytes : Math.Min(FullBytes, WholePages(options.LogChunkBytes));
        if (wanted <= Volatile.Read(ref target) || IsLow || (isTried && !isFull)) return;
        using (gate.Hold())
        {
            if (IsLow) return;
            isTried = true;
            Look();
            Volatile.Write(ref target, Math.Max(target, Math.Min(wanted, WholePages((held + Free()) / 2))));
            Grow();
        }
    }

    /// <summary>The disk is full. True if that is news, and there is a reserve: what failed may work now.</summary>
    public bool DeclareFull()
    {
        using (gate.Hold())
        {
            if (IsLow || FullBytes == 0) return false;
            Look();
            if (target == 0) Volatile.Write(ref target, Math.Min(FullBytes, WholePages(options.LogChunkBytes)));
            isFreeSpaceKnown = Free() <= FullBytes; // Otherwise it is a quota that is full, not the disk.
            Volatile.Write(ref isLow, true);
            return true;
        }
    }

    /// <summary>
    /// Whether a memtable is to become a table on a full disk, because only there deletes give space back, and because the logs of
    /// three are to fit into their share.
    /// </summary>
    public bool IsFull(MemTable active, long logBytes) =>
        active.UsedBytes >= Math.Max(2048, options.MemTableBytes / 8) || logBytes >= Math.Max(PageBytes, LogBytes / 4);

    /// <summary>Reserves log space: for deletes all that is kept may go into it, for puts a part.</summary>
    /// <exception cref="StorageException">There is not so much left; nothing is in doubt.</exception>
    public void ReserveLog(LogWriter log, long bodyLength, SpaceClaim claim)
    {
        Invariant.Require(claim != SpaceClaim.None);
        using (gate.Hold()) // What is given up here cannot be kept again before the log has it.
        {
            var ahead = Math.Max(PageBytes, Math.Min(LogBytes / 4, options.LogChunkBytes));
            var bytes = log.MissingBytes(bodyLength, ahead);
            if (bytes > 0) bytes += 2 * PageBytes; // What the file is rounded up to, and the manifest's edit.
            var left = 0L;
            if (claim == SpaceClaim.PartOfReserve)
            {
                left = DeleteBytes;
                var missing = Missing(bytes + Round(bodyLength, options.TableBytes), left, out _);
                if (missing > 0) ThrowFull(missing);
            }

            Missing(bytes, 0, out var taken);
            if (taken > 0) Shrink(Math.Max(0, held - taken));

            while (true)
            {
                try
                {
                    log.Reserve(bodyLength, ahead);
                    return;
                }
                catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace && held > left)
                {
                    Shrink(Math.Max(left, held - ahead));
                }
            }
        }
    }

    /// <summary>Gives space to a flush; when disposed, what it did not use is kept again.</summary>
    /// <param name="bytes">Size of what it is about to write.</param>
    /// <param name="mayMerge">Whether there may be anything to merge.</param>
    /// <exception cref="StorageException">There is not so much.</exception>
    public IDisposable TakeForFlush(long bytes, bool mayMerge) =>
        Take(Round(bytes, options.TableBytes), LogBytes + (mayMerge ? MergeBytes : 0));

    /// <summary>The same for a step of a merge.</summary>
    /// <param name="bytes">Size of what it reads and is about to write.</param>
    /// <exception cref="StorageException">There is not so much.</exception>
    public IDisposable TakeForMerge(long bytes) => Take(Round(bytes, options.TableBytes), LogBytes);

    /// <summary>Whether a step of a merge that has a choice is to be so large, not to have many small ones.</summary>
    public bool IsGoodForMerge(long bytes)
    {
        using (gate.Hold()) return bytes <= MostMovedBytes && Missing(Round(bytes, options.TableBytes), LogBytes, out _) == 0;
    }

    /// <summary>What a step may move of values.</summary>
    public long MostMovedBytes => Volatile.Read(ref target) / 4;

    /// <summary>What is given up first to open a store; if that does not do, twice as much is, and so on.</summary>
    public const double FirstReleasedShare = 0.125;

    /// <summary>Gives up a part of what an earlier process kept, so that the store can be opened on a full disk.</summary>
    /// <returns>Whether there was anything to give up.</returns>
    public static bool Release(StoreFiles files, double share)
    {
        if (!files.FileSystem.FileExists(files.ReservePath)) return false;
        using (var file = files.FileSystem.Open(files.ReservePath, FileOpenMode.Existing))
        {
            var left = WholePages((long)(file.LengthBytes * (1 - share)));
            if (share < 1 && left > 0)
            {
                file.SetLength(left);
                return true;
            }
        }

        files.TryDelete(files.ReservePath);
        return true;
    }

    /// <summary>
    /// Lets puts through if there is as much room again as is to be kept; true if that is so since just now.
    /// </summary>
    /// <exception cref="StorageException">The disk is full.</exception>
    public bool RequireRoom()
    {
        using (gate.Hold())
        {
            var hasRefilled = Refill();
            if (IsLow) ThrowFull(target - held);
            return hasRefilled;
        }
    }

    /// <summary>Keeps what has become free; true if the disk is not full any more since just now.</summary>
    public bool Refill()
    {
        using (gate.Hold())
        {
            if (!IsLow) return false;
            Grow();
            return !IsLow;
        }
    }

    /// <summary>Refuses work that has to wait until the disk has room.</summary>
    [DoesNotReturn]
    public void ThrowFull(long missingBytes) => throw new StorageException(
        "fallocate", files.ReservePath, StorageErrorKind.NoSpace, Errno.NoSpace,
        $"the disk is full: {missingBytes} more free bytes are needed beside those that are kept for deletes and merges; delete, or make "
            + "room");

    Grant Take(long bytes, long left)
    {
        using (gate.Hold())
        {
            var missing = Missing(bytes, left, out var taken);
            if (missing > 0) ThrowFull(missing);
            if (taken > 0) Shrink(held - taken);
            promised += bytes;
        }

        return new Grant(this, bytes);
    }

    long Missing(long bytes, long left, out long taken)
    {
        var free = isFreeSpaceKnown ? Math.Max(0, Free() - promised) : 0;
        taken = Math.Max(0, bytes - free);
        return Math.Max(0, bytes - Math.Max(0, held + free - left));
    }

    void GiveBack(long bytes)
    {
        using (gate.Hold())
        {
            promised -= bytes;
            Invariant.Require(promised >= 0);
            Grow();
        }
    }

    // Space comes in pages: what is less than one could never be kept again.
    static long WholePages(long bytes) => bytes / PageBytes * PageBytes;

    // What tables grow by when they are cut otherwise, what files take beyond their length, and the manifest's edit.
    static long Round(long bytes, long tableBytes) => bytes + (bytes / 16) + (PageBytes * ((bytes / tableBytes) + 3));

    // As much as was kept is to be kept, from the first write on.
    void Look()
    {
        if (isKnown) return;
        isKnown = true;
        Volatile.Write(ref target, Math.Min(FullBytes, WholePages(held)));
    }

    // What an earlier process kept; nothing, where that cannot be found out.
    long LookAtFile()
    {
        try
        {
            if (!files.FileSystem.FileExists(files.ReservePath)) return 0;
            using var file = files.FileSystem.Open(files.ReservePath, FileOpenMode.ReadOnly);
            return Math.Min(file.LengthBytes, file.AllocatedBytes);
        }
        catch (StorageException)
        {
            return 0;
        }
    }

    // Keeps as much as there is room for; if that is all, the disk is not full any more.
    void Grow()
    {
        if (!isFreeSpaceKnown && promised > 0) return;
        var room = isFreeSpaceKnown ? Math.Max(0, Free() - promised) : target;
        var piece = Math.Min(target - held, room / PageBytes * PageBytes);
        while (piece >= PageBytes && held < target)
        {
            piece = Math.Min(piece, target - held);
            if (!TryAllocate(piece)) piece = piece / 2 / PageBytes * PageBytes;
        }

        if (held >= target) Volatile.Write(ref isLow, false);
    }

    bool TryAllocate(long bytes)
    {
        try
        {
            using var file = files.FileSystem.Open(files.ReservePath, FileOpenMode.OpenOrCreate);
            FileSpace.Extend(file, held, bytes);
            Volatile.Write(ref held, held + bytes);
            return true;
        }
        catch (StorageException)
        {
            Shrink(held); // Of what it failed to get it may have a part.
            return false;
        }
    }

    void Shrink(long bytes)
    {
        bytes = bytes / PageBytes * PageBytes;
        try
        {
            if (bytes == 0)
            {
                if (files.FileSystem.FileExists(files.ReservePath)) files.FileSystem.Delete(files.ReservePath);
            }
            else
            {
                using var file = files.FileSystem.Open(files.ReservePath, FileOpenMode.Existing);
                file.SetLength(bytes);
            }
        }
        catch (StorageException)
        {
            // Whoever needs the space finds out.
        }

        Volatile.Write(ref held, bytes);
    }

    long Free()
    {
        try
        {
            return files.FileSystem.GetFreeSpaceBytes(files.Directory);
        }
        catch (StorageException)
        {
            return 0;
        }
    }

    sealed class Grant(SpaceReserve reserve, long bytes) : IDisposable
    {
        public void Dispose() => reserve.GiveBack(bytes);
    }
}
