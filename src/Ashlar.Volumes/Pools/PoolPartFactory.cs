namespace Ashlar.Volumes;

/// <summary>Makes those parts of a pool that tests exchange for ones with a mistake.</summary>
class PoolPartFactory
{
    public virtual BlockChecksum ChecksumOfNewPools => BlockChecksum.Xxh3;

    public virtual BlockRules CreateRules() => new();

    public virtual RecentWrites CreateRecentWrites(PoolParts parts) =>
        new(parts.Options.RecentWrites, parts.Failure, parts.Events, parts.Name);

    public virtual OverwriteMarkers CreateMarkers(PoolParts parts) => new(parts.Metadata, parts.Options, parts.Name);

    public virtual Reclaimer CreateReclaimer(PoolParts parts) => new(parts.Device, parts.Space, parts.Events, parts.Failure, parts.Name);

    public virtual Committer CreateCommitter(PoolParts parts) => new(parts);

    public virtual VolumeResizer CreateResizer(PoolParts parts, Catalogue catalogue, LeakedSpace leaked) =>
        new(catalogue, parts.Committer, leaked, parts.Metadata, parts.Work, parts.Throttle);

    public virtual SnapshotRemover CreateSnapshotRemover(PoolParts parts, Catalogue catalogue) => new(parts, catalogue);

    public virtual SnapshotTaker CreateTaker(
        PoolParts parts, Catalogue catalogue, SnapshotRemover remover, Func<ValueTask> settled) => new(parts, catalogue, remover, settled);

    public virtual PlaceMover CreateMover(
        PoolParts parts,
        Catalogue catalogue,
        Func<long, VolumeDevice?> findDeleting,
        Func<long, IEnumerable<VolumeDevice>> findViews) => new(parts, catalogue, findDeleting, findViews);

    public virtual PoolGrower CreateGrower(PoolParts parts, SuperblockCopies superblocks) => new(parts, superblocks);
}
