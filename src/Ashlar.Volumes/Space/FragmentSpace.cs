using System.Numerics;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Blocks that are not at home lie in fragment chunks: 16 blocks of any leaves of one volume, so that overwriting single blocks after a
/// snapshot takes no more space than what is written.
/// </summary>
/// <remarks>
/// <para>A block is <i>pending</i> from when a request takes it until the leaf that owns it is captured for a commit; then it is
/// <i>live</i>, until a leaf that has let go of it is captured; then <i>dying</i>, until that one is durable. Only then may another leaf
/// take it. The store says which blocks are live, in the batch of the leaves by which that changed; the chunk is in use, for the
/// bitmaps, as long as one of its blocks is live. So a crash forgets what was pending, and nothing else.</para>
/// <para>The methods that capture are for the thread of the commit only.</para>
/// </remarks>
sealed class FragmentSpace(KeyValueStore store, ChunkSpace space, Reclaimer reclaimer, string pool)
{
    // Fewer free blocks are not worth a look.
    const int WorthReusing = 4;
    const int MaxReusable = 4096;
    const int MaxPages = 16384;

    readonly Lock gate = new();
    readonly Dictionary<long, FragmentChunk> chunks = [];
    readonly Dictionary<long, FragmentPage> pages = [];
    readonly SortedSet<long> changedPages = [];
    long settledChunks;

    /// <summary>Counts chunks that memory has forgotten: what was read of the store before may be old.</summary>
    public long SettledChunks => Interlocked.Read(ref settledChunks);

    /// <summary>Takes blocks for a request, all or none.</summary>
    /// <param name="volume">Whose they become.</param>
    /// <param name="count">How many.</param>
    /// <param name="places">Gets them, in blocks of the device.</param>
    public bool TryTake(VolumeDevice volume, int count, List<long> places)
    {
        var before = places.Count;
        lock (gate)
        {
            while (places.Count - before < count)
            {
                var open = volume.Fragments.Open;
                if (open is null || open.Free == 0 || space.IsBarred(open.Chunk))
                {
                    if (TryOpen(volume)) continue;
                    for (var i = places.Count - 1; i >= before; i--) GiveBack(places[i]);
                    places.RemoveRange(before, places.Count - before);
                    return false;
                }

                var bit = BitOperations.TrailingZeroCount(open.Free);
                open.Pending |= (ushort)(1 << bit);
                places.Add((open.Chunk * MapLayout.BlocksPerChunk) + bit);
            }

            return true;
        }
    }

    /// <summary>A request gives back what no leaf has got.</summary>
    public void Release(IReadOnlyList<long> places)
    {
        if (places.Count == 0) return;
        lock (gate)
            foreach (var place in places) GiveBack(place);
    }

    /// <summary>The volume takes no more blocks.</summary>
    public void Close(VolumeDevice volume)
    {
        lock (gate)
        {
            volume.Fragments.Reusable.Clear();
            CloseOpen(volume);
        }
    }

    /// <summary>Forgets the chunks of a volume that is gone: of what it has lost nobody knows whose it is.</summary>
    public void Forget(VolumeDevice volume)
    {
        lock (gate)
        {
            foreach (var state in chunks.Values.Where(each => each.Volume == volume).ToArray())
            {
                chunks.Remove(state.Chunk);
                settledChunks++;
            }
        }
    }

    /// <summary>Takes up a chunk of which blocks are free, as the store says.</summary>
    /// <param name="volume">Whose it is.</param>
    /// <param name="chunk">The chunk.</param>
    /// <param name="live">Its live blocks.</param>
    /// <param name="settledBefore">What <see cref="SettledChunks"/> was before the store was read.</param>
    /// <returns>False when the volume needs no more.</returns>
    public bool Offer(VolumeDevice volume, long chunk, ushort live, long settledBefore)
    {
        lock (gate)
        {
            if (volume.Fragments.Reusable.Count >= MaxReusable) return false;
            if (settledBefore != settledChunks || chunks.ContainsKey(chunk) || space.IsBarred(chunk)) return true;
            var state = new FragmentChunk(volume, chunk) { Live = live };
            if (state.FreeCount < WorthReusing) return true;
            chunks.Add(chunk, state);
            Enqueue(state);
            return true;
        }
    }

