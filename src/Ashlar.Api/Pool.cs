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

    /// <summary>What volumes occupy, those in the trash as well.</summary>
    public required long AllocatedBytes { get; init; }

    /// <summary>
    /// What can still be written: what is left of the capacity, or of the file system below where that is less, and what the trash holds.
    /// </summary>
    public required long FreeBytes { get; init; }

    /// <summary>What the file system below has free; absent where nobody knows.</summary>
    public long? FreeSpaceBelowBytes { get; init; }

    /// <summary>Sum of the sizes of the volumes; more than the capacity when the pool is over-committed.</summary>
    public required long ProvisionedBytes { get; init; }

    /// <summary>What of the allocated space volumes in the trash hold: it is taken, the oldest there first, when space is needed.</summary>
    public long TrashBytes { get; init; }

    /// <summary>Number of volumes in the trash.</summary>
    public int TrashCount { get; init; }

    /// <summary>How long deleted volumes stay in the trash, unless one says itself; 0 for not at all.</summary>
    public long TrashSeconds { get; init; }

    /// <summary>Number of volumes.</summary>
    public required int VolumeCount { get; init; }

    /// <summary>"available"; "unavailable" where it cannot be opened; "exported" where it was closed for good.</summary>
    public string State { get; init; } = PoolStates.Available;

    /// <summary>Why it is not available; absent where it is, or was exported. What it holds is not known then: its figures are 0.</summary>
    public string? Reason { get; init; }

    /// <summary>What it lies on, the first one first.</summary>
    public IReadOnlyList<PoolDeviceInfo> Devices { get; init; } = [];

    /// <summary>The RAID set that it lies on; absent where its devices follow each other.</summary>
    public PoolRaid? Raid { get; init; }

    /// <summary>Sum of the sizes of the volumes by the capacity; above 1 volumes could grow beyond the pool.</summary>
    public double OvercommitRatio { get; init; }

    /// <summary>How full it is, in percent, when it is said for the first time.</summary>
    public int SoftThresholdPercent { get; init; }

    /// <summary>How full it is, in percent, when it is said again.</summary>
    public int HardThresholdPercent { get; init; }

    /// <summary>
    /// When it will be full if its use goes on as in the last four hours; absent where that cannot be told, or it does not get fuller.
    /// </summary>
    public long? SecondsUntilFull { get; init; }

    /// <summary>"ok" or "degraded".</summary>
    public string Health { get; init; } = "ok";

    /// <summary>What is wrong and what to do, a sentence each; empty when all is well.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Blocks of 4,096 bytes that fail their checksum, as far as requests have met them.</summary>
    public long DamagedBlocks { get; init; }

    /// <summary>MiB of volumes whose piece of the map cannot be read, as far as requests have met them.</summary>
    public long DamagedMapPieces { get; init; }

    /// <summary>Names of the volumes that these belong to; absent when nothing is damaged.</summary>
    public IReadOnlyList<string>? DamagedVolumes { get; init; }

    /// <summary>Blocks of 4,096 bytes that were being overwritten at the last unclean stop, and may be old, new or torn.</summary>
    public long UnverifiedBlocks { get; init; }

    /// <summary>The check of what was being overwritten at the last unclean stop, while it runs.</summary>
    public RunningCheck? Check { get; init; }

    /// <summary>Deleted volumes that still give back their space.</summary>
    public RunningDeletions? Deletions { get; init; }
}

/// <summary>Whether a pool can be used.</summary>
public static class PoolStates
{
    /// <summary>It is in use.</summary>
    public const string Available = "available";

    /// <summary>It cannot be opened.</summary>
    public const string Unavailable = "unavailable";

    /// <summary>It was closed for good.</summary>
    public const string Exported = "exported";
}

/// <summary>A device of a pool.</summary>
/// <param name="Path">Where it is, on the server's machine; empty where nobody knows where a device that is missing was.</param>
public sealed record PoolDeviceInfo(string Path)
{
    /// <summary>Whether what lies on it is being moved to the others, before it is taken out; absent where it is not.</summary>
    public bool? IsLeaving { get; init; }

