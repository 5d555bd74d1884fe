using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>A volume in the trash: deleted, and to be had back.</summary>
public sealed record TrashedVolume
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"TrashedVolume".</summary>
    public string Kind { get; init; } = nameof(TrashedVolume);

    /// <summary>The pool that it is in.</summary>
    public required string Pool { get; init; }

    /// <summary>The name that it had; others may have it by now.</summary>
    public required string Name { get; init; }

    /// <summary>Identity that never changes and is never reused.</summary>
    public required Guid Id { get; init; }

    /// <summary>What clients saw.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Whether all of its space was taken when it was created.</summary>
    public required bool IsThick { get; init; }

    /// <summary>Space of the pool that it holds.</summary>
    public required long AllocatedBytes { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was deleted.</summary>
    public required DateTimeOffset DeletedAt { get; init; }

    /// <summary>When it goes for good, unless the pool needs its space before.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>Volumes in the trash of a pool, the oldest there first.</summary>
public sealed record TrashList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"TrashList".</summary>
    public string Kind { get; init; } = nameof(TrashList);

    /// <summary>The volumes, or the first of them.</summary>
    public required IReadOnlyList<TrashedVolume> Items { get; init; }

    /// <summary>Where the list goes on; absent at its end.</summary>
    public string? Next { get; init; }
}

/// <summary>A volume is to come back from the trash.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RestoreVolume
{
    /// <summary>The name that it gets; the one that it had when absent.</summary>
    public string? Name { get; init; }
}
