using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>Base of the errors of block devices.</summary>
/// <param name="device">Name of the device.</param>
/// <param name="message">What was wrong; the device's name is put before it.</param>
/// <param name="innerException">The cause, where one exists.</param>
public abstract class BlockDeviceException(string device, string message, Exception? innerException = null)
    : AshlarException($"{device}: {message}", innerException)
{
    /// <summary>Name of the device.</summary>
    public string Device { get; } = device;

    /// <summary>Whether trying again may help.</summary>
    public virtual bool IsTransient => false;
}

/// <summary>The request names blocks that the device does not have.</summary>
public class BlockRangeException : BlockDeviceException, IClassifiedFailure
{
    /// <summary>Creates the error.</summary>
    public BlockRangeException(string device, Lba start, long blockCount, long deviceBlockCount)
        : this(
            device,
            $"{blockCount} blocks from block {start} are beyond the end: the device has {deviceBlockCount} blocks",
            start,
            blockCount,
            deviceBlockCount)
    {
    }

    private protected BlockRangeException(
        string device,
        string message,
        Lba start,
        long blockCount,
        long deviceBlockCount)
        : base(device, message)
    {
        Start = start;
        BlockCount = blockCount;
        DeviceBlockCount = deviceBlockCount;
    }

    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.InvalidRequest;

    /// <summary>First block asked for.</summary>
    public Lba Start { get; }

    /// <summary>Number of blocks asked for.</summary>
    public long BlockCount { get; }

    /// <summary>Number of blocks that the device has.</summary>
    public long DeviceBlockCount { get; }
}

/// <summary>A byte range reaches beyond the device, or is no range at all.</summary>
public sealed class OutOfBoundsException(string device, long offsetBytes, long lengthBytes, BlockGeometry geometry)
    : BlockRangeException(
        device,
        $"{lengthBytes} bytes at byte {offsetBytes} are out of bounds: the device has {geometry.SizeBytes} bytes",
        new Lba(offsetBytes / geometry.BlockSizeBytes),
        lengthBytes / geometry.BlockSizeBytes + (lengthBytes % geometry.BlockSizeBytes == 0 ? 0 : 1),
        geometry.BlockCount)
{
    /// <summary>First byte asked for.</summary>
    public long OffsetBytes { get; } = offsetBytes;

    /// <summary>Number of bytes asked for.</summary>
    public long LengthBytes { get; } = lengthBytes;
}

/// <summary>The request is not made of whole blocks.</summary>
public sealed class BlockAlignmentException(string device, long lengthBytes, int blockSizeBytes)
    : BlockDeviceException(device, $"{lengthBytes} bytes are not a whole number of {blockSizeBytes}-byte blocks")
{
    /// <summary>Length of the buffer, in bytes.</summary>
    public long LengthBytes { get; } = lengthBytes;

    /// <summary>Block size of the device, in bytes.</summary>
    public int BlockSizeBytes { get; } = blockSizeBytes;
}

/// <summary>A block of the medium has gone bad; it fails until it is replaced.</summary>
public sealed class BadBlockException(string device, Lba block)
    : BlockDeviceException(device, $"block {block} is bad"), IClassifiedFailure
{
    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.Damaged;

    /// <summary>The first bad block of the request.</summary>
    public Lba Block { get; } = block;
}

/// <summary>The medium, or the thin pool beneath, has no space left for the write. Nothing was changed.</summary>
public sealed class DeviceFullException(string device, string detail, Exception? innerException = null)
    : BlockDeviceException(device, $"no space left: {detail}", innerException), IClassifiedFailure
{
    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.NoSpace;
}

/// <summary>The device does not accept writes.</summary>
public sealed class DeviceReadOnlyException(string device)
    : BlockDeviceException(device, "read-only");

/// <summary>The medium failed.</summary>
public sealed class DeviceIOException(string device, string message, bool isTransient, Exception? innerException = null)
    : BlockDeviceException(device, message, innerException)
{
    /// <inheritdoc />
    public override bool IsTransient { get; } = isTransient;
}

/// <summary>A transient failure did not go away by trying again. The last failure is the inner exception.</summary>
public sealed class RetriesExhaustedException(string device, int attempts, BlockDeviceException lastFailure)
    : BlockDeviceException(device, $"given up after {attempts} attempts: {lastFailure.Message}", lastFailure)
{
    /// <summary>How often it was tried.</summary>
    public int Attempts { get; } = attempts;
}

/// <summary>The device cannot write so much as a whole or not at all.</summary>
/// <param name="device">Name of the device.</param>
/// <param name="lengthBytes">Length of the write.</param>
/// <param name="maxBytes">The longest that it can; 0 for none.</param>
public sealed class AtomicWriteException(string device, long lengthBytes, int maxBytes) : BlockDeviceException(
    device,
    maxBytes == 0
        ? "it cannot write atomically"
        : $"{lengthBytes} bytes cannot be written atomically: {maxBytes} is the most"), IClassifiedFailure
{
    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.InvalidRequest;

    /// <summary>Length of the write.</summary>
    public long LengthBytes { get; } = lengthBytes;

    /// <summary>The longest that it can; 0 for none.</summary>
    public int MaxBytes { get; } = maxBytes;
}

/// <summary>What has changed since a snapshot cannot be told, because the snapshot is gone.</summary>
public sealed class ChangesUnknownException(string device)
    : BlockDeviceException(device, "the snapshot that is compared with is gone");