    /// <summary>A captured leaf owns a block.</summary>
    /// <returns>Whether the chunk is in use from now on and was not before.</returns>
    public bool CaptureAdded(VolumeDevice volume, long place)
    {
        var (chunk, bit) = Split(place);
        var page = Load(chunk, out var index);
        var before = page.BlocksOf(index);
        Invariant.Require((before & bit) == 0 && (before == 0 || page.LineageOf(index) == volume.Lineage));
        page.Set(index, (ushort)(before | bit), volume.Lineage);
        changedPages.Add(chunk / FragmentPage.Chunks);
        lock (gate)
        {
            var state = chunks[chunk];
            Invariant.Require((state.Pending & bit) != 0);
            state.Pending &= (ushort)~bit;
            state.Live |= bit;
            Settle(state);
        }

        if (before == 0) space.Capture(0, chunk);
        return before == 0;
    }

    /// <summary>A captured leaf has let go of a block.</summary>
    /// <returns>Whether the chunk is no longer in use, as far as captured leaves go.</returns>
    public bool CaptureRemoved(VolumeDevice volume, RemovedPlace removed)
    {
        var (chunk, bit) = Split(removed.Place);
        if (!removed.WasCaptured)
        {
            lock (gate) chunks[chunk].Dying |= bit;
            return false;
        }

        var page = Load(chunk, out var index);
        var before = page.BlocksOf(index);
        Invariant.Require((before & bit) != 0 && page.LineageOf(index) == volume.Lineage);
        page.Set(index, (ushort)(before & ~bit), volume.Lineage);
        changedPages.Add(chunk / FragmentPage.Chunks);
        lock (gate)
        {
            if (!chunks.TryGetValue(chunk, out var state)) chunks.Add(chunk, state = new FragmentChunk(volume, chunk) { Live = before });
            state.Live &= (ushort)~bit;
            state.Dying |= bit;
        }

        if (before != bit) return false;
        space.Capture(chunk, 0);
        return true;
    }

    /// <summary>
    /// Says, for the next batch, that a live block lies elsewhere, at a place that a request has taken. The opposite call takes it back.
    /// </summary>
    public void Rename(VolumeDevice volume, long from, long to)
    {
        var ((fromChunk, fromBit), (toChunk, toBit)) = (Split(from), Split(to));
        var page = Load(fromChunk, out var index);
        var rest = (ushort)(page.BlocksOf(index) & ~fromBit);
        Invariant.Require(rest != page.BlocksOf(index) && page.LineageOf(index) == volume.Lineage);
        page.Set(index, rest, volume.Lineage);
        changedPages.Add(fromChunk / FragmentPage.Chunks);
        if (rest == 0)
        {
            space.Capture(fromChunk, 0);
            volume.CommittedChunks--;
        }

        page = Load(toChunk, out index);
        var before = page.BlocksOf(index);
        Invariant.Require((before & toBit) == 0 && (before == 0 || page.LineageOf(index) == volume.Lineage));
        page.Set(index, (ushort)(before | toBit), volume.Lineage);
        changedPages.Add(toChunk / FragmentPage.Chunks);
        if (before != 0) return;
        space.Capture(0, toChunk);
        volume.CommittedChunks++;
    }

    /// <summary>That batch is durable: the old places are free.</summary>
    public void Renamed(IReadOnlyList<MovedBlock> places)
    {
        lock (gate)
        {
            foreach (var place in places)
            {
                var (chunk, bit) = Split(place.To);
                var state = chunks[chunk];
                Invariant.Require((state.Pending & bit) != 0);
                state.Pending &= (ushort)~bit;
                state.Live |= bit;
                Settle(state);
                (chunk, bit) = Split(place.From);
                var left = Load(chunk, out var index).BlocksOf(index);
                if (!chunks.TryGetValue(chunk, out state)) chunks.Add(chunk, state = new FragmentChunk(place.Owner, chunk) { Live = left });
                state.Live &= (ushort)~bit;
                state.Dying |= bit;
            }

            Free([.. places.Select(static each => each.From)]);
        }
    }

    /// <summary>Adds the pages that changed to a batch.</summary>
    public void Seal(WriteBatch batch)
    {
        Span<byte> value = stackalloc byte[FragmentPage.MaxBytes];
        foreach (var number in changedPages)
        {
            var length = pages[number].Write(value);
            if (length == 0) batch.Delete(MapKeys.FragmentPage(number));
            else batch.Put(MapKeys.FragmentPage(number), value[..length]);
        }

        changedPages.Clear();
    }

