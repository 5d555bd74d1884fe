namespace Ashlar.Api;

/// <summary>A client that is attached to a volume or snapshot.</summary>
public sealed record ClientSessionInfo
{
    /// <summary>"nbd", "iscsi", "nvme".</summary>
    public required string Protocol { get; init; }

    /// <summary>Its address and port.</summary>
    public required string Address { get; init; }

    /// <summary>What it calls itself; absent where the protocol knows no names.</summary>
    public string? Initiator { get; init; }

    /// <summary>As whom it has proved to come.</summary>
    public string? User { get; init; }

    /// <summary>Pool of what it is attached to.</summary>
    public required string Pool { get; init; }

    /// <summary>The volume, or "volume@snapshot".</summary>
    public required string Volume { get; init; }

    /// <summary>The export that lets it in; absent where the volume has none.</summary>
    public string? Export { get; init; }

    /// <summary>Whether it may only read.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Since when.</summary>
    public required DateTimeOffset ConnectedAt { get; init; }

    /// <summary>Requests of all kinds that were answered.</summary>
    public required long Commands { get; init; }

    /// <summary>Bytes that it has read.</summary>
    public required long ReadBytes { get; init; }

    /// <summary>Bytes that it has written.</summary>
    public required long WrittenBytes { get; init; }
}

/// <summary>Clients, those of a volume together, in the order in which they came.</summary>
public sealed record ClientSessionList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"ClientSessionList".</summary>
    public string Kind { get; init; } = nameof(ClientSessionList);

    /// <summary>The clients.</summary>
    public required IReadOnlyList<ClientSessionInfo> Items { get; init; }
}
