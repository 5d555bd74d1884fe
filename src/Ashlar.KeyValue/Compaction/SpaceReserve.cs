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
    const long PageBytes = ReserveFile.PageBytes;

    /// <summary>What the log is left with at the least where there is so much: files take whole pages.</summary>
    const long MinLogBytes = 16 << 10;

    /// <summary>Kept from the first write on where nothing is said of how much is to be kept.</summary>
    const long MinBytes = 512 << 10;

    /// <summary>
    /// What work gets on top of what it writes once it has met a full disk in spite of what it was given; then twice as much, and so on:
    /// XFS creates no file where less than some hundred blocks are free. A larger reserve can spare more.
    /// </summary>
    const long FirstUnusableBytes = 32 << 10;

    /// <summary>Without a sign that there is more room it is looked for so often.</summary>
    static readonly TimeSpan BetweenTrials = TimeSpan.FromMilliseconds(100);

    readonly StoreFiles files;
    readonly KeyValueOptions options;
    readonly ReserveFile file;
    readonly Lock gate = new();
    readonly object freed = new(); // Pulsed when others give back.
    long target; // What is to be kept; 0 before the first write.
    long promised; // Taken and perhaps not written yet.
    long unusable; // Of what is free, that has proved to be of no use.
    long waiting;
    long tables; // As much of them as a merge takes at a time.
    long triedFor; // What the store held when the target last fell short of what it asks for.
    long freeAtTrial;
    long lastTrial;
    bool isKnown;
    bool isFreeSpaceKnown = true;
    bool isLow;
    bool hasWaitedInVain; // Nobody has given anything back since.

    public SpaceReserve(StoreFiles files, KeyValueOptions options)
    {
        (this.files, this.options) = (files, options);
        file = new ReserveFile(files);
    }

    /// <summary>Whether the disk is full: only deletes are taken.</summary>
    public bool IsLow => Volatile.Read(ref isLow);

    /// <summary>Disk space that is kept now.</summary>
    public long HeldBytes => file.HeldBytes;

    /// <summary>
    /// What it holds at the most: room for memtables and their logs, and for a step of a merge.
    /// </summary>
    public long FullBytes => ReserveFile.WholePages(options.SpaceReserveBytes ?? (2 * (options.MemTableBytes + options.TableBytes)));

    /// <summary>What it is to hold at present.</summary>
    public long TargetBytes => Volatile.Read(ref target);

    /// <summary>For the logs of deletes, until their memtables are tables.</summary>
    long LogBytes => Math.Max(target / 16, Math.Min(target / 4, MinLogBytes));

    /// <summary>For a step of a merge: a table of level 0 and one below it.</summary>
    long MergeBytes => target / 2;

    /// <summary>What puts leave, whatever they may use.</summary>
    long DeleteBytes => target - (target / 4);

    /// <summary>
    /// Says how much waits to be written to tables, without the memtable that is being written, and how much tables hold.
    /// </summary>
    public void Follow(long waitingBytes, long tableBytes)
    {
        Volatile.Write(ref waiting, waitingBytes);
        Volatile.Write(ref tables, Math.Min(options.TableBytes, tableBytes));
    }

    /// <summary>
    /// Keeps space for deletes from the first write on, and more as the store grows, unless it is said how much. On a small disk it is no
    /// more than half of what there is.
    /// </summary>
    /// <param name="activeBytes">Of the memtable that is being written.</param>
    public void Prepare(long activeBytes)
    {
        // Twice what the largest steps take: deletes come while the first of them are being written and merged.
        var stored = Stored(activeBytes);
        var wanted = WantedBytes(stored);
        if (wanted <= Volatile.Read(ref target) || stored < 2 * triedFor || IsLow) return;
        using (gate.Hold())
        {
            if (IsLow) return;
            Look();
            // By doubling, so that it is seldom done, and not again for the same where there is no room for it.
            wanted = Math.Min(FullBytes, Math.Max(wanted, 2 * target));
            var half = ReserveFile.WholePages((file.HeldBytes + Free()) / 2);
            if (half < wanted) triedFor = Math.Max(stored, MinBytes);
            Volatile.Write(ref target, Math.Max(target, Math.Min(wanted, half)));
            file.Grow(target, target);
        }
    }

    /// <summary>The disk is full. True if that is news, and there is a reserve: what failed may work now.</summary>
    public bool DeclareFull()
    {
        using (gate.Hold())
        {
            if (IsLow || FullBytes == 0) return false;
            Look();
            if (target == 0) Volatile.Write(ref target, WantedBytes(Stored(0)));
            isFreeSpaceKnown = Free() <= FullBytes; // Otherwise it is a quota that is full, not the disk.
            Volatile.Write(ref isLow, true);
            return true;
        }
    }

    /// <summary>
    /// Work met a full disk. True if it may succeed if it is tried again: because nobody knew that the disk is full, or because it gets
    /// more than last time.
    /// </summary>
    /// <param name="failure">What it met.</param>
    /// <param name="wasLow">Whether it knew that the disk is full.</param>
    public bool MayTryAgain(StorageException failure, bool wasLow)
    {
        // What it was given may have been kept again since, so that the disk does not count as full any more.
        var isNews = DeclareFull();
        if (!wasLow) return isNews || IsLow;
        // Only creating files takes what nobody sees. What fails otherwise had its space taken by others, and more would go the same way.
        if (failure.Operation != "open") return isNews;
        using (gate.Hold())
        {
            var next = Math.Max(Math.Max(FirstUnusableBytes, ReserveFile.WholePages(target / 32)), 2 * unusable);
            if (next > target / 4) return false;
            unusable = next;
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
            if (taken > 0) file.Shrink(file.HeldBytes - taken);

            while (true)
            {
                try
                {
                    log.Reserve(bodyLength, ahead);
                    return;
                }
                catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace && file.HeldBytes > left)
                {
                    file.Shrink(Math.Max(left, file.HeldBytes - ahead));
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

    /// <summary>
    /// The same for a step of a merge. It waits for what the steps before it have freed: to give up is to do them all again.
    /// </summary>
    /// <param name="bytes">Size of what it reads and is about to write.</param>
    /// <param name="pause">Called after each wait; gives up by throwing.</param>
    /// <exception cref="StorageException">There is not so much.</exception>
    public IDisposable TakeForMerge(long bytes, Action pause)
    {
        for (var waits = 0; ; waits++)
        {
            try
            {
                return Take(Round(bytes, options.TableBytes), LogBytes);
            }
            catch (StorageException full) when (
                full.Kind == StorageErrorKind.NoSpace && !options.BackgroundInline && !Volatile.Read(ref hasWaitedInVain))
            {
                if (waits == FreedSpace.Waits)
                {
                    Volatile.Write(ref hasWaitedInVain, true);
                    throw;
                }

                using (Uninterrupted.Enter(freed)) Uninterrupted.Wait(freed, FreedSpace.Wait(waits));
                pause();
            }
        }
    }

    /// <summary>Whether a step of a merge that has a choice is to be so large, not to have many small ones.</summary>
    public bool IsGoodForMerge(long bytes)
    {
        using (gate.Hold()) return bytes <= MaxMovedBytes && Missing(Round(bytes, options.TableBytes), LogBytes, out _) == 0;
    }

    /// <summary>What a step may move of values.</summary>
    public long MaxMovedBytes => Volatile.Read(ref target) / 4;

    /// <summary>What is given up first to open a store (<see cref="ReserveFile.Release"/>); if that does not do, twice as much, and so on.
    /// </summary>
    public const double FirstReleasedShare = 0.125;

    /// <summary>
    /// Lets puts through if there is as much room again as is to be kept; true if that is so since just now.
    /// </summary>
    /// <exception cref="StorageException">The disk is full.</exception>
    public bool RequireRoom()
    {
        using (gate.Hold())
        {
            var hasRefilled = Refill();
            if (IsLow) ThrowFull(target - file.HeldBytes);
            return hasRefilled;
        }
    }

    /// <summary>Keeps what has become free; true if the disk is not full any more since just now.</summary>
    public bool Refill()
    {
        using (gate.Hold())
        {
            if (!IsLow) return false;
            Grow(mayHaveChanged: false);
            return !IsLow;
        }
    }

    /// <summary>Refuses work that has to wait until the disk has room.</summary>
    [DoesNotReturn]
    public void ThrowFull(long missingBytes) => throw new StorageException(
        "fallocate", file.Path, StorageErrorKind.NoSpace, Errno.NoSpace,
        $"the disk is full: {missingBytes} more free bytes are needed beside those that are kept for deletes and merges; delete, or make "
            + "room");

    Grant Take(long bytes, long left)
    {
        using (gate.Hold())
        {
            var missing = Missing(bytes, left, out var taken);
            if (missing > 0)
            {
                // Work that began before the disk was full has given back what it took to the disk, not to the reserve.
                Grow(mayHaveChanged: true);
                missing = Missing(bytes, left, out taken);
                if (missing > 0) ThrowFull(missing);
            }

            if (taken > 0) file.Shrink(file.HeldBytes - taken);
            bytes += unusable;
            promised += bytes;
        }

        return new Grant(this, bytes);
    }

    long Stored(long activeBytes) =>
        Math.Min(options.MemTableBytes, Volatile.Read(ref waiting) + activeBytes) + Volatile.Read(ref tables);

    // What is said to be kept is kept from the first write on.
    long WantedBytes(long stored) =>
        options.SpaceReserveBytes is null ? Math.Min(FullBytes, Math.Max(MinBytes, ReserveFile.WholePages(2 * stored))) : FullBytes;

    long Missing(long bytes, long left, out long taken)
    {
        var free = isFreeSpaceKnown ? Math.Max(0, Free() - promised) : 0;
        bytes += unusable;
        taken = Math.Max(0, bytes - free);
        return Math.Max(0, bytes - Math.Max(0, file.HeldBytes + free - left));
    }

    void GiveBack(long bytes)
    {
        using (gate.Hold())
        {
            promised -= bytes;
            Invariant.Require(promised >= 0);
            Grow(mayHaveChanged: true);
            Volatile.Write(ref hasWaitedInVain, false);
        }

        using (Uninterrupted.Enter(freed)) Monitor.PulseAll(freed);
    }

    // What tables grow by when they are cut otherwise, what files take beyond their length, and the manifest's edit.
    static long Round(long bytes, long tableBytes) => bytes + (bytes / 16) + (PageBytes * ((bytes / tableBytes) + 3));

    // As much as was kept is to be kept, from the first write on.
    void Look()
    {
        if (isKnown) return;
        isKnown = true;
        Volatile.Write(ref target, Math.Min(FullBytes, file.HeldBytes));
    }

    // Keeps as much as there is room for; if that is all, the disk is not full any more. While somebody may still write what it was given,
    // only what is free beside that is taken. Otherwise it is tried: what is free cannot be known everywhere. A part of ext4 is for root
    // alone and never counts as free, and there are quotas. To try is dear, so without a sign that anything has changed it is not done
    // again at once.
    void Grow(bool mayHaveChanged)
    {
        if (file.HeldBytes >= target)
        {
            Volatile.Write(ref isLow, false);
            return;
        }

        var free = Free();
        if (promised > 0)
        {
            file.Grow(target, isFreeSpaceKnown ? Math.Max(0, free - promised) : 0);
        }
        else if (mayHaveChanged || free != freeAtTrial || options.TimeProvider.GetElapsedTime(lastTrial) >= BetweenTrials)
        {
            file.Grow(target, target);
            (freeAtTrial, lastTrial) = (Free(), options.TimeProvider.GetTimestamp());
        }

        if (file.HeldBytes >= target) Volatile.Write(ref isLow, false);
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
