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

/// <summary>The request reaches beyond the device.</summary>
public sealed class BlockRangeException(string device, Lba start, long blockCount, long deviceBlockCount)
    : BlockDeviceException(device, $"{blockCount} blocks from block {start} are beyond the end: the device has {deviceBlockCount} blocks")
{
    /// <summary>First block asked for.</summary>
    public Lba Start { get; } = start;

    /// <summary>Number of blocks asked for.</summary>
    public long BlockCount { get; } = blockCount;

    /// <summary>Number of blocks that the device has.</summary>
    public long DeviceBlockCount { get; } = deviceBlockCount;
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
    : BlockDeviceException(device, $"block {block} is bad")
{
    /// <summary>The first bad block of the request.</summary>
    public Lba Block { get; } = block;
}

/// <summary>The medium, or the thin pool beneath, has no space left for the write. Nothing was changed.</summary>
public sealed class DeviceFullException(string device, string detail, Exception? innerException = null)
    : BlockDeviceException(device, $"no space left: {detail}", innerException);

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
