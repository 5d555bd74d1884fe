namespace Ashlar.Blocks;

/// <summary>How a <see cref="BlockDriver"/> works.</summary>
public sealed record BlockDriverOptions
{
    /// <summary>How often a request is tried that fails transiently, 1 or more; 3 by default.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>How many entries the log keeps before the oldest are forgotten; 256 by default.</summary>
    public int LogCapacity { get; init; } = 256;

    /// <summary>Whether requests that succeed are logged too; retries and failures always are.</summary>
    public bool LogOperations { get; init; }

    /// <summary>Gets every log entry as it is made, on the thread of the request; null for none.</summary>
    public Action<DriverLogEntry>? LogSink { get; init; }

    /// <summary>The clock, for latencies and the log.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
