using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// The two copies of the superblock. Both hold the pool's identity; each holds a sequence of the store that was durable when the copy
/// was written. A store that has come to less than that is older than the data: its log was cut off, or it was put
/// back from a copy, and places that it gives to one block may hold another by now.
/// </summary>
/// <remarks>
/// Crash order: a copy is written only when the store's sequence in it is durable, and only when the other copy is on stable
/// storage: two flushes of the device have ended since that was written, of which the second began after the write. So
/// a power cut finds at least one whole copy, and never a number that the store did not reach. Writing waits for no flush of its own.
/// </remarks>
sealed class SuperblockCopies
{
    const long FlushesBetweenWrites = 2;

    readonly IBlockDevice device;
    readonly AsyncLock turn = new();
    readonly byte[] buffer = new byte[Superblock.SizeBytes];
    readonly TimeProvider clock;
    Superblock current;
    int damagedCopy = -1;
    int nextCopy;
    long flushesAtLastWrite;

    SuperblockCopies(IBlockDevice device, Superblock current, int nextCopy, TimeProvider clock)
    {
        this.clock = clock;
        this.device = device;
        this.current = current;
        this.nextCopy = nextCopy;
    }

    public Superblock Current => Volatile.Read(ref current);

    /// <summary>Reads both copies; one is enough.</summary>
    /// <exception cref="UnsupportedFormatException">Not a pool, or a version that this program cannot read.</exception>
    /// <exception cref="CorruptDataException">Both copies are damaged, or they do not belong together.</exception>
    public static async ValueTask<SuperblockCopies> ReadAsync(IBlockDevice device, TimeProvider? time = null)
    {
        var clock = time ?? TimeProvider.System;
        var found = new Superblock?[Superblock.CopyCount];
        Exception? problem = null;
        var bytes = new byte[Superblock.SizeBytes];
        for (var copy = 0; copy < Superblock.CopyCount; copy++)
        {
            try
            {
                await device.ReadAsync(LbaOf(device, copy), bytes);
                found[copy] = Superblock.Read(bytes, device.Name, Superblock.CopyOffsetBytes(copy));
            }
            catch (UnsupportedFormatException) when (Superblock.HasMagic(bytes))
            {
                throw; // Sound, but of a later version: nothing that may be written over.
            }
            catch (AshlarException cause)
            {
                problem ??= cause;
            }
        }

        if (found is [{ } first, { } second])
        {
            if (first.PoolId != second.PoolId)
                throw new CorruptDataException(
                    device.Name, 0, $"superblock: one copy is of pool {first.PoolId}, the other of pool {second.PoolId}");
            return IsNewer(first, second) ? new(device, first, nextCopy: 1, clock) : new(device, second, nextCopy: 0, clock);
        }

        var damaged = found[0] is null ? 0 : 1;
        return new SuperblockCopies(device, found[1 - damaged] ?? throw problem!, nextCopy: damaged, clock) { damagedCopy = damaged };
    }

    // Revisions count everything that is written, sequences only what the store has done; where there are no revisions both copies
    // differ in nothing else.
    static bool IsNewer(Superblock first, Superblock second) =>
        (first.Placement?.Revision ?? 0, first.StoreSequence).CompareTo((second.Placement?.Revision ?? 0, second.StoreSequence)) >= 0;

    /// <summary>Fails if a store has not come as far as it had when a superblock was last written.</summary>
    public void CheckNotOlder(ulong storeSequence)
    {
        if (storeSequence < Current.StoreSequence)
            throw new CorruptDataException(
                device.Name,
                0,
                $"pool {Current.Name}: its map is older than its data: the map has come to sequence {storeSequence}, "
                + $"and had come to {Current.StoreSequence}");
    }

    /// <summary>Writes a damaged copy anew.</summary>
    public async ValueTask RepairAsync(PoolEvents events)
    {
        if (damagedCopy < 0) return;
        Current.Write(buffer);
        await device.WriteAsync(LbaOf(device, damagedCopy), buffer);
        await device.FlushAsync();
        events.Report(
            PoolEventKind.DamagedSuperblock,
            PoolEventSeverity.Warning,
            $"copy {damagedCopy + 1} of the superblock, at byte {Superblock.CopyOffsetBytes(damagedCopy)} of {device.Name}, was damaged "
            + "and is written anew from the other");
        damagedCopy = -1;
        nextCopy = 1 - nextCopy;
    }

    /// <summary>The next copies that are written say that the pool has so many chunks.</summary>
    public async ValueTask GrowAsync(long chunkCount)
    {
        await turn.EnterAsync();
        Volatile.Write(ref current, Current with { ChunkCount = chunkCount });
        turn.Exit();
    }

    /// <summary>Notes how far the store has come, if the other copy is on stable storage by now; durable with a later flush.</summary>
    /// <param name="durableSequence">Every write of the store up to it is durable.</param>
    /// <param name="flushes">Flushes of the device so far, each of which began after the one before it had ended.</param>
    /// <returns>Whether the device was written to.</returns>
    public async ValueTask<bool> NoteAsync(ulong durableSequence, Func<long> flushes)
    {
        await turn.EnterAsync();
        try
        {
            if (durableSequence <= Current.StoreSequence || flushes() - flushesAtLastWrite < FlushesBetweenWrites) return false;
            await WriteAsync(durableSequence);
            flushesAtLastWrite = flushes(); // After the write: a flush that ran meanwhile may not have covered it.
            return true;
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Notes it for good; the device is flushed when it is closed.</summary>
    public async ValueTask CloseAsync(ulong durableSequence)
    {
        await turn.EnterAsync();
        try
        {
            if (durableSequence <= Current.StoreSequence) return;
            await device.FlushAsync();
            await WriteAsync(durableSequence);
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Changes both copies, durably.</summary>
    /// <remarks>Crash order: each is written when the other one is on stable storage.</remarks>
    public async ValueTask ChangeAsync(Func<Superblock, Superblock> change)
    {
        await turn.EnterAsync();
        try
        {
            var next = change(Current);
            await device.FlushAsync();
            for (var copy = 0; copy < Superblock.CopyCount; copy++)
            {
                await WriteAsync(next);
                await device.FlushAsync();
            }
        }
        finally
        {
            turn.Exit();
        }
    }

    public static Lba LbaOf(IBlockDevice device, int copy) => new(Superblock.CopyOffsetBytes(copy) / device.Geometry.BlockSizeBytes);

    ValueTask WriteAsync(ulong sequence) => WriteAsync(Current with { StoreSequence = sequence });

    async ValueTask WriteAsync(Superblock next)
    {
        if (next.Placement is { } placement) next = next with { Placement = placement.Revised(clock) };
        next.Write(buffer);
        await device.WriteAsync(LbaOf(device, nextCopy), buffer);
        nextCopy = 1 - nextCopy;
        Volatile.Write(ref current, next);
    }
}
