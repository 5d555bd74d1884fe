using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// Says on all members which regions are written to directly, so that after a crash only these are looked at; and which have changed while
/// a member was missing, so that only these are copied when it comes back.
/// </summary>
/// <remarks>
/// <para>Crash order: a region is marked durably before the first direct write into it begins. The mark is taken away when a flush
/// of all members has ended that began after the last write had, and one more after that: a region that is written
/// to all the time keeps it. When the removal gets to the members does not matter.</para>
/// <para>What was missed stays marked until nobody is missing any more.</para>
/// </remarks>
sealed class WriteIntent
{
    readonly Lock gate = new();
    readonly RegionMap writing;
    readonly RegionMap missed;
    readonly long regionStripes;
    readonly Func<bool> isDegraded;
    readonly Func<ValueTask> persist;
    int[] underWay;
    long[] touched;
    readonly HashSet<int> durableWriting = [];
    readonly HashSet<int> durableMissed = [];
    readonly HashSet<(int Map, int Page)> stale = [];
    long flushes;

    /// <param name="writing">What is being written.</param>
    /// <param name="missed">What missing members have missed.</param>
    /// <param name="regionStripes">Stripes of a region.</param>
    /// <param name="isDegraded">Whether a member is missing now.</param>
    /// <param name="persist">Writes what <see cref="TakeStale"/> gives to all members, durably.</param>
    public WriteIntent(RegionMap writing, RegionMap missed, long regionStripes, Func<bool> isDegraded, Func<ValueTask> persist)
    {
        (this.writing, this.missed, this.regionStripes, this.isDegraded, this.persist) =
            (writing, missed, regionStripes, isDegraded, persist);
        underWay = new int[writing.RegionCount];
        touched = new long[writing.RegionCount];
    }

    public long RegionStripes => regionStripes;

    /// <summary>The set has so many regions from now on.</summary>
    public void Grow(int regionCount)
    {
        lock (gate)
        {
            writing.Grow(regionCount);
            missed.Grow(regionCount);
            Array.Resize(ref underWay, regionCount);
            Array.Resize(ref touched, regionCount);
        }
    }

    /// <summary>A direct write into a stripe is about to begin; pair it with <see cref="End"/> unless this fails.</summary>
    public ValueTask BeginAsync(long stripe)
    {
        var region = (int)(stripe / regionStripes);
        lock (gate)
        {
            underWay[region]++;
            touched[region] = flushes;
            if (durableWriting.Contains(region) && (!isDegraded() || durableMissed.Contains(region))) return ValueTask.CompletedTask;
        }

        return MarkAsync(region);
    }

    public void End(long stripe)
    {
        var region = (int)(stripe / regionStripes);
        lock (gate)
        {
            Invariant.Require(underWay[region] > 0);
            underWay[region]--;
            touched[region] = flushes;
        }
    }

    /// <summary>Marks what a missing member will have missed; not durable yet.</summary>
    public void Miss(long stripe)
    {
        lock (gate) Mark(missed, 1, (int)(stripe / regionStripes));
    }

    /// <summary>A member is missing from now on: it may have missed all that was not flushed.</summary>
    public void MissUnflushed()
    {
        lock (gate)
            foreach (var region in writing.Marked) Mark(missed, 1, region);
    }

    /// <summary>Nobody is missing any more, or nobody has missed anything.</summary>
    public void ForgetMissed()
    {
        lock (gate)
        {
            foreach (var region in missed.Marked.ToList()) Unmark(missed, 1, region);
            durableMissed.Clear();
        }
    }

    /// <summary>All is where it should be: nothing is being written.</summary>
    public void ForgetWriting()
    {
        lock (gate)
        {
            foreach (var region in writing.Marked.ToList())
            {
                Invariant.Require(underWay[region] == 0);
                Unmark(writing, 0, region);
            }

            durableWriting.Clear();
        }
    }

    public bool HasMissed(long stripe)
    {
        lock (gate) return missed[(int)(stripe / regionStripes)];
    }

    /// <summary>Regions marked as being written.</summary>
    public int[] Writing()
    {
        lock (gate) return [.. writing.Marked];
    }

    /// <summary>Regions that changed while a member was missing.</summary>
    public int[] Missed()
    {
        lock (gate) return [.. missed.Marked];
    }

    /// <summary>A flush of all members is about to begin.</summary>
    public long FlushBegins()
    {
        lock (gate) return ++flushes;
    }

    /// <summary>It has ended well.</summary>
    public void FlushEnded(long flush)
    {
        lock (gate)
        {
            foreach (var region in writing.Marked.ToList())
            {
                if (underWay[region] > 0 || touched[region] >= flush - 1) continue;
                Unmark(writing, 0, region);
                durableWriting.Remove(region);
            }
        }
    }

    /// <summary>Tells all members of what they have not been told yet, durably.</summary>
    public ValueTask PersistAsync() => persist();

    /// <summary>Whether there is something to tell the members of.</summary>
    public bool HasStale
    {
        get
        {
            lock (gate) return stale.Count > 0;
        }
    }

    /// <summary>The pages that are not on the members as they are here; they count as written.</summary>
    public List<(int Map, int Page, byte[] Content)> TakeStale()
    {
        lock (gate)
        {
            List<(int Map, int Page, byte[] Content)> pages = [];
            foreach (var (map, page) in stale)
            {
                var content = new byte[RegionMap.PageBytes];
                (map == 0 ? writing : missed).WritePage(page, content);
                pages.Add((map, page, content));
            }

            stale.Clear();
            return pages;
        }
    }

    /// <summary>All pages are written again, to a member that has none yet.</summary>
    public void TakeAllForStale()
    {
        lock (gate)
            for (var map = 0; map < 2; map++)
                for (var page = 0; page <= RegionMap.PageOf(writing.RegionCount - 1); page++) stale.Add((map, page));
    }

    // The region behind one that is being written as well is marked with it: who writes on does not wait again.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask MarkAsync(int region)
    {
        try
        {
            var isMissed = isDegraded();
            List<int> regions = [region];
            lock (gate)
            {
                if (region > 0 && region + 1 < writing.RegionCount && writing[region - 1]) regions.Add(region + 1);
                foreach (var marked in regions)
                {
                    Mark(writing, 0, marked);
                    touched[marked] = flushes;
                    if (isMissed) Mark(missed, 1, marked);
                }
            }

            await persist().ConfigureAwait(false);
            lock (gate)
            {
                // The one behind may have been unmarked meanwhile.
                foreach (var marked in regions)
                {
                    if (writing[marked]) durableWriting.Add(marked);
                    if (isMissed && missed[marked]) durableMissed.Add(marked);
                }
            }
        }
        catch
        {
            lock (gate) underWay[region]--;
            throw;
        }
    }

    void Mark(RegionMap map, int number, int region)
    {
        if (map[region]) return;
        map[region] = true;
        stale.Add((number, RegionMap.PageOf(region)));
    }

    void Unmark(RegionMap map, int number, int region)
    {
        map[region] = false;
        stale.Add((number, RegionMap.PageOf(region)));
    }
}
