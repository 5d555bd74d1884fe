namespace Ashlar.Api;

/// <summary>A pool.</summary>
public sealed record Pool
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"Pool".</summary>
    public string Kind { get; init; } = nameof(Pool);

    /// <summary>Name of the pool.</summary>
    public required string Name { get; init; }

    /// <summary>What the pool can hold.</summary>
    public required long CapacityBytes { get; init; }

    /// <summary>What volumes occupy.</summary>
    public required long AllocatedBytes { get; init; }

    /// <summary>What is left of the capacity.</summary>
    public required long FreeBytes { get; init; }

    /// <summary>Sum of the sizes of the volumes; more than the capacity when the pool is over-committed.</summary>
    public required long ProvisionedBytes { get; init; }

    /// <summary>Number of volumes.</summary>
    public required int VolumeCount { get; init; }
}

/// <summary>Pools, by name.</summary>
public sealed record PoolList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"PoolList".</summary>
    public string Kind { get; init; } = nameof(PoolList);

    /// <summary>The pools.</summary>
    public required IReadOnlyList<Pool> Items { get; init; }
}
