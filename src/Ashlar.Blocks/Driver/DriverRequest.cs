namespace Ashlar.Blocks;

/// <summary>A request on whole blocks, kept so that it can be tried again.</summary>
readonly struct DriverRequest
{
    readonly Memory<byte> destination;
    readonly ReadOnlyMemory<byte> source;
    readonly long blockCount;
    readonly int options;

    DriverRequest(
        DriverOperation operation,
        Lba start,
        long blockCount,
        Memory<byte> destination,
        ReadOnlyMemory<byte> source,
        int options)
    {
        Operation = operation;
        Start = start;
        this.blockCount = blockCount;
        this.destination = destination;
        this.source = source;
        this.options = options;
    }

    public DriverOperation Operation { get; }

    public Lba Start { get; }

    public static DriverRequest Read(Lba start, Memory<byte> destination) =>
        new(DriverOperation.Read, start, 0, destination, default, 0);

    public static DriverRequest Write(Lba start, ReadOnlyMemory<byte> source, WriteOptions options) =>
        new(DriverOperation.Write, start, 0, default, source, (int)options);

    public static DriverRequest WriteZeroes(Lba start, long blockCount, ZeroOptions options) =>
        new(DriverOperation.WriteZeroes, start, blockCount, default, default, (int)options);

    public static DriverRequest Trim(Lba start, long blockCount) =>
        new(DriverOperation.Trim, start, blockCount, default, default, 0);

    public static DriverRequest Flush() => new(DriverOperation.Flush, default, 0, default, default, 0);

    public long LengthBytes(int blockSizeBytes) =>
        destination.Length + source.Length + blockCount * blockSizeBytes;

    /// <summary>
    /// Hands the request to the device; an error that the device throws becomes an error of the task.
    /// </summary>
    public ValueTask Issue(IBlockDevice device, CancellationToken cancellationToken)
    {
        try
        {
            return Operation switch
            {
                DriverOperation.Read => device.ReadAsync(Start, destination, cancellationToken),
                DriverOperation.Write => device.WriteAsync(Start, source, (WriteOptions)options, cancellationToken),
                DriverOperation.WriteZeroes =>
                    device.WriteZeroesAsync(Start, blockCount, (ZeroOptions)options, cancellationToken),
                DriverOperation.Trim => device.TrimAsync(Start, blockCount, cancellationToken),
                _ => device.FlushAsync(cancellationToken),
            };
        }
        catch (Exception e)
        {
            return ValueTask.FromException(e);
        }
    }
}
