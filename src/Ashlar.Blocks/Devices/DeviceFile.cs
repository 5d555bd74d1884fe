using System.Buffers;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

/// <summary>
/// A device whose blocks and their states persist in one file. The data lies at a fixed place in it, the states in an
/// area of their own, checksummed; docs/formats/block-device.md describes it.
/// </summary>
/// <remarks>
/// <para>After a crash: a block that was flushed holds what was flushed. A block that was written and not flushed
/// holds, in each sector of 512 bytes, its content of the last flush or something written since, or it reads as zeros.
/// A bad block stays bad. No block ever shows what lay in it before it was trimmed, or another block's data.</para>
/// <para>The data itself has no checksums: a sector that rots on the medium is found by the medium, or not at
/// all.</para>
/// <para>A lock on the file, whatever it is called, keeps a second process from opening it; a file beside it, with ".lock" after its name,
/// from creating it at the same time.</para>
/// </remarks>
public sealed class DeviceFile : StatefulDevice
{
    /// <summary>The most blocks that a device file can have: 2^32.</summary>
    public const long MaxBlockCount = DeviceFileFormat.MaxBlockCount;

    readonly IDisposable? fileLock;
    readonly IFile file;
    readonly DeviceFileFormat.Header header;
    readonly BlockStateMap states;
    readonly BlockFile blocks;
    readonly FlushQueue flushes;
    readonly DeviceCounters counters;
    readonly DeviceStatistics before;
    bool isDisposed;

    DeviceFile(
        IDisposable? fileLock,
        IFile file,
        in DeviceFileFormat.Header header,
        BlockStateMap states,
        DeviceStatistics before,
        bool isReadOnly,
        DeviceCounters counters)
        : base(file.Path, states, header.BlockSizeBytes, counters)
    {
        this.fileLock = fileLock;
        this.file = file;
        this.header = header;
        this.states = states;
        this.before = before;
        this.counters = counters;
        IsReadOnly = isReadOnly;
        blocks = new BlockFile(file.Path, file, header.DataOffset);
        flushes = new FlushQueue(file.Path, MakeDurable);
    }

    /// <inheritdoc />
    public override bool IsReadOnly { get; }

    /// <summary>Identity of the device; it never changes.</summary>
    public Guid Id => header.Id;

    /// <summary>Bytes that the file occupies on disk; blocks that were never written take none.</summary>
    public long AllocatedBytes => file.AllocatedBytes;

    /// <summary>
    /// Counters of the whole life of the device. They are stored with states and when the device is closed: a crash
    /// loses those since, and what was done to a device that was opened read-only is not counted.
    /// </summary>
    public DeviceStatistics GetLifetimeStatistics() => before + counters.Snapshot();

    /// <summary>Creates a device whose blocks are all free, durably, and opens it.</summary>
    /// <param name="fileSystem">The disk.</param>
    /// <param name="path">The file, which must not exist. Its space is taken as blocks are first written.</param>
    /// <param name="entropy">Where the device's id comes from.</param>
    /// <param name="blockCount">Number of blocks, at most 2^32.</param>
    /// <param name="blockSizeBytes">512 or 4096.</param>
    /// <exception cref="StorageException">The file exists, or cannot be created.</exception>
    /// <exception cref="LockedException">Another process is about to create it.</exception>
    public static DeviceFile Create(
        IFileSystem fileSystem,
        string path,
        IEntropySource entropy,
        long blockCount = MemoryDevice.DefaultBlockCount,
        int blockSizeBytes = MemoryDevice.DefaultBlockSizeBytes)
    {
        _ = BlockGeometry.Create(blockSizeBytes, blockCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(blockCount, MaxBlockCount);
        RequireMissing(fileSystem, path); // Before the lock, so that a device in use is told to exist.
        var header = new DeviceFileFormat.Header(entropy.NextGuid(), blockSizeBytes, blockCount);
        using (fileSystem.Lock(LockPath(path))) CreateFile(fileSystem, path, header);
        return Open(fileSystem, path);
    }

    /// <summary>Opens a device and checks everything in its file but the data.</summary>
    /// <param name="fileSystem">The disk.</param>
    /// <param name="path">The file.</param>
    /// <param name="isReadOnly">Whether writes are refused and the file stays as it is.</param>
    /// <exception cref="StorageException">The file is missing, or cannot be opened.</exception>
    /// <exception cref="LockedException">The device is in use.</exception>
    /// <exception cref="UnsupportedFormatException">The file is no device, or of a version unknown here.</exception>
    /// <exception cref="CorruptDataException">The file is damaged; the error says where.</exception>
    public static DeviceFile Open(IFileSystem fileSystem, string path, bool isReadOnly = false)
    {
        var file = fileSystem.Open(path, isReadOnly ? FileOpenMode.ReadOnly : FileOpenMode.Existing);
        IDisposable? fileLock = null;
        try
        {
            // Before the lock, which is of others where it is a foreign file. A header never changes.
            var header = ReadHeader(file);
            fileLock = Lock(fileSystem, path, isReadOnly);
            var states = ReadStates(file, header);
            Span<byte> sector = stackalloc byte[DeviceFileFormat.SectorBytes];
            ReadFully(file, sector, DeviceFileFormat.CountersOffset);
            var before = DeviceFileFormat.ReadCounters(path, sector, header.Id);
            return new DeviceFile(fileLock, file, header, states, before, isReadOnly, new DeviceCounters());
        }
        catch
        {
            fileLock?.Dispose();
            file.Dispose();
            throw;
        }
    }

    /// <summary>Flushes, stores the counters and closes the file, which is closed even if that fails.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public override async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = true;
        blocks.StopWriteBack();
        try
        {
            if (!IsReadOnly)
            {
                await flushes.FlushAsync().ConfigureAwait(false);
                WriteCounters();
                file.Sync();
            }
        }
        finally
        {
            file.Dispose();
            fileLock?.Dispose();
        }
    }

