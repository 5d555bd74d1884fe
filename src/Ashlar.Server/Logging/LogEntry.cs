using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>Something that an operator wants to know, once: complete in its message, and in parts for programs.</summary>
/// <param name="Level">How much it matters.</param>
/// <param name="Event">Stable name of what happened: what programs decide by (<see cref="LogEvents"/>).</param>
/// <param name="Message">One line, without the time.</param>
public sealed record LogEntry(LogLevel Level, string Event, string Message)
{
    /// <summary>The pool that it concerns.</summary>
    public string? Pool { get; init; }

    /// <summary>The volume that it concerns, as "pool/volume".</summary>
    public string? Volume { get; init; }

    /// <summary>"nbd", "iscsi", "nvme", "api" or "s3".</summary>
    public string? Protocol { get; init; }

    /// <summary>What the protocol knows the client by.</summary>
    public string? Client { get; init; }

    /// <summary>Address and port that the client came from.</summary>
    public string? Address { get; init; }

    /// <summary>The size of the volume from now on.</summary>
    public long? SizeBytes { get; init; }
}
