using Ashlar.Blocks;
using Ashlar.KeyValue;

namespace Ashlar.Volumes.Tests;

/// <summary>A mistake that a test plants into a pool to show that it would be found.</summary>
enum PlantedBug
{
    None = 0,

    /// <summary>The map is committed before the data it speaks of is durable.</summary>
    MapBeforeData,

    /// <summary>A commit does not flush the data device.</summary>
    SkipDataFlush,

    /// <summary>A block is overwritten before its marker is durable.</summary>
    MarkerNotDurable,

    /// <summary>Removed chunks can be used again before the map without them is durable.</summary>
    ReuseBeforeCommit,

    /// <summary>Removed chunks are punched after they can be used again.</summary>
    PunchAfterReuse,

    /// <summary>The free space is not written in the batch of the leaves.</summary>
    BitmapNotInBatch,

    /// <summary>What was read below a marker gets a durable checksum without being flushed.</summary>
    RecoverWithoutFlush,

    /// <summary>Reads do not compare checksums.</summary>
    IgnoreChecksum,

    /// <summary>A flush does not commit the map.</summary>
    FlushWithoutMap,

    /// <summary>Markers are cleared although checksums below them are not committed.</summary>
    ClearMarkersEarly,

    /// <summary>Whether an overwrite needs a marker is judged by the leaf in memory instead of the committed one.</summary>
    MarkByMemory,

    /// <summary>Nobody looks at the markers that a crash left.</summary>
    SkipRecovery,

    /// <summary>Markers that a crash left are cleared before their blocks were looked at.</summary>
    ForgetSuspects,

    /// <summary>A shrunk volume forgets its size before its tail is unmapped.</summary>
    ShrinkBeforeUnmap,

    /// <summary>A growing pool says that it is larger before its device is.</summary>
    GrowBeforeDevice,

    /// <summary>A growing pool gives out its new chunks before it says durably that it has them.</summary>
    GiveOutBeforeGrown,

    /// <summary>A growing pool does not wait until what it says of its size is on stable storage.</summary>
    GrowthNotDurable,

    /// <summary>The map is committed without waiting for stable storage.</summary>
    MapNotDurable,

    /// <summary>What a commit writes of checksums alone is lost.</summary>
    ForgetDeltas,

    /// <summary>The delta of a leaf that is written as a whole goes in a batch of its own.</summary>
    DeltaOutlivesWhole,

    /// <summary>A leaf that a snapshot needs is not kept when it changes.</summary>
    KeepNothing,

    /// <summary>A snapshot is there before what belongs to it is durable.</summary>
    SnapshotBeforeCommit,

    /// <summary>What is being overwritten in place when a snapshot is taken is left out of its commit.</summary>
    SnapshotWithoutChecksums,

    /// <summary>A deleted snapshot is forgotten before what was kept for it is given back.</summary>
    ForgetSnapshotFirst,

    /// <summary>A snapshot does not wait for those who were about to change something when it was taken.</summary>
    CutWithoutWaiting,

    /// <summary>Which blocks of fragment chunks are taken is not written in the batch of the leaves.</summary>
    FragmentsNotInBatch,

    /// <summary>Markers are let go of when checksums were spilled, although the data below them was not flushed.</summary>
    SettleSpillsUnflushed,

    /// <summary>The places that something was moved away from are free before the map without them is durable.</summary>
    FreeMovedBeforeCommit,

    /// <summary>The map names new places before what was copied to them is durable.</summary>
    MoveWithoutFlush,

    /// <summary>A clone that shares a place is left out when it moves.</summary>
    ForgetSharer,

    /// <summary>What snapshots keep of a leaf gets the new names of its places in a batch of its own.</summary>
    MoveInTwoBatches,

    /// <summary>What is written atomically overwrites what is there.</summary>
    AtomicInPlace,

    /// <summary>Whether nothing is at home is judged by the leaf in memory instead of the committed one.</summary>
    HomeFreeByMemory,

    /// <summary>The two leaves of an atomic write are committed one after the other.</summary>
    AtomicInTwoBatches,

