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

    /// <summary>What it is for: one line of 1,024 bytes at the most.</summary>
    public string? Description { get; init; }

    /// <summary>Keys and values by which people and programs find it; 32 at the most.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>How long it stays in the trash when it is deleted: 0 for not at all; absent for as long as the pool says.</summary>
    public long? TrashSeconds { get; init; }
}

/// <summary>A pool to be created.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreatePool
{
    /// <summary>Unique on the server.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Absolute paths of files and block devices of the server's machine; a file in its data directory where there are none.
    /// </summary>
    public IReadOnlyList<string>? Devices { get; init; }

    /// <summary>What each file that is created is to hold; needed where one is.</summary>
    public long? SizeBytes { get; init; }

    /// <summary>
    /// Whether the map lies on the devices as well, so that any server can import the pool. It does in any case on a RAID set.
    /// </summary>
    public bool IsPortable { get; init; }

    /// <summary>The RAID set that the devices become; they follow each other where it is absent.</summary>
    public CreateRaid? Raid { get; init; }

    /// <summary>Whether what the devices hold may be lost.</summary>
    public bool Force { get; init; }
}

/// <summary>A RAID set to be created.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreateRaid
{
    /// <summary>0, 1, 5, 6 or 10.</summary>
    public required int Level { get; init; }

    /// <summary>Absolute paths of devices that wait for one of the others to fail.</summary>
    public IReadOnlyList<string>? Spares { get; init; }

    /// <summary>
    /// What lies on one device before the next one's turn comes: a power of two from 4,096 to 16,777,216; 65,536 if absent.
    /// </summary>
    public int? ChunkBytes { get; init; }
}

/// <summary>A device to be added to a pool.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AddPoolDevice
{
    /// <summary>Absolute path of a file or block device of the server's machine.</summary>
    public required string Path { get; init; }

    /// <summary>What a file that is created is to hold; needed where it is, and not asked for of a RAID set.</summary>
    public long? SizeBytes { get; init; }

    /// <summary>Whether it is to wait for a device of the RAID set to fail, rather than to make the pool larger.</summary>
    public bool IsSpare { get; init; }

    /// <summary>Whether what the device holds may be lost.</summary>
    public bool Force { get; init; }
}

/// <summary>A device to be taken out of a pool.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RemovePoolDevice
{
    /// <summary>Absolute path of the device, as the pool has it.</summary>
    public required string Path { get; init; }

    /// <summary>How much is copied in a second; as fast as it goes when absent.</summary>
    public long? BytesPerSecond { get; init; }
}

/// <summary>A pool to be opened again.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ImportPool
{
    /// <summary>Absolute paths of all of its devices, in any order.</summary>
    public required IReadOnlyList<string> Devices { get; init; }

    /// <summary>What it is to be called from now on; absent for the name that it had.</summary>
    public string? Name { get; init; }

    /// <summary>Whether it is taken also if another machine has it: one that still writes to it destroys it.</summary>
    public bool Force { get; init; }

    /// <summary>
    /// Whether a RAID set is started also where some of what was written last is lost by it: devices are missing that hold it, or that
    /// are needed to calculate it.
    /// </summary>
    public bool AcceptLoss { get; init; }
}

/// <summary>A device of a RAID set to be replaced.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ReplacePoolDevice
{
    /// <summary>The device, as the pool tells its path, or the number of its place.</summary>
    public required string Path { get; init; }

    /// <summary>Absolute path of the one that takes its place; the same path where another one is there by now.</summary>
    public required string Replacement { get; init; }

    /// <summary>Whether what the new device holds may be lost.</summary>
    public bool Force { get; init; }
}

/// <summary>A change of a pool: of its thresholds, its capacity, its name, or of several.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangePool
{
    /// <summary>What it is to hold; not less than it does; absent for what it does.</summary>
    public long? CapacityBytes { get; init; }

    /// <summary>Whether it is to hold all that its devices have room for, instead of a capacity.</summary>
    public bool UseAllSpace { get; init; }

    /// <summary>The new name; absent for the present one.</summary>
    public string? Name { get; init; }

    /// <summary>How full it is, in percent, when it is said for the first time; absent for what was set.</summary>
    public int? SoftThresholdPercent { get; init; }

    /// <summary>How full it is, in percent, when it is said again; absent for what was set.</summary>
    public int? HardThresholdPercent { get; init; }

    /// <summary>Whether it may get another name also while clients are connected; they are cut off.</summary>
    public bool Force { get; init; }

    /// <summary>How long deleted volumes stay in the trash: 0 for not at all; absent for as long as they do.</summary>
    public long? TrashSeconds { get; init; }
}

/// <summary>A change of a volume: of its size, its limits, its name, what people say of it, or of several.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeVolume
{
    /// <summary>The new name; absent for the present one.</summary>
    public string? Name { get; init; }

    /// <summary>The new size; absent for the present one.</summary>
    public long? SizeBytes { get; init; }

    /// <summary>What its clients may ask of it in a second; absent for the present limits.</summary>
    public ChangeLimits? Limits { get; init; }

    /// <summary>What it is for; empty for nothing, absent for the present description.</summary>
    public string? Description { get; init; }

    /// <summary>Labels to set; one whose value is null goes, and those that are not named stay.</summary>
    public IReadOnlyDictionary<string, string?>? Labels { get; init; }

    /// <summary>
    /// How long it stays in the trash when it is deleted: 0 for not at all, -1 for as long as the pool says; absent for as long as it does.
    /// </summary>
    public long? TrashSeconds { get; init; }

    /// <summary>How snapshots are taken and kept by themselves, all numbers 0 for not at all; absent for what was set.</summary>
    public SnapshotSchedule? SnapshotSchedule { get; init; }

    /// <summary>Whether the size may become smaller: what lies beyond the new end is lost.</summary>
    public bool AllowShrink { get; init; }

    /// <summary>Whether it may become smaller, or get another name, also while clients are connected.</summary>
    public bool Force { get; init; }
}
