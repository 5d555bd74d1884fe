using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>A device, as <c>ashlar device show -o json</c> tells it.</summary>
sealed record DeviceFacts
{
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    public string Kind { get; init; } = "Device";

    public required string Path { get; init; }

    public required Guid Id { get; init; }

    public required long SizeBytes { get; init; }

    public required int BlockSizeBytes { get; init; }

    public required long BlockCount { get; init; }

    /// <summary>What the file occupies on disk.</summary>
    public required long AllocatedBytes { get; init; }

    public required DeviceStates Blocks { get; init; }
}

/// <summary>How many blocks are in each state.</summary>
sealed record DeviceStates(long Free, long Used, long Trimmed, long Bad);

/// <summary>What was done to a device in its whole life.</summary>
sealed record DeviceCounts
{
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    public string Kind { get; init; } = "DeviceStatistics";

    public required string Path { get; init; }

    public required long Reads { get; init; }

    public required long Writes { get; init; }

    public required long Trims { get; init; }

    public required long Flushes { get; init; }

    public required long Failures { get; init; }

    public required long BytesRead { get; init; }

    public required long BytesWritten { get; init; }
}

/// <summary>What a command changed.</summary>
sealed record DeviceChange
{
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    public string Kind { get; init; } = "DeviceChange";

    public required string Path { get; init; }

    /// <summary>write, trim, mark-bad or replace.</summary>
    public required string Operation { get; init; }

    /// <summary>First byte that changed.</summary>
    public required long OffsetBytes { get; init; }

    public required long LengthBytes { get; init; }
}

/// <summary>What <c>ashlar device verify</c> found.</summary>
sealed record DeviceVerdict
{
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    public string Kind { get; init; } = "DeviceVerdict";

    public required string Path { get; init; }

    /// <summary>Used blocks that were read.</summary>
    public required long BlocksRead { get; init; }

    /// <summary>Blocks whose state is bad.</summary>
    public required long BadBlocks { get; init; }
}

/// <summary>How these objects are written.</summary>
[JsonSerializable(typeof(DeviceFacts))]
[JsonSerializable(typeof(DeviceCounts))]
[JsonSerializable(typeof(DeviceChange))]
[JsonSerializable(typeof(DeviceVerdict))]
sealed partial class DeviceJson : JsonSerializerContext
{
    public static DeviceJson Strict { get; } = new(ApiJson.Apply(new JsonSerializerOptions()));
}
