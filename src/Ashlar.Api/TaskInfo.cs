using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>Work that takes long, begun by a request that was answered at once.</summary>
public sealed record TaskInfo
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"Task".</summary>
    public string Kind { get; init; } = "Task";

    /// <summary>Number of the task, as text. Those of an earlier start of the server are forgotten.</summary>
    public required string Id { get; init; }

    /// <summary>
    /// "verify", "scrub", "remove-device" or "defragment" of a pool; of the file store "verify-files", "prewarm-files", "collect-files",
    /// "sweep-node", "scrub-node", "compare-node", "drain-node", "replace-node" or "repair-files".
    /// </summary>
    public required string Type { get; init; }

    /// <summary>The pool that it works on; absent where it works on files.</summary>
    public string? Pool { get; init; }

    /// <summary>What of the file store it works on: a storage node, or "files"; absent where it works on a pool.</summary>
    public string? Subject { get; init; }

    /// <summary>"running", "paused", "done", "failed" or "cancelled".</summary>
    public required string State { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended; absent while it runs.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>All that is to be done; absent where nobody knows.</summary>
    public long? TotalBytes { get; init; }

    /// <summary>What is done.</summary>
    public long? DoneBytes { get; init; }

    /// <summary>How fast it may be; absent for as fast as it can.</summary>
    public long? BytesPerSecond { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Failure { get; init; }

    /// <summary>What it did or proved so far, in words; absent where it only finds.</summary>
    public string? Report { get; init; }

    /// <summary>What it found wrong so far, a sentence each; absent while nothing is known.</summary>
    public IReadOnlyList<string>? Findings { get; init; }

    /// <summary>What it found of each volume, where it goes by volumes.</summary>
    public IReadOnlyList<ScrubbedVolume>? Volumes { get; init; }

    /// <summary>What it found of the stripes of a RAID set, where it has come to these.</summary>
    public ScrubbedStripes? Stripes { get; init; }
}

/// <summary>States of a task.</summary>
public static class TaskStates
{
    /// <summary>It works.</summary>
    public const string Running = "running";

    /// <summary>It waits until it is told to go on.</summary>
    public const string Paused = "paused";

    /// <summary>It came to its end.</summary>
    public const string Done = "done";

    /// <summary>Something kept it from coming to its end.</summary>
    public const string Failed = "failed";

    /// <summary>It was ended, or its pool was closed.</summary>
    public const string Cancelled = "cancelled";
}

/// <summary>What a scrub found of a volume.</summary>
/// <param name="Name">The volume, as it was called then.</param>
/// <param name="BlocksRead">Blocks of 4,096 bytes that were read.</param>
/// <param name="DamagedBlocks">Those of them that do not match their checksum, or cannot be read.</param>
/// <param name="DamagedMapPieces">MiB whose piece of the map cannot be read.</param>
public sealed record ScrubbedVolume(string Name, long BlocksRead, long DamagedBlocks, long DamagedMapPieces);

/// <summary>What a scrub found of the stripes of a RAID set.</summary>
/// <param name="Inconsistent">Stripes whose copies differ, or whose parity does not belong to their data.</param>
/// <param name="Unreadable">Pieces of devices that could not be read.</param>
/// <param name="Repaired">Stripes that were made consistent.</param>
/// <param name="Uncertain">Of the inconsistent ones, those where nothing told what was wrong.</param>
public sealed record ScrubbedStripes(long Inconsistent, long Unreadable, long Repaired, long Uncertain);

/// <summary>Tasks, the oldest first.</summary>
public sealed record TaskList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"TaskList".</summary>
    public string Kind { get; init; } = nameof(TaskList);

    /// <summary>The tasks.</summary>
    public required IReadOnlyList<TaskInfo> Items { get; init; }
}

/// <summary>A scrub to be begun.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record StartScrub
{
    /// <summary>How fast it may read; as fast as it can when absent.</summary>
    public long? BytesPerSecond { get; init; }
}

/// <summary>A change of a task.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeTask
{
    /// <summary>The slowest that a task can be told to be.</summary>
    public const long LeastBytesPerSecond = 1 << 20;

    /// <summary>Whether it is to wait; absent for as it is.</summary>
    public bool? IsPaused { get; init; }

    /// <summary>How fast it may be from now on, 0 for as fast as it can; absent for as it is.</summary>
    public long? BytesPerSecond { get; init; }
}