    /// <summary>Every third write is not logged.</summary>
    ForgetWrites,

    /// <summary>Zeros are not logged.</summary>
    ForgetZeros,

    /// <summary>The log does not hear what the store has.</summary>
    ForgetCovered,

    /// <summary>What is overwritten under a marker is not logged while the leaf is on its way to the store.</summary>
    ForgetWhileCaptured,

    /// <summary>An atomic write that was under way is not said to be none when a log is taken up.</summary>
    ForgetVoids,

    /// <summary>Blocks have a CRC for a checksum, as in pools of earlier programs.</summary>
    LinearChecksum,

    /// <summary>A log that is taken up goes on to speak of what the store had already.</summary>
    ForgetStored,

    /// <summary>Places that a log speaks of are given out while it is taken up.</summary>
    HoldNothing,
}

static class PlantedBugs
{
    public static PoolPartFactory ToFactory(this PlantedBug bug) => new Factory(bug);

    sealed class Factory(PlantedBug bug) : PoolPartFactory
    {
        public override BlockRules CreateRules() => new Rules(bug);

        public override OverwriteMarkers CreateMarkers(PoolParts parts) => bug switch
        {
            PlantedBug.MarkerNotDurable or PlantedBug.ClearMarkersEarly or PlantedBug.ForgetSuspects => new WrongMarkers(parts, bug),
            _ => base.CreateMarkers(parts),
        };

        public override BlockChecksum ChecksumOfNewPools =>
            bug == PlantedBug.LinearChecksum ? BlockChecksum.Crc32C : base.ChecksumOfNewPools;

        public override RecentWrites CreateRecentWrites(PoolParts parts) => new WrongRecentWrites(parts, bug);

        public override Reclaimer CreateReclaimer(PoolParts parts) =>
            bug == PlantedBug.PunchAfterReuse ? new LatePunch(parts) : base.CreateReclaimer(parts);

        public override Committer CreateCommitter(PoolParts parts) => bug switch
        {
            PlantedBug.None => base.CreateCommitter(parts),
            _ => new WrongCommitter(parts, bug),
        };

        public override SnapshotTaker CreateTaker(
            PoolParts parts, Catalogue catalogue, SnapshotRemover remover, Func<ValueTask> settled) =>
            bug == PlantedBug.SnapshotBeforeCommit
                ? new WrongTaker(parts, catalogue, remover, settled)
                : base.CreateTaker(parts, catalogue, remover, settled);

        public override SnapshotRemover CreateSnapshotRemover(PoolParts parts, Catalogue catalogue) =>
            bug == PlantedBug.ForgetSnapshotFirst ? new WrongRemover(parts, catalogue) : base.CreateSnapshotRemover(parts, catalogue);

        public override PoolGrower CreateGrower(PoolParts parts, SuperblockCopies superblocks) =>
            bug is PlantedBug.GrowBeforeDevice or PlantedBug.GiveOutBeforeGrown or PlantedBug.GrowthNotDurable
                ? new WrongGrower(parts, superblocks, bug)
                : base.CreateGrower(parts, superblocks);

        public override PlaceMover CreateMover(
            PoolParts parts,
            Catalogue catalogue,
            Func<long, VolumeDevice?> findDeleting,
            Func<long, IEnumerable<VolumeDevice>> findViews) => new WrongMover(parts, catalogue, findDeleting, findViews, bug);

        public override VolumeResizer CreateResizer(PoolParts parts, Catalogue catalogue, LeakedSpace leaked) =>
            bug == PlantedBug.ShrinkBeforeUnmap ? new WrongResizer(parts, catalogue, leaked) : base.CreateResizer(parts, catalogue, leaked);
    }

