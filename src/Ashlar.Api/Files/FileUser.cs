using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>A user of a customer, who has keys.</summary>
public sealed record FileUser
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"User".</summary>
    public string Kind { get; init; } = "User";

    /// <summary>The customer.</summary>
    public required string Customer { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What its keys allow: <see cref="FileRightNames"/>.</summary>
    public required IReadOnlyList<string> Rights { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>What keys allow.</summary>
public static class FileRightNames
{
    /// <summary>To read and to list.</summary>
    public const string Read = "read";

    /// <summary>To create, to delete, to rename.</summary>
    public const string Write = "write";

    /// <summary>To change who else may: policies of buckets, over S3.</summary>
    public const string Administer = "administer";
}

/// <summary>Users of a customer, by name.</summary>
public sealed record FileUserList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"UserList".</summary>
    public string Kind { get; init; } = "UserList";

    /// <summary>The users.</summary>
    public required IReadOnlyList<FileUser> Items { get; init; }

    /// <summary>Where the next page is; absent on the last.</summary>
    public string? Next { get; init; }
}

/// <summary>A user to be made.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreateFileUser
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What its keys allow; absent for reading and writing.</summary>
    public IReadOnlyList<string>? Rights { get; init; }
}
