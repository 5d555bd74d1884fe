namespace Ashlar.Planning;

/// <summary>What one node can hold and do, sustained.</summary>
public sealed record NodeLimits
{
    /// <summary>Bytes that it holds.</summary>
    public long SizeBytes { get; init; } = 8L << 40;

    /// <summary>Reads and writes together.</summary>
    public Rate Operations { get; init; } = Rate.OfSecond(20_000);

    /// <summary>Bytes a second in and out together.</summary>
    public long BytesPerSecond { get; init; } = 1L << 30;
}