    sealed class WrongMover(
        PoolParts pool,
        Catalogue catalogue,
        Func<long, VolumeDevice?> findDeleting,
        Func<long, IEnumerable<VolumeDevice>> findViews,
        PlantedBug bug) : PlaceMover(pool, catalogue, findDeleting, findViews)
    {
        readonly PoolParts parts = pool;

        protected override IReadOnlyList<long> FindSharers(long lineage) =>
            bug == PlantedBug.ForgetSharer ? [lineage] : base.FindSharers(lineage);

        protected override void FlushCopies()
        {
            if (bug != PlantedBug.MoveWithoutFlush) base.FlushCopies();
        }

        protected override void Write(WriteBatch batch, IReadOnlyList<LeafFamily> families)
        {
            if (bug == PlantedBug.FreeMovedBeforeCommit)
            {
                base.LetGo(families);
                parts.Reclaimer.DrainAsync().AsTask().GetAwaiter().GetResult();
            }

            if (bug == PlantedBug.MoveInTwoBatches)
            {
                var kept = new WriteBatch();
                Span<byte> value = stackalloc byte[LeafFormat.MaxBytes];
                foreach (var version in families.SelectMany(family => family.Versions).Where(each => !MapKeys.IsHead(each.Key)))
                    kept.Put(version.Key, value[..LeafFormat.Write(value, version.Map, version.Version)]);
                base.Write(kept, families);
            }

            base.Write(batch, families);
        }

        protected override void LetGo(IReadOnlyList<LeafFamily> families)
        {
            if (bug != PlantedBug.FreeMovedBeforeCommit) base.LetGo(families);
        }
    }

    sealed class WrongTaker(PoolParts parts, Catalogue catalogue, SnapshotRemover remover, Func<ValueTask> settled)
        : SnapshotTaker(parts, catalogue, remover, settled)
    {
        protected override ValueTask CutAsync(IReadOnlyList<(VolumeDevice Volume, string Name)> wanted, SnapshotRecord[] records)
        {
            Complete(records);
            return base.CutAsync(wanted, records);
        }
    }

    sealed class WrongRemover(PoolParts parts, Catalogue snapshots) : SnapshotRemover(parts, snapshots)
    {
        readonly Catalogue catalogue = snapshots;

        protected override async ValueTask RemoveAsync(VolumeDevice volume, SnapshotRecord snapshot, CancellationToken cancellationToken)
        {
            await catalogue.ForgetSnapshotAsync(volume, snapshot);
            await base.RemoveAsync(volume, snapshot, cancellationToken);
        }
    }

    sealed class WrongGrower(PoolParts pool, SuperblockCopies superblocks, PlantedBug bug) : PoolGrower(pool, superblocks)
    {
        readonly PoolParts parts = pool;

        protected override async ValueTask GrowLockedAsync(long chunkCount)
        {
            if (bug == PlantedBug.GrowBeforeDevice) await RememberAsync(chunkCount, Durability.Sync);
            await LengthenAsync(chunkCount);
            if (bug == PlantedBug.GiveOutBeforeGrown)
            {
                await GiveOutAsync(Prepare(chunkCount));
                await FillAsync();
            }

            await RememberAsync(chunkCount, bug == PlantedBug.GrowthNotDurable ? Durability.Relaxed : Durability.Sync);
            await GiveOutAsync(Prepare(chunkCount));
        }

        // What any client may do who is quick enough.
        async Task FillAsync()
        {
            var cursor = 0L;
            while (parts.Space.FreeChunks > 0) parts.Space.Capture(0, parts.Space.Take(0, 0, ref cursor));
            var batch = new CommitBatch(isSpill: false);
            batch.Seal(parts.Space, parts.Fragments);
            await parts.Metadata.WriteAsync(batch.Entries, Durability.Sync, mayUseReserve: false);
        }
    }

    sealed class WrongResizer(PoolParts parts, Catalogue catalogue, LeakedSpace leaked)
        : VolumeResizer(catalogue, parts.Committer, leaked, parts.Metadata, parts.Work, parts.Throttle)
    {
        protected override VolumeState StateWhileShrinking => VolumeState.Ready;
    }

