using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Moves away what lies in a part of the device, while everything else goes on; in small steps, by turns with the other work of the pool.
/// What is left of one that was interrupted is found by what the map says, so it goes on wherever it stopped.
/// </summary>
/// <remarks>
/// Crash order: nothing is given out of the part, and the store says so durably; all is moved (<see cref="PlaceMover"/>); a commit, after
/// which nobody has any of it; the store says, durably, that the part is gone. Only then the device may be taken away.
/// </remarks>
public sealed class PoolEvacuation
{
    const long StepBytes = 4 << 20;
    const int MaxIdleRounds = 100, MaxRetries = 3;

    static readonly TimeSpan IdleDelay = TimeSpan.FromMilliseconds(200);

    readonly StoragePool pool;
    readonly BarredRange range;
    readonly BarredChunks barred;
    long movedBytes;
    long damagedBlocks;

    internal PoolEvacuation(StoragePool pool, BarredRange range, BarredChunks barred)
    {
        (this.pool, this.range, this.barred) = (pool, range, barred);
        TotalBytes = RemainingBytes;
    }

    /// <summary>What lay there when this was begun.</summary>
    public long TotalBytes { get; }

    /// <summary>What still lies there.</summary>
    public long RemainingBytes => barred.TakenCount * MapLayout.ChunkBytes;

    /// <summary>What was copied.</summary>
    public long MovedBytes => Interlocked.Read(ref movedBytes);

    /// <summary>Blocks that were damaged, and that are damaged where they lie now.</summary>
    public long DamagedBlocks => Interlocked.Read(ref damagedBlocks);

    /// <summary>Moves all of it; then the part is out of use for good.</summary>
    /// <param name="pace">Called after so many bytes were moved: returns when it may go on.</param>
    /// <param name="cancellationToken">Ends it; what was moved stays so, and nothing is placed there before it is cancelled.</param>
    /// <exception cref="DeviceFullException">The rest of the device has become full.</exception>
    /// <exception cref="DeviceIOException">Something cannot be moved, or the device is ill.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask RunAsync(Func<long, CancellationToken, ValueTask> pace, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pace);
        var parts = pool.Parts;
        var target = new BarredTarget(parts.Space);
        var (waited, retries) = (0, 0);
        for (var idle = 0; ;)
        {
            pool.ThrowIfPutBack(barred);
            // What was taken before nothing was given out any more is in the store from here on, and found there.
            await parts.Committer.RunAsync(CommitScope.Flush);
            await parts.Reclaimer.DrainAsync();
            if (barred.TakenCount == 0) break;
            var before = RemainingBytes;
            var moved = MovedBytes;
            List<string> unmovable;
            try
            {
                unmovable = await PassAsync(target, pace, cancellationToken);
            }
            catch (DeviceFullException)
            {
                // Others may have taken what was there, and give it back: it ends only when nothing comes.
                if (MovedBytes > moved) waited = 0;
                cancellationToken.ThrowIfCancellationRequested();
                await parts.Throttle.WaitForSpaceAsync(pool.Name, waited++);
                continue;
            }

            waited = 0;
            await parts.Committer.RunAsync(CommitScope.Flush);
            await parts.Reclaimer.DrainAsync();
            idle = RemainingBytes < before || MovedBytes > moved ? 0 : idle + 1;
            if (idle == 0) continue;
            // What is being deleted goes by itself; where that has failed it is tried again, for why it failed may be over.
            if (pool.Remover.Progress.Volumes == 0 && !(retries++ < MaxRetries && pool.Remover.RetryFailed()))
            {
                unmovable.InsertRange(0, pool.Remover.DescribeFailures());
                if (unmovable.Count > 0) throw Stuck(string.Join("; ", unmovable.Take(3)));
            }

            if (idle > MaxIdleRounds) throw Stuck("no volume says that it is its own: verify the pool");
            await WaitAsync(parts, cancellationToken);
        }

        await pool.FinishEvacuationAsync(range, barred);
    }

    /// <summary>Puts the part back into use; false when it has been emptied for good, or somebody has put it back before.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<bool> CancelAsync()
    {
        pool.ThrowIfClosed();
        pool.Failure.ThrowIfLatched();
        return await pool.CancelAsync(barred);
    }

    // What is left belongs to volumes and snapshots that are being deleted, or to requests under way.
    static async ValueTask WaitAsync(PoolParts parts, CancellationToken cancellationToken)
    {
        await parts.Work.WaitAsync(IdleDelay);
        await Task.Delay(IdleDelay, parts.Options.TimeProvider, cancellationToken);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<List<string>> PassAsync(
        BarredTarget target, Func<long, CancellationToken, ValueTask> pace, CancellationToken cancellationToken)
    {
        var search = new LeafSearch(pool.Parts);
        var result = new MoveResult();
        while (!search.IsDone)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var leaves = search.Next(StepBytes);
            if (leaves.Count == 0) continue;
            var before = result.MovedBytes;
            var damaged = result.DamagedBlocks;
            await StepAsync(leaves, target, result);
            Interlocked.Add(ref movedBytes, result.MovedBytes - before);
            Interlocked.Add(ref damagedBlocks, result.DamagedBlocks - damaged);
            await pace(result.MovedBytes - before, cancellationToken);
        }

        return [.. search.Unreadable, .. result.Unmovable];
    }

    // By turns with what else the pool does by itself. An error is this caller's, and no reason for the pool to try again.
    [SuppressMessage("Design", "CA1031", Justification = "It is thrown to the caller.")]
    async ValueTask StepAsync(IReadOnlyList<(long Lineage, long LeafIndex)> leaves, BarredTarget target, MoveResult result)
    {
        Exception? failure = null;
        await pool.Work.Enqueue("moving data away from a part of the device", null, _ =>
        {
            try
            {
                pool.Mover.Move(leaves, target, result);
            }
            catch (Exception cause)
            {
                failure = cause;
            }

            return ValueTask.CompletedTask;
        });
        if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    DeviceIOException Stuck(string why) => new(
        pool.Name, $"{BinarySize.FormatExact(RemainingBytes)} cannot be moved: {why}", isTransient: false);
}