    private protected override ValueTask ReadDataAsync(Lba start, Memory<byte> destination) =>
        blocks.ReadAsync(start.Value * header.BlockSizeBytes, destination);

    private protected override ValueTask WriteDataAsync(Lba start, ReadOnlyMemory<byte> source)
    {
        blocks.Write(start.Value * header.BlockSizeBytes, source.Span);
        return ValueTask.CompletedTask;
    }

    private protected override void NoteChange() => flushes.NoteChange();

    private protected override ValueTask PersistAsync() =>
        IsReadOnly ? ValueTask.CompletedTask : flushes.FlushAsync();

    private protected override void CheckWritable()
    {
        base.CheckWritable();
        flushes.CheckHealthy();
    }

    // Crash order of a flush. On disk a block may be called used only if the data that goes with it is there: beneath a
    // trimmed block lies what it held before, and a crash must not bring that back.
    //   1. Copy the state pages that have changed. A block is marked used after its data was written
    //      (StatefulDevice), so the data of every block that is used in the copy has been handed to the kernel.
    //   2. Sync. The data is on disk.          Crash: the old states; blocks written since read as before, or, where
    //                                          they were used all along, hold old and new sectors.
    //   3. Write the copies in place.          Crash: each page is old or new, because a page is one sector of 512
    //      Sync.                               bytes, and all that a new one promises is on disk already.
    // Written before 2, or copied after it began, a page could call a block used whose data is not there.
    // If any step fails the queue latches; the states in memory are then ahead of the disk, and nobody can flush them.
    void MakeDurable()
    {
        var changed = CopyChangedPages(out var pages);
        file.Sync();
        if (changed.Count == 0) return;
        WritePages(changed, pages.WrittenSpan);
        WriteCounters();
        file.Sync();
    }

    List<int> CopyChangedPages(out ArrayBufferWriter<byte> copies)
    {
        copies = new ArrayBufferWriter<byte>(DeviceFileFormat.SectorBytes);
        List<int> changed = [];
        for (var page = 0; page < states.PageCount; page++)
        {
            if (!states.TakeChanged(page)) continue;
            changed.Add(page);
            var copy = copies.GetSpan(DeviceFileFormat.SectorBytes)[..DeviceFileFormat.SectorBytes];
            DeviceFileFormat.WritePage(copy, Id, page, states.Page(page));
            copies.Advance(DeviceFileFormat.SectorBytes);
        }
        return changed;
    }

    // Neighbouring pages go out in one call.
    void WritePages(List<int> changed, ReadOnlySpan<byte> copies)
    {
        for (var first = 0; first < changed.Count;)
        {
            var end = first + 1;
            while (end < changed.Count && changed[end] == changed[end - 1] + 1) end++;
            file.Write(
                copies[(first * DeviceFileFormat.SectorBytes)..(end * DeviceFileFormat.SectorBytes)],
                DeviceFileFormat.PageOffset(changed[first]));
            first = end;
        }
    }