    sealed class WrongRecentWrites(PoolParts parts, PlantedBug bug)
        : RecentWrites(parts.Options.RecentWrites, parts.Failure, parts.Events, parts.Name)
    {
        int writes;

        public override ulong LogWrite(Leaf leaf, LeafPlan plan, BlockSet blocks, BlockSet marked) =>
            bug == PlantedBug.ForgetWrites && ++writes % 3 == 0 ? 0 : base.LogWrite(leaf, plan, blocks, marked);

        public override ulong LogZeros(Leaf leaf, int firstBlock, int blockCount, bool keep) =>
            bug == PlantedBug.ForgetZeros ? 0 : base.LogZeros(leaf, firstBlock, blockCount, keep);

        public override void LogCovered(IReadOnlyList<CoveredLeaf> leaves)
        {
            if (bug != PlantedBug.ForgetCovered) base.LogCovered(leaves);
        }

        protected override ulong FloorOf(RecentMark mark) =>
            bug is PlantedBug.ForgetCovered or PlantedBug.ForgetStored ? 0 : base.FloorOf(mark);
    }

    sealed class Rules(PlantedBug bug) : BlockRules
    {
        public override bool LogsWhileCaptured => bug != PlantedBug.ForgetWhileCaptured;

        public override bool VoidsInRecovery => bug != PlantedBug.ForgetVoids;

        public override bool CoversRecovered => bug != PlantedBug.ForgetStored;

        public override bool HoldsRecovered => bug != PlantedBug.HoldNothing;

        // Leaves of tests are short.
        public override int LeastWholeBytes => 1;

        // Workloads of tests are too small to wait often enough: every other leaf shows it.
        public override bool MarksAhead(Leaf leaf) => leaf.Index % 2 == 1 || base.MarksAhead(leaf);

        public override bool WritesAtomicallyElsewhere => bug != PlantedBug.AtomicInPlace;

        public override ushort FreeAtHome(ChunkEntry entry) =>
            bug == PlantedBug.HomeFreeByMemory ? (ushort)~entry.AtHome : base.FreeAtHome(entry);

        public override bool AreSuspectsLookedAt => bug != PlantedBug.SkipRecovery;

        public override bool MustFreeze(long generation, long newestSnapshot) =>
            bug != PlantedBug.KeepNothing && base.MustFreeze(generation, newestSnapshot);

        public override int FindMismatch(LeafCopy copy, int firstBlock, ReadOnlySpan<byte> data) =>
            bug == PlantedBug.IgnoreChecksum ? -1 : base.FindMismatch(copy, firstBlock, data);

        public override BlockSet NeedMarkers(Leaf leaf, LeafPlan plan, int firstBlock, int blockCount)
        {
            var blocks = base.NeedMarkers(leaf, plan, firstBlock, blockCount);
            if (bug != PlantedBug.MarkByMemory || blocks.IsEmpty) return blocks;
            foreach (var (slot, _) in new SlotMasks(firstBlock, blockCount)) blocks[slot] &= leaf.Entries[slot].Valid;
            return blocks;
        }

        public override void LetGo(ChunkSpace space, long chunk)
        {
            if (bug == PlantedBug.ReuseBeforeCommit) space.Release([chunk]);
            else base.LetGo(space, chunk);
        }
    }

    sealed class WrongMarkers(PoolParts pool, PlantedBug bug) : OverwriteMarkers(pool.Metadata, pool.Options, pool.Name)
    {
        public override ValueTask EnsureAsync(Leaf leaf, BlockSet blocks)
        {
            var marking = base.EnsureAsync(leaf, blocks);
            if (bug != PlantedBug.MarkerNotDurable) return marking;
            leaf.Marks!.Durable.Add(blocks);
            return ValueTask.CompletedTask;
        }

        protected override bool IsSettled(LeafMarks leafMarks) => bug switch
        {
            PlantedBug.ClearMarkersEarly => true,
            PlantedBug.ForgetSuspects => leafMarks.Uncommitted == 0,
            _ => base.IsSettled(leafMarks),
        };
    }

