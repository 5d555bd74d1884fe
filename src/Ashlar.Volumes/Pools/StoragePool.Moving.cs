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
            .. ReadBarred(Store, Space.ChunkCount, Name).Select(static range => new PoolRange(
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
        if (placed is not null) throw new NotSupportedException($"The metadata of pool {Name} lie on its device, among the data.");
        var first = offsetBytes / MapLayout.ChunkBytes;
        var end = Math.Min((offsetBytes + lengthBytes + MapLayout.ChunkBytes - 1) / MapLayout.ChunkBytes, Space.ChunkCount);
        if (first < MapLayout.ReservedChunks || first >= end)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offsetBytes), offsetBytes, $"Pool {Name} cannot do without the {lengthBytes} bytes of its device there.");
        }

        var known = ReadBarred(Store, Space.ChunkCount, Name).Find(range => range.First == first && range.End == end);
        if (known is not null) return new PoolEvacuation(this, known, FindBarred(first * MapLayout.ChunkBytes)!);
        if (Space.Barred.Any(range => first < range.End && range.First < end))
            throw new ArgumentOutOfRangeException(nameof(offsetBytes), offsetBytes, $"A part of pool {Name} there is out of use already.");
        var barred = await BarAsync(first, end);
        var record = new BarredRange(first, end - first, BarredState.Leaving);
        try
        {
            await Catalogue.RememberBarredAsync(record);
        }
        catch (DeviceFullException)
        {
            Space.Unbar(barred);
            throw;
        }

        return new PoolEvacuation(this, record, barred);
    }

    /// <summary>Puts a part of the device back into use that is being emptied; false when it has been, or is not.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<bool> CancelEvacuationAsync(long offsetBytes)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        var first = offsetBytes / MapLayout.ChunkBytes;
        var known = ReadBarred(Store, Space.ChunkCount, Name).Find(range => range.First == first);
        if (known is not { State: BarredState.Leaving } || FindBarred(first * MapLayout.ChunkBytes) is not { } barred) return false;
        await Catalogue.ForgetBarredAsync(known);
        Space.Unbar(barred);
        return true;
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

    // What is just being given back is waited for, and deleted volumes give way, as for whoever else needs room.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<BarredChunks> BarAsync(long first, long end)
    {
        for (var attempt = 0; ; attempt++)
        {
            if (Space.TryBar(first, end, out var missing) is { } barred) return barred;
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
    }

    BarredChunks? FindBarred(long offsetBytes) =>
        Space.Barred.FirstOrDefault(range => range.First == offsetBytes / MapLayout.ChunkBytes);

    static List<BarredRange> ReadBarred(KeyValueStore store, long chunkCount, string where)
    {
        var ranges = new List<BarredRange>();
        using var cursor = store.Scan(KeyRange.Prefix(MapKeys.Barred));
        while (cursor.MoveNext()) ranges.Add(BarredRange.Read(cursor.Key, cursor.Value, chunkCount, where));
        return ranges;
    }
}
