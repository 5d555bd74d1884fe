using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

// How a file system comes to be, is opened, and grows.
public sealed partial class BlockFileSystem
{
    const long RegionBytesPerAreaByte = 128;

    /// <summary>Bytes that an area for metadata has in a region that is so large, where nothing else is asked for.</summary>
    public static long AreaBytesFor(long regionBytes) =>
        Math.Clamp(regionBytes / RegionBytesPerAreaByte, HeaderFormat.MinAreaBytes, HeaderFormat.MaxAreaBytes);

    /// <summary>Makes an empty file system. What the region held is lost.</summary>
    /// <param name="device">The device.</param>
    /// <param name="region">Its pieces, whole units each; they begin at multiples of 4 KiB.</param>
    /// <param name="options">Its unit.</param>
    /// <exception cref="ArgumentException">The region is none, or too small.</exception>
    /// <exception cref="StorageException">The device failed.</exception>
    public static void Format(IBlockDevice device, IReadOnlyList<RegionExtent> region, BlockFileSystemOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(region);
        options ??= new();
        var unit = options.UnitBytes;
        if (unit is < HeaderFormat.MinUnitBytes or > HeaderFormat.MaxUnitBytes || !long.IsPow2(unit))
            throw new ArgumentException($"Units of {unit} bytes: a power of two from 4 KiB to 256 KiB is needed.", nameof(options));
        if (HeaderFormat.FindProblem(region, unit, device.Geometry.SizeBytes) is { } problem)
            throw new ArgumentException($"{device.Name}: {problem}", nameof(region));
        var size = region.Sum(extent => extent.LengthBytes);
        var areaBytes = options.AreaBytes ?? AreaBytesFor(size);
        if (areaBytes is < HeaderFormat.MinAreaBytes or > HeaderFormat.MaxAreaBytes)
            throw new ArgumentException($"Areas of {areaBytes} bytes.", nameof(options));
        var area = (areaBytes + unit - 1) / unit;
        var first = ((HeaderFormat.CopyCount * HeaderFormat.SizeBytes) + unit - 1) / unit;
        if (region[0].LengthBytes < HeaderFormat.CopyCount * HeaderFormat.SizeBytes || first + (2 * area) >= size / unit)
            throw new ArgumentException($"{device.Name}: {size} bytes are too few for a file system.", nameof(region));
        var header = new HeaderFormat(
            options.Entropy.NextGuid(), unit, 1, new UnitRun(first, area), new UnitRun(first + area, area), [.. region]);
        var space = new Region(device, region);

        // Crash order: the header last. Without it there is no file system here; the old one's may still be there, with what is left of it.
        space.Write(0, new byte[HeaderFormat.CopyCount * HeaderFormat.SizeBytes]);
        space.Flush();
        MetadataLog.Create(space, header, options.Rules, options.Entropy, new MetadataImage(device.Name, header.UnitCount, unit));
        space.Flush();
        WriteHeader(space, header);
    }

    /// <summary>Opens a file system. The device stays the caller's, and must stay open until this is disposed of.</summary>
    /// <param name="device">The device; one that is read-only can be read.</param>
    /// <param name="offsetBytes">Where its first piece begins.</param>
    /// <param name="options">Memory that it may take.</param>
    /// <exception cref="UnsupportedFormatException">There is none, or one of a later version.</exception>
    /// <exception cref="CorruptDataException">Its metadata are damaged.</exception>
    /// <exception cref="StorageException">The device failed.</exception>
    public static BlockFileSystem Open(IBlockDevice device, long offsetBytes, BlockFileSystemOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        options ??= new();
        var (header, isWhole) = ReadHeader(device, offsetBytes);
        var region = new Region(device, header.Extents);
        if (!region.IsReadOnly)
        {
            options.Rules.FlushBeforeOpening(region, header);
            if (!isWhole) WriteHeader(region, header);
        }

        var image = new MetadataImage(device.Name, header.UnitCount, header.UnitBytes);
        var log = MetadataLog.Open(region, header, options.Rules, options.Entropy, image);
        var units = new UnitMap(header.UnitCount);
        TakeOwnUnits(units, header);
        image.TakeUnits(units);
        var disk = new BlockFileSystem(region, log, image, units, options);
        disk.Load();
        return disk;
    }

    /// <summary>Gets another piece of the device. Durable when the call returns; areas for metadata that have become too small are
    /// moved.</summary>
    /// <exception cref="ArgumentException">The piece is none, or overlaps what it has.</exception>
    /// <exception cref="StorageException">The device failed.</exception>
    public void Grow(RegionExtent extent)
    {
        lock (committing)
        {
            lock (gate) RequireWritable("grow", region.Name);
            var grown = log.Header with { Extents = [.. log.Header.Extents, extent], Generation = log.Header.Generation + 1 };
            if (HeaderFormat.FindProblem(grown.Extents, unitBytes, region.DeviceBytes) is { } problem)
                throw new ArgumentException($"{region.Name}: {problem}", nameof(extent));

            // Crash order: the header is durable before anything lies in the new piece.
            WriteHeaderOrLatch(grown);
            log.Move(grown);
            region.Extend(grown.Extents);
            lock (gate)
            {
                units.Grow(grown.UnitCount);
                image.UnitCount = grown.UnitCount;
            }

            for (var i = 0; i < 2; i++) MoveArea();
        }
    }

