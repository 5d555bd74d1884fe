using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Parts of the device that are to be empty.
public sealed partial class StoragePool
{
    internal PlaceMover Mover { get; }

    /// <summary>Parts of the device where nothing is placed.</summary>
    public IReadOnlyList<PoolRange> ListBarredRanges()
    {
        ThrowIfClosed();
        return
        [
            .. ReadBarred(Store, Name).Select(static range => new PoolRange(
                range.First * MapLayout.ChunkBytes, range.Count * MapLayout.ChunkBytes, range.State == BarredState.Gone)),
        ];
    }

    /// <summary>Whether nothing is placed in the part of the device that begins here.</summary>
    public bool IsBarred(long offsetBytes) => FindBarred(offsetBytes) is not null;

    /// <summary>
    /// Says, durably, that nothing more is placed in a part of the device, and that what lies there is to be moved away; which begins when
    /// it is run. Of one that was said before it goes on with what is left.
    /// </summary>
    /// <param name="offsetBytes">Where the part begins; chunks of 64 KiB that it touches belong to it.</param>
    /// <param name="lengthBytes">Its length.</param>
    /// <exception cref="DeviceFullException">The rest of the device has not room enough; nothing has changed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The pool has no such part that can be empty, or another one overlaps.</exception>
    /// <exception cref="NotSupportedException">The pool has its metadata on the device.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<PoolEvacuation> BeginEvacuationAsync(long offsetBytes, long lengthBytes)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        if (placed is not null) throw new NotSupportedException(
                $"The metadata of pool {Name} lie on its devices, a part on each, and what lies there is not moved.");
        var deviceBytes = Parts.Device.Geometry.SizeBytes;
        var endBytes = lengthBytes > deviceBytes - offsetBytes ? deviceBytes : offsetBytes + lengthBytes;
        var first = offsetBytes / MapLayout.ChunkBytes;
        // Also what the pool has not grown over: the device is to leave with all of it.
        var end = Math.Min(
            (endBytes + MapLayout.ChunkBytes - 1) / MapLayout.ChunkBytes,
            Math.Max(Space.ChunkCount, Math.Min(deviceBytes, DeviceBytesFor(MaxCapacityBytes)) / MapLayout.ChunkBytes));
        if (first < MapLayout.ReservedChunks || first >= end)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offsetBytes), offsetBytes, $"Pool {Name} cannot do without the {lengthBytes} bytes of its device there.");
        }

        long mostFree = 0;
        for (var attempt = 0; ; attempt++)
        {
            long missing;
            await barring.EnterAsync();
            try
            {
                (var begun, missing) = await TryBeginAsync(first, end);
                if (begun is not null) return begun;
            }
            finally
            {
                barring.Exit();
            }

            if (Parts.Throttle.ComesNearer(ref mostFree)) attempt = 0;
            await WaitForRoomAsync(attempt, missing);
        }
    }

    /// <summary>Puts a part of the device back into use that is being emptied; false when it has been, or is not.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<bool> CancelEvacuationAsync(long offsetBytes)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        return FindBarred(offsetBytes) is { } barred && await CancelAsync(barred);
    }

    /// <summary>The same, if that is what is still out of use there.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    internal async ValueTask<bool> CancelAsync(BarredChunks barred)
    {
        await barring.EnterAsync();
        try
        {
            var known = ReadBarred(Store, Name).Find(range => range.First == barred.First);
            if (known is not { State: BarredState.Leaving } || !Space.Barred.Contains(barred)) return false;
            await Catalogue.ForgetBarredAsync(known);
            Space.Unbar(barred);
            return true;
        }
        finally
        {
            barring.Exit();
        }
    }

    /// <summary>
    /// Says, durably, that a part that was emptied is out of use for good. Invariant: it has been out of use all the time since it was
    /// found empty. One that was put back into use in between may hold something again, and is somebody else's to empty.
    /// </summary>
    /// <exception cref="OperationCanceledException">It was put back into use.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    internal async ValueTask FinishEvacuationAsync(BarredRange range, BarredChunks barred)
    {
        await barring.EnterAsync();
        try
        {
            ThrowIfPutBack(barred);
            Invariant.Require(barred.TakenCount == 0);
            if (range.State != BarredState.Gone) await Catalogue.RememberBarredAsync(range with { State = BarredState.Gone });
        }
        finally
        {
            barring.Exit();
        }
    }

    internal void ThrowIfPutBack(BarredChunks barred)
    {
        if (!Space.Barred.Contains(barred)) throw new OperationCanceledException("It was put back into use.");
    }

    /// <summary>Puts a volume in order, which begins when it is run.</summary>
    /// <param name="name">The volume.</param>
    /// <param name="copiesShared">Whether what snapshots have as well is copied where that makes it faster to read.</param>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    public VolumeOrdering CreateOrdering(string name, bool copiesShared)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        return new VolumeOrdering(this, Catalogue.Require(name), copiesShared);
    }

    // A part is known by where it begins. Its device may have become longer since: then all of it is to leave.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<(PoolEvacuation? Begun, long Missing)> TryBeginAsync(long first, long end)
    {
        var known = ReadBarred(Store, Name).Find(range => range.First == first);
        var present = known is null ? null : FindBarred(first * MapLayout.ChunkBytes);
        if (known is not null && present is not null && known.End >= end) return (new PoolEvacuation(this, known, present), 0);
        if (Space.Barred.Any(range => range != present && first < range.End && range.First < end))
        {
            throw new ArgumentOutOfRangeException(
                nameof(first), first * MapLayout.ChunkBytes, $"A part of pool {Name} there is out of use already.");
        }

        if (Space.TryBar(first, end, present, out var missing) is not { } barred) return (null, missing);
        var record = new BarredRange(first, end - first, BarredState.Leaving);
        try
        {
            await Catalogue.RememberBarredAsync(record);
        }
        catch (DeviceFullException) when (present is null)
        {
            Space.Unbar(barred);
            throw;
        }

        return (new PoolEvacuation(this, record, barred), 0);
    }

    // What is just being given back is waited for, and deleted volumes give way, as for whoever else needs room.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WaitForRoomAsync(int attempt, long missing)
    {
        try
        {
            await Parts.Throttle.WaitForSpaceAsync(Name, attempt, missing + Space.FreeChunks);
        }
        catch (DeviceFullException)
        {
            var shortage = BinarySize.FormatExact(missing * MapLayout.ChunkBytes);
            throw new DeviceFullException(Name, $"what lies there does not fit into the rest: {shortage} are missing");
        }
    }

    BarredChunks? FindBarred(long offsetBytes) =>
        Space.Barred.FirstOrDefault(range => range.First == offsetBytes / MapLayout.ChunkBytes);

    // What has left is not among what a pool holds; what is leaving still is.
    static long CapacityOf(KeyValueStore store, long chunkCount)
    {
        var chunks = chunkCount - MapLayout.ReservedChunks;
        foreach (var range in ReadBarred(store, "pool"))
            if (range.State == BarredState.Gone) chunks -= Math.Max(0, Math.Min(range.End, chunkCount) - range.First);
        return chunks * MapLayout.ChunkBytes;
    }

    static List<BarredRange> ReadBarred(KeyValueStore store, string where)
    {
        var ranges = new List<BarredRange>();
        using var cursor = store.Scan(KeyRange.Prefix(MapKeys.Barred));
        while (cursor.MoveNext()) ranges.Add(BarredRange.Read(cursor.Key, cursor.Value, where));
        return ranges;
    }
}
