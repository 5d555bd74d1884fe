namespace Ashlar.Api;

/// <summary>A client that is attached to a volume, and what it has done since it came.</summary>
public sealed record VolumeSession
{
    /// <summary>"nbd", "iscsi" or "nvme".</summary>
    public required string Protocol { get; init; }

    /// <summary>What the protocol knows it by: the name of an iSCSI initiator port or an NVMe host, the address of an NBD client.</summary>
    public required string Client { get; init; }

    /// <summary>Address and port that it came from.</summary>
    public required string Address { get; init; }

    /// <summary>When it came.</summary>
    public required DateTimeOffset AttachedAt { get; init; }

    /// <summary>Requests under way.</summary>
    public required int InFlight { get; init; }

    /// <summary>Whether it has reserved the volume, so that others may not use it.</summary>
    public required bool HoldsReservation { get; init; }

    /// <summary>Reads.</summary>
    public required OperationCounts Reads { get; init; }

    /// <summary>Writes.</summary>
    public required OperationCounts Writes { get; init; }

    /// <summary>Ranges made to read as zeros.</summary>
    public required OperationCounts Zeroes { get; init; }

    /// <summary>Trims.</summary>
    public required OperationCounts Trims { get; init; }

    /// <summary>Flushes.</summary>
    public required OperationCounts Flushes { get; init; }
}

/// <summary>Requests of one kind.</summary>
/// <param name="Count">Those that succeeded.</param>
/// <param name="Bytes">What they moved or covered.</param>
/// <param name="Errors">Those that failed or were refused.</param>
/// <param name="MedianMicroseconds">Half of them took no longer.</param>
/// <param name="P99Microseconds">All but one in a hundred took no longer.</param>
/// <param name="MaxMicroseconds">None took longer.</param>
public sealed record OperationCounts(
    long Count, long Bytes, long Errors, double MedianMicroseconds, double P99Microseconds, double MaxMicroseconds);
