using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

/// <summary>
/// The pieces of a device that a file system lies on, as one row of bytes. Calls wait, and fail as calls on a disk do.
/// </summary>
sealed class Region
{
    /// <summary>Unit of what is read and written.</summary>
    public const int PageBytes = 4096;

    const int ZeroPieceBytes = 64 * 1024;
    const int LongZeroBytes = 512 * 1024; // From here on the device is told instead of given zeros; short runs are better written for good.

    static readonly byte[] Zeros = new byte[ZeroPieceBytes];

    readonly IBlockDevice device;
    (RegionExtent Extent, long Start)[] pieces = [];

    public Region(IBlockDevice device, IReadOnlyList<RegionExtent> extents)
    {
        this.device = device;
        Extend(extents);
    }

    public string Name => device.Name;

    public long DeviceBytes => device.Geometry.SizeBytes;

    public bool IsReadOnly => device.IsReadOnly;

    public long SizeBytes { get; private set; }

    /// <summary>Takes a longer list of the same pieces and more.</summary>
    public void Extend(IReadOnlyList<RegionExtent> extents)
    {
        var next = new (RegionExtent, long)[extents.Count];
        long start = 0;
        for (var i = 0; i < extents.Count; i++)
        {
            next[i] = (extents[i], start);
            start += extents[i].LengthBytes;
        }

        Volatile.Write(ref pieces, next);
        SizeBytes = start;
    }

    /// <summary>Where a byte of the region lies on the device.</summary>
    public long DeviceOffset(long position) => Locate(position).Offset;

    public void Read(long position, Memory<byte> destination) => Wait("pread", position, destination.Length, () =>
    {
        while (!destination.IsEmpty)
        {
            var (offset, left) = Locate(position);
            var piece = (int)Math.Min(destination.Length, left);
            Complete(device.ReadAsync(LbaOf(offset), destination[..piece]));
            destination = destination[piece..];
            position += piece;
        }
    });

    /// <summary>Reads what lies in one piece of the device, without waiting where the device need not.</summary>
    public ValueTask ReadAsync(long position, Memory<byte> destination) => device.ReadAsync(LbaOf(Locate(position).Offset), destination);

    /// <summary>How much from here on lies in one piece of the device.</summary>
    public long ContiguousBytes(long position) => Locate(position).Left;

    public void Write(long position, ReadOnlyMemory<byte> source) => Wait("pwrite", position, source.Length, () =>
    {
        while (!source.IsEmpty)
        {
            var (offset, left) = Locate(position);
            var piece = (int)Math.Min(source.Length, left);
            Complete(device.WriteAsync(LbaOf(offset), source[..piece]));
            source = source[piece..];
            position += piece;
        }
    });

    public void Zero(long position, long lengthBytes) => Wait("fallocate", position, lengthBytes, () =>
    {
        while (lengthBytes > 0)
        {
            var (offset, left) = Locate(position);
            var piece = Math.Min(lengthBytes, left);
            if (piece >= LongZeroBytes)
            {
                Complete(device.WriteZeroesAsync(LbaOf(offset), piece / device.Geometry.BlockSizeBytes, ZeroOptions.KeepAllocated));
            }
            else
            {
                piece = Math.Min(piece, ZeroPieceBytes);
                Complete(device.WriteAsync(LbaOf(offset), Zeros.AsMemory(0, (int)piece)));
            }

            position += piece;
            lengthBytes -= piece;
        }
    });

    public void Flush() => Wait("fdatasync", 0, 0, () => Complete(device.FlushAsync()));

    /// <summary>Forgets copies of what the device holds that something above its medium has.</summary>
    public void DropCached(long position, long lengthBytes)
    {
        if (device is not ICachingDevice caching) return;
        while (lengthBytes > 0)
        {
            var (offset, left) = Locate(position);
            var piece = Math.Min(lengthBytes, left);
            caching.DropCached(LbaOf(offset), piece / device.Geometry.BlockSizeBytes);
            position += piece;
            lengthBytes -= piece;
        }
    }

    /// <summary>A failure of the device as one of a call on a file.</summary>
    public static StorageException Translate(string operation, string path, AshlarException failure, string place)
    {
        var errno = failure switch
        {
            StorageException { Errno: not 0 } storage => storage.Errno,
            DeviceFullException => Errno.NoSpace,
            DeviceReadOnlyException => Errno.ReadOnlyFileSystem,
            { InnerException: StorageException { Errno: not 0 } cause } => cause.Errno,
            _ => Errno.InputOutput,
        };
        return new StorageException(operation, path, Errno.KindOf(errno), errno, $"{place}: {failure.Message}");
    }

    Lba LbaOf(long offset) => new(offset / device.Geometry.BlockSizeBytes);

    (long Offset, long Left) Locate(long position)
    {
        var all = Volatile.Read(ref pieces);
        int low = 0, high = all.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (all[middle].Start <= position) low = middle;
            else high = middle - 1;
        }

        var (extent, start) = all[low];
        Invariant.Require(position >= start && position - start < extent.LengthBytes);
        return (extent.OffsetBytes + (position - start), extent.LengthBytes - (position - start));
    }

    void Wait(string operation, long position, long lengthBytes, Action action)
    {
        using var waits = InlineWaits.Expect();
        try
        {
            action();
        }
        catch (AshlarException failure) when (failure is BlockDeviceException or CorruptDataException or StorageException)
        {
            var place = operation == "fdatasync" ? "flush" : $"{lengthBytes} bytes at byte {position} of its file system";
            throw Translate(operation, device.Name, failure, place);
        }
    }

    static void Complete(ValueTask pending)
    {
        if (pending.IsCompletedSuccessfully) pending.GetAwaiter().GetResult();
        else pending.AsTask().GetAwaiter().GetResult();
    }
}
