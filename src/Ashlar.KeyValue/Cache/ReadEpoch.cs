using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Cache;

/// <summary>
/// Lets readers use what the store may replace at any moment, without a counter that they share: a reader writes the current
/// epoch to a slot of its own while it reads, and what was replaced is freed once no slot holds an epoch that is as old.
/// </summary>
/// <remarks>
/// Why nothing is freed too early: a reader claims its slot by an atomic exchange, a full fence, and loads pointers after it.
/// Whoever replaces something first unlinks it, then advances the epoch, a full fence again, and looks at the slots after
/// that. If it misses a reader's claim, that reader's loads come after the unlinking and cannot find what was replaced.
/// </remarks>
sealed class ReadEpoch
{
    // Two cache lines a slot: processors fetch lines in pairs.
    const int SlotWords = 16;
    const int SlotCount = 256;
    const int HitWord = 1;
    const int LeftoverWord = 2;
    const int ValueHitWord = 3;

    static int threads;

    [ThreadStatic]
    static int home;

    readonly long[] slots = new long[(SlotCount + 1) * SlotWords];
    readonly Lock gate = new();
    readonly Queue<(long Epoch, SharedResource Resource)> retired = [];
    long current = 1;
    int reach;
    int isFreeing;
    volatile int waiting;

    /// <summary>What waits for readers to leave.</summary>
    public int Waiting => waiting;

    /// <summary>Counts of <see cref="CountHit"/>, all slots together.</summary>
    public long Hits => Sum(HitWord);

    /// <summary>Counts of <see cref="CountValueHit"/>, all slots together.</summary>
    public long ValueHits => Sum(ValueHitWord);

    /// <summary>Frees what a reader has left in <see cref="Leftovers"/>.</summary>
    public Action<long>? FreeLeftovers { get; set; }

    /// <summary>Begins a read. Slots are claimed per read, so a read may begin within another, on any thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Enter()
    {
        var slot = home;
        if (slot != 0 && slot <= Volatile.Read(ref reach)
            && Interlocked.CompareExchange(ref slots[slot * SlotWords], Volatile.Read(ref current), 0) == 0)
        {
            return slot;
        }

        return EnterSlowly();
    }

    /// <summary>Ends a read: nothing that it found may be used any more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Exit(int slot)
    {
        Invariant.Require(slot > 0); // Slot 0 stands for none: nobody entered.
        if (slots[(slot * SlotWords) + LeftoverWord] != 0) DropLeftovers(slot);
        Volatile.Write(ref slots[slot * SlotWords], 0);
        if (waiting != 0) FreeRetired();
    }

    /// <summary>The same for a reader that must not wait: to free may mean to delete files.</summary>
    public void ExitWithoutWaiting(int slot)
    {
        Invariant.Require(slot > 0);
        if (slots[(slot * SlotWords) + LeftoverWord] != 0) DropLeftovers(slot);
        Volatile.Write(ref slots[slot * SlotWords], 0);
        if (waiting != 0 && Interlocked.Exchange(ref isFreeing, 1) == 0)
            WorkerThreads.Blocking.Post(static epoch => epoch.FreeElsewhere(), this);
    }

    /// <summary>Counts a block found in the cache, for the holder of a slot: no line is shared.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void CountHit(int slot) => slots[(slot * SlotWords) + HitWord]++;

    /// <summary>Counts a value found in the cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void CountValueHit(int slot) => slots[(slot * SlotWords) + ValueHitWord]++;

    /// <summary>Where the holder of a slot keeps, as a list, what must go when it leaves; 0 is nothing.</summary>
    public ref long Leftovers(int slot) => ref slots[(slot * SlotWords) + LeftoverWord];

    /// <summary>
    /// Stamps what was just unlinked: it may be freed once <see cref="OldestReader"/> is larger.
    /// </summary>
    public long Advance() => Interlocked.Increment(ref current) - 1;

    /// <summary>The oldest epoch that a reader may be in; the largest number if nobody reads.</summary>
    public long OldestReader()
    {
        Interlocked.MemoryBarrier();
        var oldest = long.MaxValue;
        var last = Volatile.Read(ref reach);
        for (var slot = 1; slot <= last; slot++)
        {
            var epoch = Volatile.Read(ref slots[slot * SlotWords]);
            if (epoch != 0 && epoch < oldest) oldest = epoch;
        }

        return oldest;
    }

    /// <summary>
    /// Releases a reference once everybody has left who may have found the resource, which was unlinked before this call.
    /// Usually that is now, by this thread; behind a slow reader, it is that reader who does it when it leaves.
    /// </summary>
    public void Retire(SharedResource resource)
    {
        using (gate.Hold()) retired.Enqueue((Advance(), resource));
        // A get takes microseconds; freeing memory and files is better done here than by the reader.
        var spin = new SpinWait();
        for (var attempt = 0; attempt < 64; attempt++)
        {
            FreeRetired();
            using (gate.Hold())
            {
                if (retired.Count == 0) return;
            }

            spin.SpinOnce(sleep1Threshold: -1);
        }

        waiting = 1;
        // Either a reader's exit is seen below, or the reader sees that somebody waits: its exit has no fence of its own.
        Interlocked.MemoryBarrierProcessWide();
        FreeRetired();
    }

    void FreeElsewhere()
    {
        Volatile.Write(ref isFreeing, 0); // Before looking: who leaves from here on asks again.
        FreeRetired();
    }

    long Sum(int word)
    {
        var sum = 0L;
        for (var slot = 1; slot <= SlotCount; slot++) sum += Volatile.Read(ref slots[(slot * SlotWords) + word]);
        return sum;
    }

    void DropLeftovers(int slot)
    {
        var leftovers = Leftovers(slot);
        Leftovers(slot) = 0;
        FreeLeftovers!(leftovers);
    }

    void FreeRetired()
    {
        while (true)
        {
            SharedResource resource;
            using (gate.Hold())
            {
                if (retired.Count == 0)
                {
                    waiting = 0;
                    return;
                }

                if (retired.Peek().Epoch >= OldestReader()) return;
                resource = retired.Dequeue().Resource;
            }

            resource.Release();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    int EnterSlowly()
    {
        if (home == 0) home = (int)((uint)(Interlocked.Increment(ref threads) - 1) % SlotCount) + 1;
        var spin = new SpinWait();
        for (var slot = home; ; slot = (slot % SlotCount) + 1)
        {
            // Known to whoever looks at the slots before the slot is claimed.
            for (var seen = Volatile.Read(ref reach); seen < slot; seen = Volatile.Read(ref reach))
                Interlocked.CompareExchange(ref reach, slot, seen);
            if (Interlocked.CompareExchange(ref slots[slot * SlotWords], Volatile.Read(ref current), 0) == 0) return slot;
            if (slot == SlotCount) spin.SpinOnce(sleep1Threshold: -1);
        }
    }
}
