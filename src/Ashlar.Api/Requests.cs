using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>A volume to be created.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreateVolume
{
    /// <summary>Unique within the pool.</summary>
    public required string Name { get; init; }

    /// <summary>What clients will see; a multiple of the block size.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>512 or 4096; 512 when absent.</summary>
    public int? BlockSizeBytes { get; init; }

    /// <summary>Whether all space is taken at once and kept: writes never wait for space, and never run out of it.</summary>
    public bool IsThick { get; init; }

    /// <summary>What its clients may ask of it in a second; as much as it can do when absent.</summary>
    public ChangeLimits? Limits { get; init; }
}

/// <summary>A change of a pool.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangePool
{
    /// <summary>What it is to hold; not less than it does.</summary>
    public required long CapacityBytes { get; init; }
}

/// <summary>A change of a volume: of its size, its limits, its name, or of several.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeVolume
{
    /// <summary>The new name; absent for the present one.</summary>
    public string? Name { get; init; }

    /// <summary>The new size; absent for the present one.</summary>
    public long? SizeBytes { get; init; }

    /// <summary>What its clients may ask of it in a second; absent for the present limits.</summary>
    public ChangeLimits? Limits { get; init; }

    /// <summary>Whether the size may become smaller: what lies beyond the new end is lost.</summary>
    public bool AllowShrink { get; init; }

    /// <summary>Whether it may become smaller, or get another name, also while clients are connected.</summary>
    public bool Force { get; init; }
}