    /// <summary>What it is in a RAID set, as in <see cref="PoolDeviceStates"/>; absent where there is none.</summary>
    public string? State { get; init; }

    /// <summary>Its place in a RAID set; absent where it has none.</summary>
    public int? Place { get; init; }

    /// <summary>What is wrong with it; absent where nothing is known against it.</summary>
    public string? Error { get; init; }

    /// <summary>While it is rebuilt: what of it is right.</summary>
    public long? DoneBytes { get; init; }

    /// <summary>While it is rebuilt: what it is to hold.</summary>
    public long? TotalBytes { get; init; }

    /// <summary>While it is rebuilt: how long that will take, as it goes now; absent where nobody knows.</summary>
    public long? SecondsLeft { get; init; }
}

/// <summary>What a device is in a RAID set.</summary>
public static class PoolDeviceStates
{
    /// <summary>It holds all that it should.</summary>
    public const string InSync = "in-sync";

    /// <summary>It is given what it should hold.</summary>
    public const string Rebuilding = "rebuilding";

    /// <summary>It is made a copy of a device whose place it takes then.</summary>
    public const string Replacing = "replacing";

    /// <summary>It waits for another to fail.</summary>
    public const string Spare = "spare";

    /// <summary>It is not used any more, and nobody has its place.</summary>
    public const string Failed = "failed";

    /// <summary>It was not there when the pool was opened.</summary>
    public const string Missing = "missing";

    /// <summary>It does not belong to the set, or not any more.</summary>
    public const string Unused = "unused";
}

/// <summary>The RAID set that a pool lies on.</summary>
/// <param name="Level">0, 1, 5, 6 or 10.</param>
/// <param name="State">"healthy", "degraded", "rebuilding" or "failed"; absent where the pool is not open.</param>
public sealed record PoolRaid(int Level, string? State)
{
    /// <summary>What lies on one device before the next one's turn comes.</summary>
    public int? ChunkBytes { get; init; }

    /// <summary>What its devices have room for beside what it uses of them; absent where that is nothing, or a device is missing.</summary>
    public long? UnusedBytes { get; init; }

    /// <summary>While it is rebuilt: what is done.</summary>
    public long? DoneBytes { get; init; }

    /// <summary>While it is rebuilt: what is to be done.</summary>
    public long? TotalBytes { get; init; }

    /// <summary>While it is rebuilt: how long that will take, as it goes now; absent where nobody knows.</summary>
    public long? SecondsLeft { get; init; }
}

/// <summary>How a RAID set is.</summary>
public static class PoolRaidStates
{
    /// <summary>All of its devices are in sync.</summary>
    public const string Healthy = "healthy";

    /// <summary>Devices are missing that the others make up for.</summary>
    public const string Degraded = "degraded";

    /// <summary>The same, and one is being rebuilt.</summary>
    public const string Rebuilding = "rebuilding";

    /// <summary>Too many are missing.</summary>
    public const string Failed = "failed";
}

/// <summary>A check that runs in the background.</summary>
/// <param name="TotalBytes">What has to be looked at; 0 until that has been counted.</param>
/// <param name="DoneBytes">How far it has come.</param>
/// <param name="CheckedBlocks">Blocks of 4,096 bytes that were read.</param>
public sealed record RunningCheck(long TotalBytes, long DoneBytes, long CheckedBlocks);

/// <summary>Deletions whose space follows.</summary>
/// <param name="Volumes">Deleted volumes that still occupy space.</param>
/// <param name="TotalBytes">What they occupied.</param>
/// <param name="FreedBytes">What of it is free again.</param>
public sealed record RunningDeletions(int Volumes, long TotalBytes, long FreedBytes);

/// <summary>Pools, by name.</summary>
public sealed record PoolList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"PoolList".</summary>
    public string Kind { get; init; } = nameof(PoolList);

    /// <summary>The pools, or the first of them.</summary>
    public required IReadOnlyList<Pool> Items { get; init; }

    /// <summary>Where the list goes on; absent at its end.</summary>
    public string? Next { get; init; }
}
