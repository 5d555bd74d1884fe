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

    /// <summary>Of the write that put it: what <c>--if-sequence</c> takes. In a sharded store it counts the writes of one shard.</summary>
    public required ulong Sequence { get; init; }

    /// <summary>From when on it reads as absent; absent for an entry that does not expire.</summary>
    [JsonConverter(typeof(CommitTimes.Converter))]
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>What a command did to a store.</summary>
sealed record KeyValueChange
{
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    public string Kind { get; init; } = "KeyValueChange";

    public required string Path { get; init; }

    /// <summary>Name of the keyspace whose entries were changed; absent for those that are in none.</summary>
    public string? Keyspace { get; init; }

    /// <summary>create, put, delete, expire, load or compact.</summary>
    public required string Operation { get; init; }

    /// <summary>
    /// Entries that were written, or parts of an archive that were deleted; absent for a range, whose keys nobody counted.
    /// </summary>
    public long? Entries { get; init; }

    /// <summary>Shards of the store that was created; absent for one without.</summary>
    public int? ShardCount { get; init; }

    /// <summary>Size of all tables before a compaction.</summary>
    public long? BytesBefore { get; init; }

    /// <summary>And after.</summary>
    public long? BytesAfter { get; init; }

    /// <summary>Of a put, that of the entry. Of a restore to one moment: every write up to this sequence is there.</summary>
    public ulong? Sequence { get; init; }

    /// <summary>When the newest of them was committed.</summary>
    [JsonConverter(typeof(CommitTimes.Converter))]
    public DateTimeOffset? CommittedAt { get; init; }

    /// <summary>From when on the entry reads as absent; absent where it does not, or that was not asked for.</summary>
    [JsonConverter(typeof(CommitTimes.Converter))]
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>A keyspace of a store.</summary>
sealed record KeyValueKeyspace
{
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    public string Kind { get; init; } = "KeyValueKeyspace";

    /// <summary>Directory of the store.</summary>
    public required string Path { get; init; }

    public required string Name { get; init; }
}

/// <summary>The keyspaces of a store.</summary>
sealed record KeyValueKeyspaceList
{
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    public string Kind { get; init; } = "KeyValueKeyspaceList";

    public required IReadOnlyList<KeyValueKeyspace> Items { get; init; }
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

    /// <summary>Number of keyspaces; absent for a sharded store, which has none.</summary>
    public int? Keyspaces { get; init; }

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

    [JsonConverter(typeof(CommitTimes.Converter))]
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

/// <summary>What an archive of the log covers.</summary>
sealed record KeyValueArchive
{
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    public string Kind { get; init; } = "KeyValueArchive";

    public required string Path { get; init; }

    public Guid? StoreId { get; init; }

    /// <summary>A backup is of use with it if it holds every write up to here.</summary>
    public required ulong AfterSequence { get; init; }

    public required ulong LastSequence { get; init; }

    public required IReadOnlyList<KeyValueArchivePart> Parts { get; init; }

    public required IReadOnlyList<string> Problems { get; init; }

    public static KeyValueArchive Of(string path, LogArchiveReport report) => new()
    {
        Path = path,
        StoreId = report.StoreId,
        AfterSequence = report.AfterSequence,
        LastSequence = report.LastSequence,
        Parts = [.. report.Parts.Select(KeyValueArchivePart.Of)],
        Problems = [.. report.Problems.Select(problem => problem.Message)],
    };
}

/// <summary>A part of an archive.</summary>
sealed record KeyValueArchivePart
{
    public required ulong Number { get; init; }

    public ulong? FirstSequence { get; init; }

    public ulong? LastSequence { get; init; }

    [JsonConverter(typeof(CommitTimes.Converter))]
    public DateTimeOffset? FirstCommittedAt { get; init; }

    [JsonConverter(typeof(CommitTimes.Converter))]
    public DateTimeOffset? LastCommittedAt { get; init; }

    public long? SizeBytes { get; init; }

    /// <summary>What is wrong with its head; absent if nothing is.</summary>
    public string? Damage { get; init; }

    public static KeyValueArchivePart Of(ArchivedPart part) => part.Damage is { } damage
        ? new() { Number = part.Number, Damage = damage.Message }
        : new()
        {
            Number = part.Number,
            FirstSequence = part.FirstSequence,
            LastSequence = part.LastSequence,
            FirstCommittedAt = part.FirstCommittedAt,
            LastCommittedAt = part.LastCommittedAt,
            SizeBytes = part.SizeBytes,
        };
}

/// <summary>What <c>ashlar kv repair</c> made.</summary>
sealed record KeyValueRepaired
{
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    public string Kind { get; init; } = "KeyValueRepaired";

    public required string Path { get; init; }

    public required Guid StoreId { get; init; }

    public required long Keys { get; init; }

    public required bool HadManifest { get; init; }

    public required IReadOnlyList<string> Losses { get; init; }

    public static KeyValueRepaired Of(string path, RepairReport report) => new()
    {
        Path = path,
        StoreId = report.StoreId,
        Keys = report.Keys,
        HadManifest = report.HadManifest,
        Losses = [.. report.Losses.Select(loss => loss.ToString())],
    };
}

/// <summary>How these objects are written.</summary>
[JsonSerializable(typeof(KeyValueArchive))]
[JsonSerializable(typeof(KeyValueRepaired))]
[JsonSerializable(typeof(KeyValueBackup))]
[JsonSerializable(typeof(KeyValueBackupList))]
[JsonSerializable(typeof(KeyValueEntry))]
[JsonSerializable(typeof(KeyValueKeyspace))]
[JsonSerializable(typeof(KeyValueKeyspaceList))]
[JsonSerializable(typeof(KeyValueChange))]
[JsonSerializable(typeof(KeyValueFacts))]
[JsonSerializable(typeof(KeyValueVerdict))]
sealed partial class KeyValueJson : JsonSerializerContext
{
    public static KeyValueJson Strict { get; } = new(ApiJson.Apply(new JsonSerializerOptions()));
}
