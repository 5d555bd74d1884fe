using System.Diagnostics.CodeAnalysis;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Disk space that is kept for the day when the disk is full: deletes, flushes and the merges that give space back then go on.
/// It is given up when anything of those fails for want of space; puts are refused from there on, until as much is free
/// again.
/// </summary>
/// <remarks>
/// A file without content that nobody reads and no manifest lists: whatever a crash leaves of it is right.
/// </remarks>
sealed class SpaceReserve(StoreFiles files, KeyValueOptions options)
{
    readonly Lock gate = new();
    long prepared;
    bool isLow;

    /// <summary>Whether the reserve is given up: only deletes are taken.</summary>
    public bool IsLow => Volatile.Read(ref isLow);

    /// <summary>
    /// What it holds once the store has more than a memtable: room for memtables and their logs, and for a step of a merge.
    /// </summary>
    public long FullBytes => options.SpaceReserveBytes ?? (2 * (options.MemTableBytes + options.TableBytes));

    /// <summary>Keeps space for deletes from the first write on; the rest from the first full memtable on.</summary>
    public void Prepare(bool isFull)
    {
        var bytes = isFull ? FullBytes : Math.Min(FullBytes, options.LogChunkBytes);
        if (bytes <= Volatile.Read(ref prepared) || IsLow) return;
        lock (gate)
        {
            if (IsLow) return;
            Volatile.Write(ref prepared, bytes); // Tried once: nothing but a full disk needs it.
            TryAllocate(bytes);
        }
    }

    /// <summary>The disk is full. True if there was a reserve to give up: what failed may work now.</summary>
    public bool Release()
    {
        lock (gate)
        {
            if (IsLow || FullBytes == 0) return false;
            Volatile.Write(ref isLow, true);
            files.TryDelete(files.ReservePath);
            return true;
        }
    }

    /// <summary>Gives up what an earlier process kept, so that the store can be opened on a full disk.</summary>
    public static bool Release(StoreFiles files)
    {
        if (!files.FileSystem.FileExists(files.ReservePath)) return false;
        files.TryDelete(files.ReservePath);
        return true;
    }

    /// <summary>
    /// Lets puts through if there is as much room again as is to be kept; true if that is so since just now.
    /// </summary>
    /// <exception cref="StorageException">The disk is full.</exception>
    public bool RequireRoom()
    {
        lock (gate)
        {
            if (!IsLow) return false;
            if (!TryAllocate(FullBytes)) ThrowFull();
            Volatile.Write(ref prepared, FullBytes);
            Volatile.Write(ref isLow, false);
            return true;
        }
    }

    /// <summary>Refuses work that has to wait until the disk has room.</summary>
    [DoesNotReturn]
    public void ThrowFull() => throw new StorageException(
        "fallocate", files.ReservePath, StorageErrorKind.NoSpace, Errno.NoSpace,
        $"the disk is full: {FullBytes} free bytes are needed, which deletes and merges may use; delete, or make room");

    bool TryAllocate(long bytes)
    {
        try
        {
            using var file = files.FileSystem.Open(files.ReservePath, FileOpenMode.OpenOrCreate);
            file.Allocate(0, bytes);
            return true;
        }
        catch (StorageException)
        {
            files.TryDelete(files.ReservePath);
            return false;
        }
    }
}