    /// <summary>The leaves without these blocks are durable.</summary>
    public void Free(List<long> places)
    {
        lock (gate)
        {
            foreach (var place in places)
            {
                var (chunk, bit) = Split(place);
                var state = chunks[chunk];
                Invariant.Require((state.Dying & bit) != 0 && (state.Live & bit) == 0);
                state.Dying &= (ushort)~bit;
                state.Pending &= (ushort)~bit;
                Freed(state);
            }
        }
    }

    /// <summary>Whether memory knows of a chunk: somebody takes blocks of it, or may.</summary>
    public bool IsKnown(long chunk)
    {
        lock (gate) return chunks.ContainsKey(chunk);
    }

    /// <summary>Adds pages to a batch that call only those blocks taken that leaves own. While no commit runs.</summary>
    public void Correct(List<(long Chunk, ushort Leaked, ushort Owned)> leaked, WriteBatch batch)
    {
        foreach (var (chunk, _, owned) in leaked)
        {
            var page = Load(chunk, out var index);
            page.Set(index, owned, page.LineageOf(index));
            changedPages.Add(chunk / FragmentPage.Chunks);
        }

        Seal(batch);
    }

    /// <summary>Forgets pages, while nothing is captured that is not written.</summary>
    public void Trim()
    {
        Invariant.Require(changedPages.Count == 0);
        if (pages.Count > MaxPages) pages.Clear();
    }

    static (long Chunk, ushort Bit) Split(long place) =>
        (place / MapLayout.BlocksPerChunk, (ushort)(1 << (int)(place % MapLayout.BlocksPerChunk)));

    FragmentPage Load(long chunk, out int index)
    {
        index = (int)(chunk % FragmentPage.Chunks);
        var number = chunk / FragmentPage.Chunks;
        if (pages.TryGetValue(number, out var page)) return page;
        page = store.Get(MapKeys.FragmentPage(number)) is { } value ? FragmentPage.Read(value, pool, number) : new FragmentPage();
        pages.Add(number, page);
        return page;
    }

    void GiveBack(long place)
    {
        var (chunk, bit) = Split(place);
        var state = chunks[chunk];
        Invariant.Require((state.Pending & bit) != 0);
        state.Pending &= (ushort)~bit;
        Freed(state);
    }

    void Freed(FragmentChunk state)
    {
        if (state is { IsOpen: true, Live: 0, Pending: 0, Dying: 0 }) (state.IsOpen, state.Volume.Fragments.Open) = (false, null);
        if (state.IsUnused) GiveUp(state);
        else if (!state.IsOpen && !state.IsQueued && state.FreeCount >= WorthReusing) Enqueue(state);
        if (!state.IsGone) Settle(state);
    }

    void Enqueue(FragmentChunk state)
    {
        if (state.Volume.Fragments.Reusable.Count >= MaxReusable || space.IsBarred(state.Chunk)) return;
        state.IsQueued = true;
        state.Volume.Fragments.Reusable.Enqueue(state);
    }

    void GiveUp(FragmentChunk state)
    {
        Invariant.Require(!state.IsGone);
        state.IsGone = true;
        chunks.Remove(state.Chunk);
        settledChunks++; // What was read of the store before may call its blocks taken.
        state.Volume.CountFragmentChunk(-1);
        space.Quarantine(1);
        reclaimer.Add([state.Chunk]);
    }

    void Settle(FragmentChunk state)
    {
        if (!state.IsSettled) return;
        chunks.Remove(state.Chunk);
        settledChunks++;
    }

    bool TryOpen(VolumeDevice volume)
    {
        CloseOpen(volume);
        var fragments = volume.Fragments;
        while (fragments.Reusable.TryDequeue(out var reusable))
        {
            reusable.IsQueued = false;
            if (reusable.IsGone) continue;
            if (space.IsBarred(reusable.Chunk))
            {
                Settle(reusable);
                continue;
            }

            reusable.IsOpen = true;
            fragments.Open = reusable;
            return true;
        }

        var chunk = space.Take(fragments.LastChunk == 0 ? 0 : fragments.LastChunk + 1, slot: 0, ref fragments.Cursor);
        if (chunk == 0) return false;
        fragments.LastChunk = chunk;
        fragments.Open = new FragmentChunk(volume, chunk) { IsOpen = true };
        chunks.Add(chunk, fragments.Open);
        volume.CountFragmentChunk(1);
        return true;
    }

    void CloseOpen(VolumeDevice volume)
    {
        if (volume.Fragments.Open is not { } open) return;
        volume.Fragments.Open = null;
        open.IsOpen = false;
        if (open.IsUnused) GiveUp(open);
        else Settle(open);
    }
}
