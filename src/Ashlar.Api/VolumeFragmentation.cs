using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>How scattered over its pool the data of a volume lie.</summary>
public sealed record VolumeFragmentation
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"VolumeFragmentation".</summary>
    public string Kind { get; init; } = nameof(VolumeFragmentation);

    /// <summary>The pool that it is in.</summary>
    public required string Pool { get; init; }

    /// <summary>The volume.</summary>
    public required string Volume { get; init; }

    /// <summary>Data that were looked at: all of the volume, or its first 64 GiB.</summary>
    public required long DataBytes { get; init; }

    /// <summary>Pieces that lie by themselves.</summary>
    public required long Pieces { get; init; }

    /// <summary>Data in pieces of less than 1 MiB that neighbours do not follow.</summary>
    public required long ScatteredBytes { get; init; }

    /// <summary>Whether all data were looked at.</summary>
    public required bool IsWhole { get; init; }
}

/// <summary>A volume to be put in order.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record StartDefragmentation
{
    /// <summary>Whether what snapshots have as well is copied, where that makes a chunk whole.</summary>
    public bool CopyShared { get; init; }

    /// <summary>How much is copied in a second; as fast as it goes when absent.</summary>
    public long? BytesPerSecond { get; init; }
}