    sealed class LatePunch(PoolParts pool) : Reclaimer(pool.Device, pool.Space, pool.Events, pool.Failure, pool.Name)
    {
        readonly ChunkSpace space = pool.Space;
        readonly List<long> later = [];

        protected override void Free(long[] chunks)
        {
            foreach (var chunk in later) Punch(chunk, 1);
            later.Clear();
            later.AddRange(chunks);
            space.ReleaseQuarantined(chunks);
        }
    }

    sealed class WrongCommitter(PoolParts pool, PlantedBug bug) : Committer(pool)
    {
        readonly PoolParts parts = pool;
        bool hasFlushed;

        protected override void Commit(CommitScope scope)
        {
            if (bug == PlantedBug.MapBeforeData)
            {
                Capture(scope);
                WriteMap();
                FlushData();
            }

            base.Commit(scope);
            if (bug == PlantedBug.ClearMarkersEarly) parts.Markers.Clear(TimeSpan.Zero);
            if (bug != PlantedBug.SettleSpillsUnflushed || scope != CommitScope.Spill) return;
            SettleSpilled();
            parts.Markers.Clear(TimeSpan.Zero);
        }

        protected override void Capture(CommitScope scope)
        {
            if (bug == PlantedBug.SnapshotWithoutChecksums && IsCutting) base.Capture(CommitScope.Flush);
            else if (bug != PlantedBug.FlushWithoutMap || scope != CommitScope.Flush) base.Capture(scope);
        }

        public override void CommitTogether(IReadOnlyList<Leaf> leaves)
        {
            if (bug != PlantedBug.AtomicInTwoBatches) base.CommitTogether(leaves);
            else foreach (var leaf in leaves) base.CommitTogether([leaf]);
        }

        protected override void Seal(CommitBatch batch)
        {
            if (bug == PlantedBug.FragmentsNotInBatch) parts.Fragments.Seal(new WriteBatch());
            if (bug != PlantedBug.BitmapNotInBatch) base.Seal(batch);
        }

        protected override void Begin(Cut cut)
        {
            if (bug != PlantedBug.CutWithoutWaiting)
            {
                base.Begin(cut);
                return;
            }

            foreach (var volume in cut.Volumes) volume.RefreshNewest();
            parts.Generation.Advance(cut.Generation + 1);
        }

        protected override void FlushData()
        {
            if (bug == PlantedBug.SkipDataFlush) return;
            // The first flush after opening is the one that covers what was found in the cache.
            if (bug != PlantedBug.RecoverWithoutFlush || hasFlushed) base.FlushData();
            hasFlushed = true;
        }

        protected override void WriteBatch(CommitBatch batch)
        {
            if (bug == PlantedBug.MapNotDurable)
            {
                parts.Metadata.WriteOrUseReserve(batch.Entries, Durability.Relaxed);
                return;
            }

            var before = bug == PlantedBug.DeltaOutlivesWhole ? ReadDeltas() : [];
            base.WriteBatch(batch);
            var (stay, go) = (new WriteBatch(), new WriteBatch());
            foreach (var (key, value) in before)
            {
                if (parts.Store.Get(key) is not null) continue;
                stay.Put(key, value);
                go.Delete(key);
            }

            if (bug == PlantedBug.ForgetDeltas)
                foreach (var (key, _) in ReadDeltas()) go.Delete(key);
            if (stay.Count > 0) parts.Metadata.WriteOrUseReserve(stay, Durability.Sync);
            if (go.Count > 0) parts.Metadata.WriteOrUseReserve(go, Durability.Sync);
        }

        List<(byte[] Key, byte[] Value)> ReadDeltas()
        {
            var deltas = new List<(byte[], byte[])>();
            using var cursor = parts.Store.Scan(KeyRange.Prefix(MapKeys.Deltas));
            while (cursor.MoveNext()) deltas.Add((cursor.Key.ToArray(), cursor.Value.ToArray()));
            return deltas;
        }

        protected override void Release(CommitBatch batch)
        {
            if (bug != PlantedBug.ReuseBeforeCommit) base.Release(batch);
        }
    }
}
