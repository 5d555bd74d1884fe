using System.Diagnostics;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

/// <summary>
/// The bytes of a file as blocks, and nothing else: no header, no states. What storage pools lie on.
/// </summary>
/// <remarks>
/// <para>Reads complete synchronously if the page cache has the bytes, and wait on another thread if it does not.
/// Writes go to the page cache at once. Flushes run on another thread and are shared by concurrent callers.</para>
/// <para>After a failed flush the device refuses writes and flushes, with the first cause, until it is opened
/// again.</para>
/// <para>Nothing keeps two processes from opening one file: the owner of the directory holds its lock.</para>
/// <para>A read that overlaps a write of the same block in time may see a part of it, as the kernel copies by
/// pages.</para>
/// </remarks>
public sealed partial class FileDevice : IReservableDevice, IGrowableDevice, ICachingDevice
{
    readonly IFile file;
    readonly IFileSystem? fileSystem;
    readonly BlockFile blocks;
    readonly FlushQueue flushes;
    readonly DeviceCounters counters = new();
    readonly int blockSizeBytes;
    readonly bool isBlockDevice;
    readonly Lock growing = new();
    long blockCount;

    /// <inheritdoc />
    public TimeSpan FlushInterval
    {
        get => blocks.FlushInterval;
        set => blocks.FlushInterval = value;
    }

    /// <inheritdoc />
    public bool IsFlushShort => flushes.IsShort;

    /// <summary>Puts a device on an open file, which it takes over and closes.</summary>
    /// <param name="file">
    /// The file; its length must be a whole number of blocks, at least one. Of a block device a part of a block at its end is not used.
    /// </param>
    /// <param name="blockSizeBytes">512 or 4096.</param>
    /// <param name="isReadOnly">Whether writes are refused.</param>
    /// <param name="fileSystem">Where the file lies, so that its free space can be told; may be null.</param>
    /// <exception cref="UnsupportedFormatException">The length does not fit.</exception>
    public FileDevice(
        IFile file,
        int blockSizeBytes = MemoryDevice.DefaultBlockSizeBytes,
        bool isReadOnly = false,
        IFileSystem? fileSystem = null)
    {
        isBlockDevice = file.IsBlockDevice;
        var lengthBytes = file.LengthBytes;
        if (isBlockDevice) lengthBytes -= lengthBytes % blockSizeBytes; // Its length is as it is.
        if (lengthBytes < blockSizeBytes || lengthBytes % blockSizeBytes != 0)
        {
            throw new UnsupportedFormatException(
                file.Path, $"{lengthBytes} bytes are not a whole number of {blockSizeBytes}-byte blocks");
        }
        this.file = file;
        this.fileSystem = fileSystem;
        this.blockSizeBytes = blockSizeBytes;
        blockCount = BlockGeometry.Create(blockSizeBytes, lengthBytes / blockSizeBytes).BlockCount;
        IsReadOnly = isReadOnly;
        blocks = new BlockFile(file.Path, file, 0);
        flushes = new FlushQueue(file.Path, file.Sync);
    }

    /// <inheritdoc />
    public string Name => file.Path;

    /// <inheritdoc />
    public BlockGeometry Geometry => new(blockSizeBytes, Volatile.Read(ref blockCount), blockSizeBytes);

    /// <inheritdoc />
    public bool IsReadOnly { get; }

    /// <summary>Whether its path still leads to it. Where it does not, what is written goes with the last handle.</summary>
    /// <exception cref="StorageException">That cannot be found out.</exception>
    public bool IsInPlace => file.IsInPlace;

