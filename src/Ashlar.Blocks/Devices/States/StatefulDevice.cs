using System.Diagnostics;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

/// <summary>
/// A device that keeps a state for each block, apart from the data. Trim marks and does not erase; free and trimmed
/// blocks read as zeros and can be written again; a bad block fails until it is replaced.
/// </summary>
/// <remarks>
/// A block becomes used only after its content was written, so a reader never sees what lay there before the trim. A
/// request that touches a bad block fails as a whole and changes nothing.
/// </remarks>
public abstract class StatefulDevice : IBlockDevice
{
    readonly BlockStateMap states;
    readonly DeviceCounters counters;

    private protected StatefulDevice(string name, BlockStateMap states, int blockSizeBytes, DeviceCounters counters)
    {
        Name = name;
        Geometry = BlockGeometry.Create(blockSizeBytes, states.BlockCount);
        this.states = states;
        this.counters = counters;
    }

    /// <inheritdoc />
    public string Name { get; }

    /// <inheritdoc />
    public BlockGeometry Geometry { get; }

    /// <inheritdoc />
    public virtual bool IsReadOnly => false;

    /// <summary>The state of one block.</summary>
    /// <exception cref="BlockRangeException">There is no such block.</exception>
    public BlockState GetState(Lba block)
    {
        Geometry.CheckRange(Name, block, 1);
        return states[block.Value];
    }

    /// <summary>How many blocks from this one on are in its state.</summary>
    /// <exception cref="BlockRangeException">There is no such block.</exception>
    public long DescribeRun(Lba start, out BlockState state)
    {
        Geometry.CheckRange(Name, start, 1);
        return states.RunFrom(start.Value, Geometry.BlockCount - start.Value, out state);
    }

    /// <summary>How many blocks are in each state.</summary>
    public BlockStateCounts CountStates() => states.Count();

    /// <summary>How many blocks of a range are in each state.</summary>
    /// <exception cref="BlockRangeException">The range reaches beyond the device.</exception>
    public BlockStateCounts CountStates(Lba start, long blockCount)
    {
        Geometry.CheckRange(Name, start, blockCount);
        Span<long> counts = stackalloc long[4];
        while (blockCount > 0)
        {
            var run = states.RunFrom(start.Value, blockCount, out var state);
            counts[(int)state] += run;
            start += run;
            blockCount -= run;
        }
        return new BlockStateCounts(counts[0], counts[1], counts[2], counts[3]);
    }

    /// <summary>Declares blocks bad, durably: from now on every request that touches them fails.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask MarkBadAsync(Lba start, long blockCount = 1, CancellationToken cancellationToken = default)
    {
        CheckWritable();
        Geometry.CheckRange(Name, start, blockCount);
        states.MarkBad(start.Value, blockCount);
        NoteChange();
        await PersistAsync().ConfigureAwait(false);
    }

    /// <summary>Replaces a bad block by a blank one, durably: it is free afterwards.</summary>
    /// <returns>False when the block was not bad; then nothing has changed.</returns>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<bool> ReplaceBlockAsync(Lba block, CancellationToken cancellationToken = default)
    {
        CheckWritable();
        if (GetState(block) != BlockState.Bad) return false;
        states.Replace(block.Value, 1);
        NoteChange();
        await PersistAsync().ConfigureAwait(false);
        return true;
    }

    /// <inheritdoc />
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        try
        {
            var rest = Geometry.CheckBuffer(Name, start, destination.Length);
            cancellationToken.ThrowIfCancellationRequested();
            CheckForBadBlocks(start, rest);
            for (var unread = destination; rest > 0;)
            {
                var run = states.RunFrom(start.Value, rest, out var state);
                var part = unread[..(int)(run * Geometry.BlockSizeBytes)];
                if (state == BlockState.Used) await ReadDataAsync(start, part).ConfigureAwait(false);
                else if (state == BlockState.Bad) throw new BadBlockException(Name, start);
                else part.Span.Clear();
                unread = unread[part.Length..];
                start += run;
                rest -= run;
            }
            counters.CountRead(destination.Length);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
    }

