namespace Ashlar.Blocks;

/// <summary>A request of a client in bytes, kept so that it can wait until it is let in.</summary>
readonly struct SessionRequest
{
    readonly Memory<byte> destination;
    readonly ReadOnlyMemory<byte> source;
    readonly int options;

    SessionRequest(
        DriverOperation operation,
        long offsetBytes,
        long lengthBytes,
        Memory<byte> destination,
        ReadOnlyMemory<byte> source,
        int options)
    {
        Operation = operation;
        OffsetBytes = offsetBytes;
        LengthBytes = lengthBytes;
        this.destination = destination;
        this.source = source;
        this.options = options;
    }

    public DriverOperation Operation { get; }

    public long OffsetBytes { get; }

    public long LengthBytes { get; }

    public static SessionRequest Read(long offsetBytes, Memory<byte> destination) =>
        new(DriverOperation.Read, offsetBytes, destination.Length, destination, default, 0);

    public static SessionRequest Write(long offsetBytes, ReadOnlyMemory<byte> source, WriteOptions options) =>
        new(DriverOperation.Write, offsetBytes, source.Length, default, source, (int)options);

    public static SessionRequest WriteZeroes(long offsetBytes, long lengthBytes, ZeroOptions options) =>
        new(DriverOperation.WriteZeroes, offsetBytes, lengthBytes, default, default, (int)options);

    public static SessionRequest Trim(long offsetBytes, long lengthBytes) =>
        new(DriverOperation.Trim, offsetBytes, lengthBytes, default, default, 0);

    public static SessionRequest Flush() => new(DriverOperation.Flush, 0, 0, default, default, 0);

    /// <summary>Hands the request to the client's driver; whatever is thrown becomes an error of the task.</summary>
    public ValueTask Issue(BlockDriver driver, CancellationToken cancellationToken)
    {
        try
        {
            return Operation switch
            {
                DriverOperation.Read => driver.ReadAsync(OffsetBytes, destination, cancellationToken),
                DriverOperation.Write => driver.WriteAsync(OffsetBytes, source, (WriteOptions)options, cancellationToken),
                DriverOperation.WriteZeroes =>
                    driver.WriteZeroesAsync(OffsetBytes, LengthBytes, (ZeroOptions)options, cancellationToken),
                DriverOperation.Trim => driver.TrimAsync(OffsetBytes, LengthBytes, cancellationToken),
                _ => driver.FlushAsync(cancellationToken),
            };
        }
        catch (Exception e)
        {
            return ValueTask.FromException(e); // Even a bug must not count as under way for ever.
        }
    }
}
