namespace Ashlar.Blocks;

/// <summary>
/// The only way users reach a device: turns byte ranges into blocks, validates, retries, counts and logs. One driver per
/// device, shared by everyone who uses it: partial blocks are read, changed and written under its locks.
/// </summary>
public sealed class BlockDriver
{
    /// <summary>Puts a driver in front of a device.</summary>
    public BlockDriver(IBlockDevice device) => Device = device;

    /// <summary>The device.</summary>
    public IBlockDevice Device { get; }

    /// <summary>Size in bytes.</summary>
    public long SizeBytes => Device.Geometry.SizeBytes;

    /// <summary>Reads a byte range.</summary>
    public ValueTask ReadAsync(long offsetBytes, Memory<byte> destination, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Writes a byte range.</summary>
    public ValueTask WriteAsync(
        long offsetBytes,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Makes a byte range read as zeros.</summary>
    public ValueTask WriteZeroesAsync(
        long offsetBytes,
        long lengthBytes,
        ZeroOptions options = ZeroOptions.None,
        CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Trims the whole blocks within a byte range; the rest of it stays as it is.</summary>
    public ValueTask TrimAsync(long offsetBytes, long lengthBytes, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Makes every write that completed before this call durable.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
