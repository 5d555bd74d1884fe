namespace Ashlar.Api;

/// <summary>A volume.</summary>
public sealed record Volume
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"Volume".</summary>
    public string Kind { get; init; } = nameof(Volume);

    /// <summary>The pool that it is in.</summary>
    public required string Pool { get; init; }

    /// <summary>Unique within the pool.</summary>
    public required string Name { get; init; }

    /// <summary>Identity that never changes and is never reused.</summary>
    public required Guid Id { get; init; }

    /// <summary>What clients see.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>512 or 4096.</summary>
    public required int BlockSizeBytes { get; init; }

    /// <summary>Whether all of its space was taken when it was created.</summary>
    public required bool IsThick { get; init; }

    /// <summary>What its clients may ask of it in a second; absent when nothing is limited.</summary>
    public VolumeLimits? Limits { get; init; }

    /// <summary>What it is for; absent when nobody says.</summary>
    public string? Description { get; init; }

    /// <summary>Keys and values by which people and programs find it; absent when it has none.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>How long it stays in the trash when it is deleted; absent where the pool says.</summary>
    public long? TrashSeconds { get; init; }

    /// <summary>Space of the pool that the volume occupies.</summary>
    public required long AllocatedBytes { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Who is connected now.</summary>
    public required VolumeClients Clients { get; init; }

    /// <summary>Those clients and what they do, in the order in which they came; in answers for one volume only.</summary>
    public IReadOnlyList<VolumeSession>? Sessions { get; init; }

    /// <summary>Whether an iSCSI initiator has asked that nobody write (software write protect).</summary>
    public bool IsWriteProtected { get; init; }

    /// <summary>Blocks of 4,096 bytes that were being overwritten at the last unclean stop, and may be old, new or torn.</summary>
    public long UnverifiedBlocks { get; init; }

    /// <summary>Where these blocks are, the first of them; in answers for one volume only.</summary>
    public IReadOnlyList<VolumeRange>? Unverified { get; init; }

    /// <summary>Blocks of 4,096 bytes that requests have met damaged, and nobody has healed.</summary>
    public long DamagedBlocks { get; init; }

    /// <summary>MiB whose piece of the map requests have met damaged, and nobody has healed.</summary>
    public long DamagedMapPieces { get; init; }

    /// <summary>Where these are, the first of them; in answers for one volume only.</summary>
    public IReadOnlyList<VolumeRange>? Damaged { get; init; }

    /// <summary>True where more is damaged or unverified than these lists tell; in answers for one volume only.</summary>
    public bool? RangesAreCut { get; init; }

    /// <summary>How many snapshots it has.</summary>
    public int SnapshotCount { get; init; }

    /// <summary>The snapshot that it is a clone of and still shares space with: "volume@snapshot"; absent for any other volume.</summary>
    public string? Origin { get; init; }

    /// <summary>True while it goes back to a snapshot: until that is done requests of clients fail.</summary>
    public bool? IsRestoring { get; init; }

    /// <summary>How snapshots are taken and kept by themselves; absent where none are.</summary>
    public SnapshotSchedule? SnapshotSchedule { get; init; }

    /// <summary>The resizing that is under way.</summary>
    public RunningResize? Resize { get; init; }

    /// <summary>Where clients find it.</summary>
    public required VolumeAddresses Addresses { get; init; }
}

/// <summary>A range of a volume.</summary>
/// <param name="OffsetBytes">Where it begins.</param>
/// <param name="LengthBytes">Its length.</param>
public sealed record VolumeRange(long OffsetBytes, long LengthBytes);

/// <summary>A resizing that takes or gives back space.</summary>
/// <param name="FromBytes">The size before.</param>
/// <param name="ToBytes">The size that was asked for.</param>
/// <param name="DoneBytes">How much of the difference has been gone through.</param>
public sealed record RunningResize(long FromBytes, long ToBytes, long DoneBytes);

/// <summary>Connected clients of a volume, by protocol.</summary>
/// <param name="Nbd">NBD connections.</param>
/// <param name="Iscsi">iSCSI sessions.</param>
/// <param name="Nvme">Associations of NVMe hosts.</param>
public sealed record VolumeClients(int Nbd, int Iscsi, int Nvme = 0)
{
    /// <summary>All of them.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public int Total => Nbd + Iscsi + Nvme;

    /// <summary>Both together.</summary>
    public static VolumeClients operator +(VolumeClients left, VolumeClients right) =>
        new(left.Nbd + right.Nbd, left.Iscsi + right.Iscsi, left.Nvme + right.Nvme);
}

/// <summary>Where clients find a volume.</summary>
/// <param name="Nbd">An NBD URI.</param>
/// <param name="Iscsi">An iSCSI URL as libiscsi and QEMU read it.</param>
/// <param name="IscsiTarget">The iSCSI qualified name.</param>
/// <param name="IscsiPortal">Address and port of the iSCSI portal.</param>
public sealed record VolumeAddresses(string Nbd, string Iscsi, string IscsiTarget, string IscsiPortal)
{
    /// <summary>The NVMe qualified name of the subsystem; absent where volumes are not served over NVMe.</summary>
    public string? NvmeSubsystem { get; init; }

    /// <summary>Address and port of the NVMe/TCP server.</summary>
    public string? NvmePortal { get; init; }
}

/// <summary>Volumes of a pool, by name.</summary>
public sealed record VolumeList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"VolumeList".</summary>
    public string Kind { get; init; } = nameof(VolumeList);

    /// <summary>The volumes, or the first of them.</summary>
    public required IReadOnlyList<Volume> Items { get; init; }

    /// <summary>Where the list goes on; absent at its end.</summary>
    public string? Next { get; init; }
}