    /// <summary>Creates a file that reads as zeros, durably, and opens it as a device.</summary>
    /// <param name="fileSystem">The disk.</param>
    /// <param name="path">The file, which must not exist.</param>
    /// <param name="sizeBytes">A whole number of blocks. Space is taken as blocks are first written.</param>
    /// <param name="blockSizeBytes">512 or 4096.</param>
    /// <exception cref="StorageException">The file exists, or cannot be created.</exception>
    public static FileDevice Create(
        IFileSystem fileSystem,
        string path,
        long sizeBytes,
        int blockSizeBytes = MemoryDevice.DefaultBlockSizeBytes)
    {
        _ = BlockGeometry.Create(blockSizeBytes, sizeBytes / blockSizeBytes);
        if (sizeBytes % blockSizeBytes != 0) throw new BlockAlignmentException(path, sizeBytes, blockSizeBytes);
        var file = fileSystem.Open(path, FileOpenMode.CreateNew);
        try
        {
            file.SetLength(sizeBytes);
            file.Sync();
            fileSystem.SyncDirectory(System.IO.Path.GetDirectoryName(path) ?? "/");
            return new FileDevice(file, blockSizeBytes, fileSystem: fileSystem);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file as a device.</summary>
    /// <exception cref="StorageException">The file is missing, or cannot be opened.</exception>
    /// <exception cref="UnsupportedFormatException">Its length is not a whole number of blocks.</exception>
    public static FileDevice Open(
        IFileSystem fileSystem,
        string path,
        int blockSizeBytes = MemoryDevice.DefaultBlockSizeBytes,
        bool isReadOnly = false)
    {
        var file = fileSystem.Open(path, isReadOnly ? FileOpenMode.ReadOnly : FileOpenMode.Existing);
        try
        {
            return new FileDevice(file, blockSizeBytes, isReadOnly, fileSystem);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public void DropCached(Lba start, long blockCount)
    {
        Geometry.CheckRange(Name, start, blockCount);
        file.DropCached(OffsetOf(start), blockCount * Geometry.BlockSizeBytes);
    }

    /// <inheritdoc />
    public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        try
        {
            Geometry.CheckBuffer(Name, start, destination.Length);
            if (destination.IsEmpty) return ValueTask.CompletedTask;
            return counters.CountReadAsync(blocks.ReadAsync(OffsetOf(start), destination), destination.Length);
        }
        catch (BlockDeviceException e)
        {
            return Failed(e);
        }
    }

    /// <inheritdoc />
    public ValueTask WriteAsync(
        Lba start,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        try
        {
            Geometry.CheckBuffer(Name, start, source.Length);
            CheckWritable();
            if (source.IsEmpty) return ValueTask.CompletedTask;
            Write(OffsetOf(start), source.Span);
        }
        catch (BlockDeviceException e)
        {
            return Failed(e);
        }
        return counters.CountWriteAsync(
            (options & WriteOptions.ForceUnitAccess) != WriteOptions.None ? flushes.FlushAsync() : ValueTask.CompletedTask, source.Length);
    }

    /// <inheritdoc />
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WriteZeroesAsync(
        Lba start,
        long blockCount,
        ZeroOptions options = ZeroOptions.None,
        CancellationToken cancellationToken = default)
    {
        await ZeroAsync(start, blockCount, options, cancellationToken).ConfigureAwait(false);
        var lengthBytes = blockCount * Geometry.BlockSizeBytes;
        if ((options & ZeroOptions.ForceUnitAccess) == ZeroOptions.None) counters.CountWrite(lengthBytes);
        else await counters.CountWriteAsync(flushes.FlushAsync(), lengthBytes).ConfigureAwait(false);
    }

    /// <inheritdoc />
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        await ZeroAsync(start, blockCount, ZeroOptions.None, cancellationToken).ConfigureAwait(false);
        counters.CountTrim();
    }

    /// <inheritdoc />
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (IsReadOnly) return;
        try
        {
            await flushes.FlushAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
        counters.CountFlush();
    }

    /// <inheritdoc />
    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents)
    {
        Geometry.CheckRange(Name, start, blockCount);
        if (blockCount == 0) return 0;
        extents[0] = new BlockExtent(BlockExtentKind.Data, blockCount);
        return 1;
    }

    /// <inheritdoc />
    public DeviceStatistics GetStatistics() => counters.Snapshot();

    /// <summary>Flushes and closes the file, which is closed even if the flush fails.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask DisposeAsync()
    {
        blocks.StopWriteBack();
        try
        {
            if (!IsReadOnly) await flushes.FlushAsync().ConfigureAwait(false);
        }
        finally
        {
            file.Dispose();
        }
    }

    void Write(long offsetBytes, ReadOnlySpan<byte> source)
    {
        try
        {
            blocks.Write(offsetBytes, source);
        }
        finally
        {
            flushes.NoteChange(source.Length);
        }
    }

    void CheckWritable()
    {
        if (IsReadOnly) throw new DeviceReadOnlyException(Name);
        flushes.CheckHealthy();
    }

    long OffsetOf(Lba start) => start.Value * Geometry.BlockSizeBytes;

    ValueTask Failed(BlockDeviceException e)
    {
        counters.CountFailure(e);
        return ValueTask.FromException(e);
    }
}
