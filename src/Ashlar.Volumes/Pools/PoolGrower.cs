using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Makes a pool larger while it is in use.</summary>
/// <remarks>
/// <para>The number of chunks in the store decides how large a pool is; no volume may own a chunk beyond it, and the device has all of
/// them. Crash order:</para>
/// <para>Before all: take the memory that the larger pool needs. A number of chunks that the store has and memory does not would end this
/// life and every later one.</para>
/// <para>1. Lengthen the device, durably. Crash: a device that is longer than its pool, as it may be.</para>
/// <para>2. Remember the new number of chunks in the store, durably. 2 before 1 would leave a pool whose device looks cut off. Crash: the
/// pool is as large as was asked for, all of it free.</para>
/// <para>3. Add the chunks to the free ones. 3 before 2 would let a commit write a bitmap with chunks that the pool does not have, which
/// the next opening takes for damage.</para>
/// <para>4. The superblocks get the new number when they are written next. Until then they say less than the store, which
/// counts.</para>
/// </remarks>
class PoolGrower(PoolParts parts, SuperblockCopies superblocks)
{
    readonly AsyncLock turn = new();

    /// <summary>Grows the pool to a number of chunks; durable when the call returns. Nothing happens when it has them already.</summary>
    /// <exception cref="DeviceFullException">What lies below, the store, or memory has no room; the pool is as large as it was.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask GrowAsync(long chunkCount)
    {
        await turn.EnterAsync();
        try
        {
            if (chunkCount > parts.Space.ChunkCount) await GrowLockedAsync(chunkCount);
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Steps 1 to 4.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    protected virtual async ValueTask GrowLockedAsync(long chunkCount)
    {
        var space = Prepare(chunkCount);
        await LengthenAsync(chunkCount);
        await RememberAsync(chunkCount, Durability.Sync);
        await GiveOutAsync(space);
    }

    /// <summary>Before step 1: takes all the memory that the pool needs then. What does not fit into it would end every start.</summary>
    /// <exception cref="DeviceFullException">There is not that much.</exception>
    protected PreparedSpace Prepare(long chunkCount)
    {
        var tables = ChunkTables.Create(parts.Name, chunkCount, parts.Options.AvailableMemory());
        return new(tables, parts.Space.Prepare(tables));
    }

    /// <summary>Step 1.</summary>
    protected async ValueTask LengthenAsync(long chunkCount)
    {
        if (parts.Device is not IGrowableDevice device) throw new NotSupportedException($"{parts.Device.Name} cannot grow.");
        await device.GrowAsync(chunkCount * MapLayout.ChunkBytes / device.Geometry.BlockSizeBytes);
        Invariant.Require(device.Geometry.SizeBytes >= chunkCount * MapLayout.ChunkBytes);
    }

    /// <summary>Step 2.</summary>
    protected async ValueTask RememberAsync(long chunkCount, Durability durability)
    {
        var value = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(value, chunkCount);
        var batch = new WriteBatch();
        batch.Put(MapKeys.DeviceChunks, value);
        await parts.Metadata.WriteAsync(batch, durability, mayUseReserve: true);
    }

    /// <summary>Steps 3 and 4.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    protected async ValueTask GiveOutAsync(PreparedSpace space)
    {
        await parts.Committer.ExcludeAsync(() =>
        {
            parts.Space.Grow(space.Tables, space.FreeChunks);
            return ValueTask.FromResult(true);
        });
        await superblocks.GrowAsync(space.Tables.ChunkCount);
    }

    /// <param name="Tables">Those of the larger pool.</param>
    /// <param name="FreeChunks">Free ones in its new groups.</param>
    protected sealed record PreparedSpace(ChunkTables Tables, long FreeChunks);
}
