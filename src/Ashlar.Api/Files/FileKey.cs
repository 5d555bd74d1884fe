using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>A key, by which programs say whose files they work on.</summary>
public sealed record FileKey
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"Key".</summary>
    public string Kind { get; init; } = "Key";

    /// <summary>What it is known by, which is no secret.</summary>
    public required string Id { get; init; }

    /// <summary>The secret; only in the answer to who made it.</summary>
    public string? Secret { get; init; }

    /// <summary>Whose it is.</summary>
    public required string Customer { get; init; }

    /// <summary>The user that it is of.</summary>
    public required string User { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Until when it can be used; absent for always.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>Keys of a user.</summary>
public sealed record FileKeyList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"KeyList".</summary>
    public string Kind { get; init; } = "KeyList";

    /// <summary>The keys, without their secrets.</summary>
    public required IReadOnlyList<FileKey> Items { get; init; }

    /// <summary>Where the next page is; absent on the last.</summary>
    public string? Next { get; init; }
}

/// <summary>A key to be made.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreateFileKey
{
    /// <summary>Until when it can be used; absent for always.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}