    // Crash order: the header names a new place for the area that does not count; then it gets the checkpoint that makes it count. Before
    // that it holds nothing, and the other one counts.
    void MoveArea()
    {
        var index = 1 - log.Current;
        var old = log.Header.Area(index);
        var wanted = (AreaBytesFor(region.SizeBytes) + unitBytes - 1) / unitBytes;
        UnitRun? taken;
        lock (gate) taken = wanted > old.Count ? units.AllocateWhole(wanted) : null;
        if (taken is not { } place) return;
        var next = log.Header with { Generation = log.Header.Generation + 1 };
        next = index == 0 ? next with { Area0 = place } : next with { Area1 = place };
        WriteHeaderOrLatch(next);
        log.Move(next);
        try
        {
            log.Checkpoint(image);
        }
        catch (StorageException cause)
        {
            Latch(cause);
            throw;
        }

        lock (gate) units.Release(old);
    }

    void WriteHeaderOrLatch(HeaderFormat header)
    {
        try
        {
            WriteHeader(region, header);
        }
        catch (StorageException cause)
        {
            Latch(cause);
            throw;
        }
    }

    // One copy after the other: a power cut leaves one whole.
    static void WriteHeader(Region region, HeaderFormat header)
    {
        var bytes = new byte[HeaderFormat.SizeBytes];
        header.Write(bytes);
        for (var copy = 0; copy < HeaderFormat.CopyCount; copy++)
        {
            region.Write(copy * HeaderFormat.SizeBytes, bytes);
            region.Flush();
        }
    }

    static (HeaderFormat Header, bool IsWhole) ReadHeader(IBlockDevice device, long offsetBytes)
    {
        const int length = HeaderFormat.CopyCount * HeaderFormat.SizeBytes;
        if (offsetBytes < 0 || offsetBytes % Region.PageBytes != 0 || offsetBytes > device.Geometry.SizeBytes - length)
            throw new UnsupportedFormatException(device.Name, $"no file system can be at byte {offsetBytes}");
        var place = new Region(device, [new(offsetBytes, length)]);
        if (!device.IsReadOnly)
        {
            place.Flush();
            place.DropCached(0, length);
        }

        var bytes = new byte[length];
        place.Read(0, bytes);
        var found = new HeaderFormat?[HeaderFormat.CopyCount];
        AshlarException? problem = null;
        for (var copy = 0; copy < found.Length; copy++)
        {
            try
            {
                var start = copy * HeaderFormat.SizeBytes;
                found[copy] = HeaderFormat.Read(
                    bytes.AsSpan(start, HeaderFormat.SizeBytes), device.Name, offsetBytes + start, device.Geometry.SizeBytes);
            }
            catch (AshlarException e)
            {
                // What is damaged says more than what is not there.
                if (problem is not CorruptDataException) problem = e;
            }
        }

        if (found is [{ } first, { } second])
        {
            if (first.Id != second.Id)
                throw new CorruptDataException(
                    device.Name, offsetBytes, $"one copy of the header is of file system {first.Id}, the other of {second.Id}");
            return first.Generation >= second.Generation
                ? (first, first.Generation == second.Generation)
                : (second, false);
        }

        return (found[0] ?? found[1] ?? throw problem!, false);
    }

    static void TakeOwnUnits(UnitMap units, HeaderFormat header)
    {
        Invariant.Require(units.TryTake(new UnitRun(0, header.HeaderUnits)) is null);
        for (var i = 0; i < 2; i++) Invariant.Require(units.TryTake(header.Area(i)) is null);
    }

    // What no path leads to was open when its process ended; its units become free with the next commit of names.
    void Load()
    {
        foreach (var (number, node) in image.Nodes)
        {
            var inode = new Inode(number, node.Names is not null) { IsCommitted = true, LengthBytes = node.LengthBytes };
            foreach (var extent in node.Extents.Extents) inode.Extents.Set(extent.FileUnit, extent.Run);
            inode.StaleEnd = (node.LengthBytes + unitBytes - 1) / unitBytes * unitBytes;
            inodes.Add(number, inode);
            nextNumber = Math.Max(nextNumber, number + 1);
            metadataBytes += ChangeFormat.CreateBytes + ChangeFormat.FileBytes
                + (node.Extents.Extents.Count * (long)ChangeFormat.RangeBytes);
        }

        root = inodes[ChangeFormat.RootInode];
        var reached = image.FindReachable();
        foreach (var number in reached)
        {
            if (image.Nodes[number].Names is not { } names) continue;
            foreach (var (name, child) in names)
            {
                var inode = inodes[child];
                inodes[number].Names!.Add(name, inode);
                (inode.Parent, inode.Name) = (inodes[number], name);
                metadataBytes += ChangeFormat.NameBytes + StrictUtf8.GetByteCount(name);
            }
        }

        foreach (var inode in inodes.Values.Where(inode => !reached.Contains(inode.Number)).ToArray())
        {
            inodes.Remove(inode.Number);
            pendingUnits += inode.Extents.Units;
            dead.Add(inode);
        }
    }
}
