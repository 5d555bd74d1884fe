namespace Ashlar.Api;

/// <summary>A server at a glance.</summary>
public sealed record Status
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"Status".</summary>
    public string Kind { get; init; } = nameof(Status);

    /// <summary>"ok" or "degraded".</summary>
    public required string Health { get; init; }

    /// <summary>What is wrong, a sentence each; empty when all is well.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Version of the program that serves.</summary>
    public required string Version { get; init; }

    /// <summary>Its process.</summary>
    public required int ProcessId { get; init; }

    /// <summary>When it began to serve.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Its data directory.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Where it listens.</summary>
    public required Endpoints Endpoints { get; init; }

    /// <summary>Connected clients of all volumes.</summary>
    public required VolumeClients Clients { get; init; }

    /// <summary>The pools.</summary>
    public required IReadOnlyList<Pool> Pools { get; init; }

    /// <summary>The file store.</summary>
    public FileStoreStatus? Files { get; init; }
}

/// <summary>Where clients find a server.</summary>
/// <param name="Api">URL of the REST API.</param>
/// <param name="Nbd">NBD URI without an export name.</param>
/// <param name="Iscsi">Address and port of the iSCSI portal.</param>
public sealed record Endpoints(string Api, string Nbd, string Iscsi)
{
    /// <summary>Path of the Unix socket on which NBD is served as well; absent where there is none.</summary>
    public string? NbdSocket { get; init; }

    /// <summary>Address and port of the NVMe/TCP server; absent where volumes are not served over NVMe.</summary>
    public string? Nvme { get; init; }

    /// <summary>URL of the S3 server; absent where files are not served over S3.</summary>
    public string? S3 { get; init; }

    /// <summary>Names and addresses by which clients reach the server, the best first: that of the endpoints.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Whether other machines can connect; nothing asks them who they are.</summary>
    public bool IsOpen { get; init; }
}

/// <summary>What a running server leaves in its data directory, so that the command line finds it.</summary>
/// <param name="ProcessId">The server's process.</param>
/// <param name="Api">URL of its REST API.</param>
public sealed record RunningServer(int ProcessId, string Api);