    /// <inheritdoc />
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WriteAsync(
        Lba start,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default)
    {
        try
        {
            var blockCount = Geometry.CheckBuffer(Name, start, source.Length);
            CheckWritable();
            cancellationToken.ThrowIfCancellationRequested();
            CheckForBadBlocks(start, blockCount);
            if (blockCount == 0) return;
            await ChangeDataAsync(start, source, blockCount).ConfigureAwait(false);
            if ((options & WriteOptions.ForceUnitAccess) != WriteOptions.None) await PersistAsync().ConfigureAwait(false);
            counters.CountWrite(source.Length);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
    }

    /// <inheritdoc />
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WriteZeroesAsync(
        Lba start,
        long blockCount,
        ZeroOptions options = ZeroOptions.None,
        CancellationToken cancellationToken = default)
    {
        // Space is never given back, so a marked block can always be written again: KeepAllocated holds by itself.
        try
        {
            await MarkTrimmedAsync(start, blockCount, cancellationToken).ConfigureAwait(false);
            if ((options & ZeroOptions.ForceUnitAccess) != ZeroOptions.None) await PersistAsync().ConfigureAwait(false);
            counters.CountWrite(blockCount * Geometry.BlockSizeBytes);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
    }

    /// <inheritdoc />
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        try
        {
            await MarkTrimmedAsync(start, blockCount, cancellationToken).ConfigureAwait(false);
            counters.CountTrim();
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
    }

    /// <inheritdoc />
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            await PersistAsync().ConfigureAwait(false);
            counters.CountFlush();
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
    }

    /// <inheritdoc />
    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents)
    {
        Geometry.CheckRange(Name, start, blockCount);
        var filled = 0;
        while (blockCount > 0)
        {
            var run = states.RunFrom(start.Value, blockCount, out var state);
            var kind = state is BlockState.Free or BlockState.Trimmed ? BlockExtentKind.Hole : BlockExtentKind.Data;
            if (filled > 0 && extents[filled - 1].Kind == kind)
                extents[filled - 1] = new BlockExtent(kind, extents[filled - 1].BlockCount + run);
            else if (filled == extents.Length) break;
            else extents[filled++] = new BlockExtent(kind, run);
            start += run;
            blockCount -= run;
        }
        return filled;
    }

    /// <inheritdoc />
    public DeviceStatistics GetStatistics() => counters.Snapshot();

    /// <inheritdoc />
    public abstract ValueTask DisposeAsync();

    private protected abstract ValueTask ReadDataAsync(Lba start, Memory<byte> destination);

    private protected abstract ValueTask WriteDataAsync(Lba start, ReadOnlyMemory<byte> source);

    /// <summary>
    /// Data or states have changed, or may have, so the next <see cref="PersistAsync"/> has something to do. Called after
    /// the change.
    /// </summary>
    private protected virtual void NoteChange()
    {
    }

    /// <summary>Makes all data and states durable that were there when it was called.</summary>
    private protected abstract ValueTask PersistAsync();

    private protected virtual void CheckWritable()
    {
        if (IsReadOnly) throw new DeviceReadOnlyException(Name);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ChangeDataAsync(Lba start, ReadOnlyMemory<byte> source, long blockCount)
    {
        try
        {
            await WriteDataAsync(start, source).ConfigureAwait(false);
            states.MarkUsed(start.Value, blockCount);
        }
        finally
        {
            NoteChange(); // A write that failed may have changed blocks that were used before, for every reader to see.
        }
    }

    ValueTask MarkTrimmedAsync(Lba start, long blockCount, CancellationToken cancellationToken)
    {
        Geometry.CheckRange(Name, start, blockCount);
        CheckWritable();
        cancellationToken.ThrowIfCancellationRequested();
        CheckForBadBlocks(start, blockCount);
        states.MarkTrimmed(start.Value, blockCount);
        NoteChange();
        return ValueTask.CompletedTask;
    }

    void CheckForBadBlocks(Lba start, long blockCount)
    {
        var bad = states.FindBad(start.Value, blockCount);
        if (bad >= 0) throw new BadBlockException(Name, new Lba(bad));
    }
}
