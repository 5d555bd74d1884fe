using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Api;
using Ashlar.KeyValue;

namespace Ashlar.CommandLine;

/// <summary>One entry, as <c>ashlar kv get -o json</c> tells it.</summary>
sealed record KeyValueEntry
{
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    public string Kind { get; init; } = "KeyValueEntry";

    /// <summary>text, hex or base64: how key and value are written.</summary>
    public required string Encoding { get; init; }

    public required string Key { get; init; }

    public required string Value { get; init; }
}

/// <summary>What a command did to a store.</summary>
sealed record KeyValueChange
{
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    public string Kind { get; init; } = "KeyValueChange";

    public required string Path { get; init; }

    /// <summary>create, put, delete, load or compact.</summary>
    public required string Operation { get; init; }

    /// <summary>Entries that were written.</summary>
    public long? Entries { get; init; }

    /// <summary>Shards of the store that was created; absent for one without.</summary>
    public int? ShardCount { get; init; }

    /// <summary>Size of all tables before a compaction.</summary>
    public long? BytesBefore { get; init; }

    /// <summary>And after.</summary>
    public long? BytesAfter { get; init; }
}

/// <summary>Counts and sizes of a store.</summary>
sealed record KeyValueFacts
{
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    public string Kind { get; init; } = "KeyValueStore";

    public required string Path { get; init; }

    public required Guid Id { get; init; }

    /// <summary>Absent for a store without shards.</summary>
    public int? ShardCount { get; init; }

    /// <summary>Of the whole store; counters since this command opened it.</summary>
    public required KeyValueStatistics Statistics { get; init; }
}

/// <summary>What <c>ashlar kv verify</c> found.</summary>
sealed record KeyValueVerdict
{
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    public string Kind { get; init; } = "KeyValueVerdict";

    public required string Path { get; init; }

    public required bool IsClean { get; init; }

    public required int Tables { get; init; }

    public required int LogSegments { get; init; }

    public required long Entries { get; init; }

    public required IReadOnlyList<string> Problems { get; init; }
}

/// <summary>One backup of a store.</summary>
sealed record KeyValueBackup
{
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    public string Kind { get; init; } = "KeyValueBackup";

    public required ulong Number { get; init; }

    public Guid? StoreId { get; init; }

    public DateTimeOffset? TakenAt { get; init; }

    /// <summary>It holds every write up to this sequence.</summary>
    public ulong? Sequence { get; init; }

    public DateTimeOffset? CommittedAt { get; init; }

    public int? FileCount { get; init; }

    public long? SizeBytes { get; init; }

    /// <summary>Bytes that no earlier backup has.</summary>
    public long? OwnBytes { get; init; }

    /// <summary>What is wrong with its record; absent if nothing is.</summary>
    public string? Damage { get; init; }

    public static KeyValueBackup Of(BackupInfo info) => info.Damage is { } damage
        ? new() { Number = info.Number, Damage = damage.Message }
        : new()
        {
            Number = info.Number,
            StoreId = info.StoreId,
            TakenAt = info.TakenAt,
            Sequence = info.Sequence,
            CommittedAt = info.CommittedAt,
            FileCount = info.FileCount,
            SizeBytes = info.SizeBytes,
            OwnBytes = info.OwnBytes,
        };
}

/// <summary>The backups of a directory.</summary>
sealed record KeyValueBackupList
{
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    public string Kind { get; init; } = "KeyValueBackupList";

    public required IReadOnlyList<KeyValueBackup> Items { get; init; }
}

/// <summary>How these objects are written.</summary>
[JsonSerializable(typeof(KeyValueBackup))]
[JsonSerializable(typeof(KeyValueBackupList))]
[JsonSerializable(typeof(KeyValueEntry))]
[JsonSerializable(typeof(KeyValueChange))]
[JsonSerializable(typeof(KeyValueFacts))]
[JsonSerializable(typeof(KeyValueVerdict))]
sealed partial class KeyValueJson : JsonSerializerContext
{
    public static KeyValueJson Strict { get; } = new(ApiJson.Apply(new JsonSerializerOptions()));
}
