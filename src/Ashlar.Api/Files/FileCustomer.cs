using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>A customer of the file store: files, users and keys of its own.</summary>
public sealed record FileCustomer
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"Customer".</summary>
    public string Kind { get; init; } = "Customer";

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Most bytes that its files may have; absent for no limit.</summary>
    public long? QuotaBytes { get; init; }

    /// <summary>Most files; absent for no limit.</summary>
    public long? QuotaFiles { get; init; }

    /// <summary>Bytes of its files, each counted by itself, whatever they share.</summary>
    public required long UsedBytes { get; init; }

    /// <summary>Its files.</summary>
    public required long FileCount { get; init; }

    /// <summary>Its directories, without the root.</summary>
    public required long DirectoryCount { get; init; }
}

/// <summary>Customers, in the order in which they were made.</summary>
public sealed record FileCustomerList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"CustomerList".</summary>
    public string Kind { get; init; } = "CustomerList";

    /// <summary>The customers.</summary>
    public required IReadOnlyList<FileCustomer> Items { get; init; }

    /// <summary>Where the next page is; absent on the last.</summary>
    public string? Next { get; init; }
}

/// <summary>What a directory of a customer's root takes, itself and all below.</summary>
/// <param name="Name">The directory.</param>
/// <param name="UsedBytes">Bytes of its files.</param>
/// <param name="FileCount">Its files.</param>
/// <param name="DirectoryCount">Its directories, itself included.</param>
public sealed record FileBucket(string Name, long UsedBytes, long FileCount, long DirectoryCount);

/// <summary>Directories of a customer's root, in the order of their bytes.</summary>
public sealed record FileBucketList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"BucketList".</summary>
    public string Kind { get; init; } = "BucketList";

    /// <summary>The directories.</summary>
    public required IReadOnlyList<FileBucket> Items { get; init; }

    /// <summary>Where the next page is; absent on the last.</summary>
    public string? Next { get; init; }
}

/// <summary>A customer to be made.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreateFileCustomer
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Most bytes that its files may have; absent or 0 for no limit.</summary>
    public long? QuotaBytes { get; init; }

    /// <summary>Most files; absent or 0 for no limit.</summary>
    public long? QuotaFiles { get; init; }
}

/// <summary>What is to change of a customer.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeFileCustomer
{
    /// <summary>Most bytes that its files may have, 0 for no limit; absent for as it is.</summary>
    public long? QuotaBytes { get; init; }

    /// <summary>Most files, 0 for no limit; absent for as it is.</summary>
    public long? QuotaFiles { get; init; }
}