    void WriteCounters()
    {
        Span<byte> sector = stackalloc byte[DeviceFileFormat.SectorBytes];
        DeviceFileFormat.WriteCounters(sector, Id, GetLifetimeStatistics());
        file.Write(sector, DeviceFileFormat.CountersOffset);
    }

    // Crash order: the file is complete and durable under another name before it gets its own, so under its own name
    // there is either no file or a whole device. A leftover of a crash is overwritten by the next attempt.
    static void CreateFile(IFileSystem fileSystem, string path, in DeviceFileFormat.Header header)
    {
        RequireMissing(fileSystem, path);
        var unfinished = path + ".new";
        try
        {
            WriteBlankDevice(fileSystem, unfinished, header);
            fileSystem.Rename(unfinished, path);
        }
        catch (StorageException) when (fileSystem.FileExists(unfinished))
        {
            fileSystem.Delete(unfinished);
            throw;
        }
        fileSystem.SyncDirectory(System.IO.Path.GetDirectoryName(path) ?? "/");
    }

    static void WriteBlankDevice(IFileSystem fileSystem, string path, in DeviceFileFormat.Header header)
    {
        using var file = fileSystem.Open(path, FileOpenMode.OpenOrCreate);
        file.SetLength(0);
        file.SetLength(header.FileLengthBytes);
        file.Allocate(0, header.DataOffset); // States are written in place: a full disk must not stop a flush.
        var sector = new byte[DeviceFileFormat.SectorBytes];
        DeviceFileFormat.WriteHeader(sector, header);
        file.Write(sector, 0);
        DeviceFileFormat.WriteCounters(sector, header.Id, default);
        file.Write(sector, DeviceFileFormat.CountersOffset);
        var words = new ulong[BlockStateMap.WordsPerPage];
        for (var page = 0; page < header.PageCount; page++)
        {
            DeviceFileFormat.WritePage(sector, header.Id, page, words);
            file.Write(sector, DeviceFileFormat.PageOffset(page));
        }
        file.Sync();
    }

    static void RequireMissing(IFileSystem fileSystem, string path)
    {
        if (fileSystem.FileExists(path))
            throw StorageException.FromErrno("create", path, Errno.Exists);
    }

    static DeviceFileFormat.Header ReadHeader(IFile file)
    {
        Span<byte> sector = stackalloc byte[DeviceFileFormat.SectorBytes];
        var bytesRead = file.Read(sector, 0);
        DeviceFileFormat.RequireMagic(file.Path, sector[..bytesRead]);
        ReadFully(file, sector, 0);
        var header = DeviceFileFormat.ReadHeader(file.Path, sector);
        var lengthBytes = file.LengthBytes;
        if (lengthBytes != header.FileLengthBytes)
        {
            throw new CorruptDataException(
                file.Path,
                Math.Min(lengthBytes, header.FileLengthBytes),
                $"the file has {lengthBytes} bytes, its header asks for {header.FileLengthBytes}");
        }
        return header;
    }

    static BlockStateMap ReadStates(IFile file, in DeviceFileFormat.Header header)
    {
        var states = new BlockStateMap(header.BlockCount);
        Span<byte> sector = stackalloc byte[DeviceFileFormat.SectorBytes];
        for (var page = 0; page < header.PageCount; page++)
        {
            ReadFully(file, sector, DeviceFileFormat.PageOffset(page));
            DeviceFileFormat.ReadPage(file.Path, sector, header, page, states.Page(page));
        }
        for (var offset = header.PagesEnd; offset < header.DataOffset; offset += sector.Length)
        {
            ReadFully(file, sector, offset);
            DeviceFileFormat.RequireZeros(file.Path, offset, sector);
        }
        return states;
    }

    static void ReadFully(IFile file, Span<byte> destination, long offsetBytes)
    {
        var bytesRead = file.Read(destination, offsetBytes);
        if (bytesRead < destination.Length)
        {
            throw new CorruptDataException(
                file.Path, offsetBytes + bytesRead, "the file ends here, within the device's header or states");
        }
    }

    // A reader whose file system has no lock for it goes without: it changes nothing, and nobody else is promised to be kept out.
    static IDisposable? Lock(IFileSystem fileSystem, string path, bool isReadOnly)
    {
        try
        {
            return fileSystem.LockExisting(path);
        }
        catch (StorageException e) when (isReadOnly && e.Kind == StorageErrorKind.AccessDenied)
        {
            return null;
        }
    }

    static string LockPath(string path) => path + ".lock";
}
