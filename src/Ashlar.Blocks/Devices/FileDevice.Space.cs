using System.Diagnostics;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

// Zeroing, giving space back, keeping it, and growing.
public sealed partial class FileDevice
{
    const long InlineZeroBytes = 4 << 20; // Larger ranges take milliseconds, which is too long for the caller's thread.

    static readonly byte[] Zeros = new byte[64 * 1024];

    /// <inheritdoc />
    public long? FreeSpaceBelowBytes => isBlockDevice ? null : fileSystem?.GetFreeSpaceBytes(DirectoryPath);

    /// <inheritdoc />
    public string? SpaceBelowIdentity => isBlockDevice ? null : fileSystem?.GetVolumeIdentity(DirectoryPath);

    string DirectoryPath => System.IO.Path.GetDirectoryName(file.Path) ?? "/";

    /// <inheritdoc />
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ReserveAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            Geometry.CheckRange(Name, start, blockCount);
            CheckWritable();
            if (blockCount == 0 || isBlockDevice) return; // A block device has its space.
            await ChangeSpaceAsync(
                new SpaceChange(this, OffsetOf(start), blockCount * Geometry.BlockSizeBytes),
                static change => change.Device.Reserve(change)).ConfigureAwait(false);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
    }

    /// <inheritdoc />
    /// <remarks>The file is a hole where it was lengthened: space is taken as blocks are first written.</remarks>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask GrowAsync(long blockCount, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var wanted = BlockGeometry.Create(blockSizeBytes, blockCount);
        try
        {
            CheckWritable();
            lock (growing)
                if (wanted.SizeBytes > file.LengthBytes) Lengthen(wanted.SizeBytes);
            // Also when it was long enough: an earlier process may have lengthened it and died before that was durable.
            flushes.NoteChange();
            await flushes.FlushAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
        lock (growing) this.blockCount = Math.Max(this.blockCount, wanted.BlockCount);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ZeroAsync(Lba start, long blockCount, ZeroOptions options, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            Geometry.CheckRange(Name, start, blockCount);
            CheckWritable();
            if (blockCount == 0) return;
            await ChangeSpaceAsync(
                new SpaceChange(this, OffsetOf(start), blockCount * Geometry.BlockSizeBytes, options),
                static change => change.Device.Zero(change)).ConfigureAwait(false);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
    }

    static ValueTask ChangeSpaceAsync(SpaceChange change, Action<SpaceChange> action)
    {
        if (change.LengthBytes > InlineZeroBytes) return WorkerThreads.Blocking.RunAsync(action, change);
        action(change);
        return ValueTask.CompletedTask;
    }

    void Reserve(in SpaceChange change)
    {
        try
        {
            file.Allocate(change.OffsetBytes, change.LengthBytes);
        }
        catch (StorageException e) when (e.Kind == StorageErrorKind.NotSupported)
        {
            throw new NotSupportedException($"{Name}: the file system cannot reserve space.", e);
        }
        catch (StorageException e)
        {
            throw blocks.Translate(e);
        }
        finally
        {
            flushes.NoteChange();
        }
    }

    void Lengthen(long sizeBytes)
    {
        if (isBlockDevice)
            throw new DeviceFullException(Name, $"the block device has {file.LengthBytes} bytes, and {sizeBytes} are needed");
        try
        {
            file.SetLength(sizeBytes);
        }
        catch (StorageException e) when (e.Errno == Errno.FileTooLarge)
        {
            throw new DeviceFullException(Name, $"the file system has no files of {sizeBytes} bytes", e);
        }
        catch (StorageException e)
        {
            throw blocks.Translate(e);
        }
    }

    void Zero(in SpaceChange change)
    {
        try
        {
            if ((change.Options & ZeroOptions.KeepAllocated) != ZeroOptions.None) ZeroAndKeep(change);
            else file.PunchHole(change.OffsetBytes, change.LengthBytes);
        }
        catch (StorageException e) when (e.Kind == StorageErrorKind.NotSupported)
        {
            if ((change.Options & ZeroOptions.FastOnly) != ZeroOptions.None)
                throw new NotSupportedException($"{Name}: the file system cannot zero a range without writing it.", e);
            WriteZeros(change);
        }
        catch (StorageException e)
        {
            throw blocks.Translate(e);
        }
        finally
        {
            flushes.NoteChange();
        }
    }

    // First the space, then the zeros: on a full disk the range keeps its content and what space it has. A hole that is
    // punched and filled up again would offer the space to everybody in between.
    void ZeroAndKeep(in SpaceChange change)
    {
        try
        {
            if (!isBlockDevice) file.Allocate(change.OffsetBytes, change.LengthBytes);
        }
        catch (StorageException e) when (e.Kind == StorageErrorKind.NotSupported)
        {
            // The zeros are written, or are refused as a whole.
        }
        file.ZeroRange(change.OffsetBytes, change.LengthBytes);
    }

    void WriteZeros(in SpaceChange change)
    {
        for (long done = 0; done < change.LengthBytes; done += Zeros.Length)
        {
            var piece = (int)Math.Min(Zeros.Length, change.LengthBytes - done);
            blocks.Write(change.OffsetBytes + done, Zeros.AsSpan(0, piece));
        }
    }

    readonly record struct SpaceChange(
        FileDevice Device,
        long OffsetBytes,
        long LengthBytes,
        ZeroOptions Options = ZeroOptions.None);
}
