using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Puts a volume in order, while it is in use: blocks in fragment chunks go home, and the chunks of each MiB lie side by side, one MiB
/// behind the other. Nothing that is read changes; it may be stopped at any time, and what is in order stays so.
/// </summary>
/// <remarks>
/// <para>Blocks go home by ordinary writes; chunks, shared ones as well, by <see cref="PlaceMover"/>, for all who share them. Without
/// copies of what is shared it takes, for a while, some MiB of the pool, and for good up to twice the space of single blocks of which at
/// least <see cref="VolumeDevice.WorthHome"/> make a chunk. With copies it takes all of each chunk of which a snapshot needs blocks and
/// that was written since.</para>
/// </remarks>
public sealed class VolumeOrdering
{
    const int StepLeaves = 4;
    const long LeastFreeBytes = 8 << 20;

    readonly StoragePool pool;
    readonly VolumeDevice volume;
    readonly bool copiesShared;
    long doneBytes;
    long movedBytes;

    internal VolumeOrdering(StoragePool pool, VolumeDevice volume, bool copiesShared)
    {
        (this.pool, this.volume, this.copiesShared) = (pool, volume, copiesShared);
        TotalBytes = volume.SizeBytes;
    }

    /// <summary>Of the volume.</summary>
    public long TotalBytes { get; }

    /// <summary>How far into the volume it has come.</summary>
    public long DoneBytes => Interlocked.Read(ref doneBytes);

    /// <summary>What was copied.</summary>
    public long MovedBytes => Interlocked.Read(ref movedBytes);

    /// <summary>MiB that stay as they are, because they are damaged. Those for which no whole MiB was free are not among them.</summary>
    public long LeftPieces { get; private set; }

    /// <summary>Puts all of it in order.</summary>
    /// <param name="pace">Called after so many bytes were copied: returns when it may go on.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="DeviceFullException">The pool has not room enough, or has it no longer.</exception>
    /// <exception cref="VolumeDeletedException">The volume was deleted meanwhile.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask RunAsync(Func<long, CancellationToken, ValueTask> pace, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pace);
        await pool.Commits.RunAsync(CommitScope.Flush);
        RequireRoom(cancellationToken);
        var parts = pool.Parts;
        var target = new OrderTarget(parts.Space, volume);
        var step = new List<(long, long)>();
        foreach (var leafIndex in LeafOccupancy.Between(volume, 0, (TotalBytes + MapLayout.LeafBytes - 1) / MapLayout.LeafBytes))
        {
            cancellationToken.ThrowIfCancellationRequested();
            step.Add((volume.Lineage, leafIndex));
            if (step.Count < StepLeaves) continue;
            await StepAsync(step, target, pace, cancellationToken);
            await parts.Reclaimer.DrainAsync(); // What was moved away from makes room for what follows.
        }

        if (step.Count > 0) await StepAsync(step, target, pace, cancellationToken);
        await parts.Committer.RunAsync(CommitScope.Flush);
        await parts.Reclaimer.DrainAsync();
        Interlocked.Exchange(ref doneBytes, TotalBytes);
    }

    void RequireRoom(CancellationToken cancellationToken)
    {
        long needed = LeastFreeBytes;
        if (copiesShared)
        {
            var newest = Math.Max(volume.NewestSnapshot, volume.Parent?.Generation ?? 0);
            using var heads = pool.Store.Scan(
                KeyRange.Between(MapKeys.LeafStart(volume.Lineage, 0), MapKeys.LeafStart(volume.Lineage + 1, 0)));
            while (heads.MoveNext())
            {
                cancellationToken.ThrowIfCancellationRequested();
                var map = new LeafMap();
                try
                {
                    LeafFormat.Read(heads.Value, map, pool.Space.ChunkCount, volume.Name, MapKeys.ReadLeaf(heads.Key).LeafIndex);
                }
                catch (CorruptDataException)
                {
                    continue; // It stays as it is.
                }

                needed += VolumeDevice.CountCopies(map, newest) * (long)MapLayout.ChunkBytes;
            }
        }

        var free = pool.Space.FreeChunks * MapLayout.ChunkBytes;
        if (free >= needed) return;
        throw new DeviceFullException(
            volume.Name,
            $"to be put in order it needs {BinarySize.FormatExact(needed)}; of pool {pool.Name} {BinarySize.FormatExact(free)} are free");
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask StepAsync(
        List<(long Lineage, long LeafIndex)> leaves,
        OrderTarget target,
        Func<long, CancellationToken, ValueTask> pace,
        CancellationToken cancellationToken)
    {
        await pool.Parts.Throttle.WaitAsync();
        var bytes = await WorkAsync(leaves, target);
        Interlocked.Add(ref movedBytes, bytes);
        Interlocked.Exchange(ref doneBytes, Math.Min(TotalBytes, (leaves[^1].LeafIndex + 1) * MapLayout.LeafBytes));
        leaves.Clear();
        await pace(bytes, cancellationToken);
    }

    // By turns with what else the pool does by itself. An error is this caller's, and no reason for the pool to try again.
    [SuppressMessage("Design", "CA1031", Justification = "It is thrown to the caller.")]
    async Task<long> WorkAsync(IReadOnlyList<(long Lineage, long LeafIndex)> leaves, OrderTarget target)
    {
        Exception? failure = null;
        var result = new MoveResult();
        await pool.Work.Enqueue("putting a volume in order", volume.Record.Name, _ =>
        {
            try
            {
                foreach (var (_, leafIndex) in leaves) result.MovedBytes += Gather(leafIndex);
                pool.Mover.Move(leaves, target, result);
            }
            catch (Exception cause)
            {
                failure = cause;
            }

            return ValueTask.CompletedTask;
        });
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
        LeftPieces += result.Unmovable.Count;
        return result.MovedBytes;
    }

    long Gather(long leafIndex)
    {
        try
        {
            return Blocking.Wait(volume.GatherLeafAsync(leafIndex, copiesShared))
                ?? throw new DeviceFullException(volume.Name, "the pool has become full while it was put in order");
        }
        catch (CorruptDataException)
        {
            LeftPieces++;
            return 0;
        }
    }
}
