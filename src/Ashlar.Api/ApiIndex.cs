namespace Ashlar.Api;

/// <summary>What the API has.</summary>
public sealed record ApiIndex
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"Index".</summary>
    public string Kind { get; init; } = "Index";

    /// <summary>Version of the program that serves.</summary>
    public required string Version { get; init; }

    /// <summary>Where to go on.</summary>
    public required IndexLinks Links { get; init; }
}

/// <summary>Paths of the API; what stands in braces is a name.</summary>
/// <param name="Status">The server at a glance.</param>
/// <param name="Pools">Pools.</param>
/// <param name="Pool">One pool.</param>
/// <param name="Volumes">Volumes of a pool.</param>
/// <param name="Volume">One volume.</param>
/// <param name="Trash">Volumes in the trash of a pool.</param>
/// <param name="Catalogue">Volumes of all pools with the places of their blocks.</param>
/// <param name="Customers">Customers of the file store.</param>
/// <param name="File">A file or directory of a customer.</param>
/// <param name="FileNodes">Storage nodes.</param>
/// <param name="Metrics">Figures for Prometheus.</param>
/// <param name="Live">Whether the process serves.</param>
/// <param name="Ready">Whether the server takes work.</param>
/// <param name="OpenApi">The same for programs: an OpenAPI document.</param>
public sealed record IndexLinks(
    string Status, string Pools, string Pool, string Volumes, string Volume, string Trash, string Catalogue,
    string Customers, string File, string FileNodes, string Metrics, string Live, string Ready, string OpenApi);
