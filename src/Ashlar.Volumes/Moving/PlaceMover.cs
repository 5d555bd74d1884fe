using System.Diagnostics.CodeAnalysis;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Moves what places of the device hold to other places, while everything goes on. A place gets another name, for all who have it at once:
/// the head, kept versions, clones. So what was shared stays shared, and nothing takes more space than before.
/// </summary>
/// <remarks>
/// <para>Of a few leaves at a time, while no commit runs, nobody clones or deletes, and under the write locks of all heads that may name
/// the places. Crash order:</para>
/// <para>1. Commit what has changed of these leaves, so that store and memory name the same places. Crash: an ordinary commit.</para>
/// <para>2. Take new places, copy, flush the device. Crash: free space that holds something.</para>
/// <para>3. Write all versions with the new names, and the free space, as one batch, durably. 3 before 2 would let the map name places that
/// hold nothing. Crash: all who share a place have the old name, or all have the new one. Were one of them left to another batch, it
/// would name a place that belongs to nobody.</para>
/// <para>4. Give memory the new names: heads, and views of snapshots, each under its lock.</para>
/// <para>5. Let go of the old places, which are punched and then free, or idle if they are barred. 5 before 3 would let others overwrite
/// what the map on disk still names; before 4, what readers are about to read.</para>
/// <para>Markers speak of blocks of a leaf and not of places, so they hold on: what an overwrite had left in doubt is in doubt there. A
/// place keeps its birth, by which it is known whose it is. A refused batch leaves everything as it was.</para>
/// </remarks>
class PlaceMover(
    PoolParts parts, Catalogue catalogue, Func<long, VolumeDevice?> findDeleting, Func<long, IEnumerable<VolumeDevice>> findViews)
{
    /// <summary>
    /// Moves places of some leaves. On a thread that may wait. Leaves that cannot be moved now because their volume is being deleted are
    /// left alone.
    /// </summary>
    /// <exception cref="DeviceFullException">There is no room; nothing has changed.</exception>
    /// <exception cref="BlockDeviceException">A device is ill; nothing has changed.</exception>
    public void Move(IReadOnlyList<(long Lineage, long LeafIndex)> leaves, MoveTarget target, MoveResult result)
    {
        parts.Failure.ThrowIfLatched();
        var isDone = false;
        while (true)
        {
            catalogue.Exclude(() => parts.Committer.Exclude(() =>
            {
                if (parts.Committer.HasUnwritten) return;
                MoveLocked(leaves, target, result);
                isDone = true;
            }));
            if (isDone) return;
            Blocking.Wait(parts.Committer.RunAsync(CommitScope.Flush)); // What a full disk of the map has refused comes first.
        }
    }

    /// <summary>Under which numbers places of a volume may be named: those of all that come from where it comes from.</summary>
    protected virtual IReadOnlyList<long> FindSharers(long lineage)
    {
        while (parts.Versions.Parents.TryGetValue(lineage, out var parent)) lineage = parent.Lineage;
        List<long> found = [lineage];
        for (var i = 0; i < found.Count; i++)
        {
            foreach (var (clone, origin) in parts.Versions.Parents)
                if (origin.Lineage == found[i]) found.Add(clone);
        }

        return found;
    }

    /// <summary>The end of step 2.</summary>
    protected virtual void FlushCopies() => parts.Committer.FlushHeld();

    /// <summary>Step 3.</summary>
    protected virtual void Write(WriteBatch batch, IReadOnlyList<LeafFamily> families) =>
        parts.Metadata.Write(batch, Durability.Sync, mayUseReserve: false);

    /// <summary>Step 5.</summary>
    protected virtual void LetGo(IReadOnlyList<LeafFamily> families)
    {
        List<long> chunks = [.. families.SelectMany(static family => family.Moved.Homes).Select(static home => home.From)];
        parts.Space.Quarantine(chunks.Count);
        if (chunks.Count > 0) parts.Reclaimer.Add(chunks);
        parts.Fragments.Renamed([.. families.SelectMany(static family => family.Moved.Blocks)]);
    }

    void MoveLocked(IReadOnlyList<(long Lineage, long LeafIndex)> leaves, MoveTarget target, MoveResult result)
    {
        var families = new List<LeafFamily>();
        try
        {
            foreach (var (lineage, leafIndex) in leaves)
            {
                var sharers = FindSharers(lineage);
                if (families.Find(each => each.LeafIndex == leafIndex && each.Lineages[0] == sharers[0]) is { } known)
                {
                    known.Wanted.Add(lineage);
                    continue;
                }

                var family = new LeafFamily(parts, leafIndex, sharers);
                families.Add(family);
                family.Wanted.Add(lineage);
                family.Lock(each => catalogue.FindLineage(each) ?? findDeleting(each));
            }

            parts.Committer.CommitHeld(families.SelectMany(static family => family.Locked));
            var moving = families.FindAll(family => CanMove(family, result));
            Move(moving, target, result);
        }
        finally
        {
            foreach (var family in families) family.Dispose();
        }
    }

    // What a crash left in doubt is looked at first: then every block has one content that it ought to have.
    static bool CanMove(LeafFamily family, MoveResult result)
    {
        try
        {
            family.ReadVersions();
        }
        catch (CorruptDataException damage)
        {
            result.Unmovable.Add($"MiB {family.LeafIndex} of a volume: the map cannot be read: {damage.Message}");
            return false;
        }

        foreach (var leaf in family.Locked)
        {
            if (leaf.Marks is not { Suspect.IsEmpty: false } marks) continue;
            Blocking.Wait(leaf.Volume.CheckSuspectsHeldAsync(leaf));
            if (marks.Suspect.IsEmpty) continue;
            result.Unmovable.Add(
                $"volume {leaf.Volume.Record.Name}, MiB {family.LeafIndex}: what was being overwritten when the pool ended cannot be read");
            return false;
        }

        return true;
    }

    void Move(List<LeafFamily> families, MoveTarget target, MoveResult result)
    {
        var copier = new BlockCopier(parts);
        long bytes = 0;
        try
        {
            foreach (var family in families) Plan(family, target);
            families.RemoveAll(static family => family.Moved.IsEmpty);
            if (families.Count == 0) return;
            foreach (var family in families)
            {
                foreach (var home in family.Moved.Homes)
                    if (home.IsKept) Blocking.Wait(family.Locked[0].Volume.ReserveHomeAsync(home.To));
                bytes += copier.Copy(family);
            }

            FlushCopies();
        }
        catch
        {
            foreach (var family in families) Release(family);
            throw;
        }

        Commit(families);
        result.MovedBytes += bytes;
        result.DamagedBlocks += copier.DamagedBlocks;
    }

    void Plan(LeafFamily family, MoveTarget target)
    {
        var (homes, blocks) = (new Dictionary<long, OwnedHome>(), new Dictionary<long, MovedBlock>());
        foreach (var version in family.Versions)
        {
            if (!family.Wanted.Contains(version.Lineage) || family.FindOwner(version.Lineage) is not { } owner) continue;
            var origin = parts.Versions.Parents.TryGetValue(version.Lineage, out var parent) ? parent.Generation : 0;
            var isHead = MapKeys.IsHead(version.Key);
            for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
            {
                ref readonly var entry = ref version.Map.Entries[slot];
                if (entry.Chunk == 0 || entry.Birth <= origin) continue; // That is its origin's.
                if (isHead || !homes.ContainsKey(entry.Chunk))
                    homes[entry.Chunk] = new(entry.Chunk, slot, entry.Birth, entry.IsKept, owner, isHead);
            }

            foreach (var (block, place, birth) in version.Map.ListRedirected())
                if (birth > origin && target.MovesBlock(place)) blocks.TryAdd(place, new(place, 0, block, birth, owner));
        }

        var hasRoom = target.TryTakeHomes(family, [.. homes.Values.OrderBy(static home => home.Slot)], family.Moved.Homes);
        foreach (var group in blocks.Values.OrderBy(static each => each.Block).Take(target.MostBlocks).GroupBy(static each => each.Owner))
        {
            var places = new List<long>();
            hasRoom = hasRoom && parts.Fragments.TryTake(group.Key, group.Count(), places);
            if (!hasRoom) break;
            family.Moved.Blocks.AddRange(group.Zip(places, static (block, place) => block with { To = place }));
        }

        if (hasRoom) return;
        var free = BinarySize.FormatExact(parts.Space.FreeChunks * MapLayout.ChunkBytes);
        throw new DeviceFullException(parts.Name, $"there is no room for what is moved: {free} are free");
    }

    void Release(LeafFamily family)
    {
        parts.Space.Release([.. family.Moved.Homes.Select(static home => home.To)]);
        parts.Fragments.Release([.. family.Moved.Blocks.Select(static block => block.To)]);
    }

    void Commit(List<LeafFamily> families)
    {
        var batch = new WriteBatch();
        foreach (var family in families) AddVersions(batch, family);
        Rename(families, isBack: false);
        AddSpace(batch, families);
        try
        {
            Write(batch, families);
        }
        catch (DeviceFullException)
        {
            Rename(families, isBack: true);
            parts.Fragments.Seal(new WriteBatch());
            _ = parts.Space.TakeChangedGroups();
            foreach (var family in families) Release(family);
            throw;
        }

        Apply(families);
    }

    void AddVersions(WriteBatch batch, LeafFamily family)
    {
        Span<byte> value = stackalloc byte[LeafFormat.MaxBytes];
        foreach (var version in family.Versions)
        {
            if (!family.Moved.Rename(version.Map, parts.Checksum)) continue;
            var length = LeafFormat.Write(value, version.Map, version.Version);
            Invariant.Require(length > 0);
            batch.Put(version.Key, value[..length]);
            if (version.HasDelta) batch.Delete(MapKeys.Delta(version.Lineage, family.LeafIndex));
        }
    }

    void Rename(List<LeafFamily> families, bool isBack)
    {
        foreach (var family in families)
        {
            foreach (var home in family.Moved.Homes)
            {
                parts.Space.Capture(isBack ? home.To : home.From, 0);
                parts.Space.Capture(0, isBack ? home.From : home.To);
            }

            foreach (var block in family.Moved.Blocks)
                parts.Fragments.Rename(block.Owner, isBack ? block.To : block.From, isBack ? block.From : block.To);
        }
    }

    void AddSpace(WriteBatch batch, List<LeafFamily> families)
    {
        parts.Fragments.Seal(batch);
        var value = new byte[GroupBitmap.MaxBytes];
        foreach (var group in parts.Space.TakeChangedGroups()) GroupBitmap.Add(batch, group, parts.Space.CommittedWords(group), value);
        foreach (var volume in families.SelectMany(static family => family.Moved.Blocks).Select(static block => block.Owner).Distinct())
            volume.AddUsage(batch);
    }

    // Steps 4 and 5. The store has the new names: what goes wrong now would leave memory with places that are given away.
    [SuppressMessage("Design", "CA1031", Justification = "It latches the pool.")]
    void Apply(List<LeafFamily> families)
    {
        try
        {
            foreach (var family in families)
            {
                foreach (var leaf in family.Locked) Rename(family, leaf);
                foreach (var view in family.Lineages.SelectMany(findViews)) Rename(family, view);
            }

            LetGo(families);
        }
        catch (Exception broken)
        {
            parts.Failure.Latch(broken);
            throw;
        }
    }

    // One that is not in memory, or is read from the store from now on, finds the new names there.
    void Rename(LeafFamily family, VolumeDevice view)
    {
        if (view.Leaves.Find(family.LeafIndex) is not { } leaf || !leaf.TryPin()) return;
        try
        {
            Blocking.Wait(leaf.Loading);
            Blocking.Wait(leaf.WriteLock.EnterAsync());
            Rename(family, leaf);
            leaf.WriteLock.Exit();
        }
        catch (BlockDeviceException)
        {
            // It could not be read, and is in nobody's memory.
        }
        finally
        {
            leaf.Unpin();
        }
    }

    void Rename(LeafFamily family, Leaf leaf)
    {
        lock (leaf)
        {
            if (leaf.Map is not { } map || !family.Moved.Rename(map, parts.Checksum)) return;
            leaf.CountRemoval();
            leaf.StoredAs(null, default);
        }
    }
}
