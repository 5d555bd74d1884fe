using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>A snapshot of a volume.</summary>
public sealed record Snapshot
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"Snapshot".</summary>
    public string Kind { get; init; } = nameof(Snapshot);

    /// <summary>The pool that it is in.</summary>
    public required string Pool { get; init; }

    /// <summary>The volume that it was taken of.</summary>
    public required string Volume { get; init; }

    /// <summary>Unique among the snapshots of the volume.</summary>
    public required string Name { get; init; }

    /// <summary>Identity that never changes and is never reused.</summary>
    public required Guid Id { get; init; }

    /// <summary>Size of the volume at that time.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>512 or 4096.</summary>
    public required int BlockSizeBytes { get; init; }

    /// <summary>When it was taken.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>What deleting it alone would give back; in answers for one snapshot, and in lists where it was asked for.</summary>
    public long? FreedBytes { get; init; }

    /// <summary>Volumes that are clones of it and still need it.</summary>
    public required IReadOnlyList<string> Clones { get; init; }

    /// <summary>Whether it was deleted, and is kept for its clones only.</summary>
    public bool IsDeleted { get; init; }

    /// <summary>Whether the schedule of the volume took it, and deletes it in its time.</summary>
    public bool IsScheduled { get; init; }

    /// <summary>Who reads it now.</summary>
    public required VolumeClients Clients { get; init; }

    /// <summary>Where clients find it, to read it.</summary>
    public required VolumeAddresses Addresses { get; init; }
}

/// <summary>Snapshots of a volume, the oldest first.</summary>
public sealed record SnapshotList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"SnapshotList".</summary>
    public string Kind { get; init; } = nameof(SnapshotList);

    /// <summary>The snapshots, or the first of them.</summary>
    public required IReadOnlyList<Snapshot> Items { get; init; }

    /// <summary>Where the list goes on; absent at its end.</summary>
    public string? Next { get; init; }
}

/// <summary>What deleting snapshots gave back, or would.</summary>
public sealed record SnapshotDeletion
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"SnapshotDeletion".</summary>
    public string Kind { get; init; } = nameof(SnapshotDeletion);

    /// <summary>The pool.</summary>
    public required string Pool { get; init; }

    /// <summary>The volume.</summary>
    public required string Volume { get; init; }

    /// <summary>The snapshots.</summary>
    public required IReadOnlyList<string> Snapshots { get; init; }

    /// <summary>Whether they stay: nothing was deleted.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Space that nothing else needs.</summary>
    public required long FreedBytes { get; init; }

    /// <summary>Clones that keep space of the snapshots until they are flat or gone.</summary>
    public IReadOnlyList<string> Clones { get; init; } = [];
}

/// <summary>What of a snapshot differs from an older one, in ascending order.</summary>
public sealed record SnapshotChanges
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"SnapshotChanges".</summary>
    public string Kind { get; init; } = nameof(SnapshotChanges);

    /// <summary>The ranges, or the first of them. What is named may hold the same all the same: it was written in between.</summary>
    public required IReadOnlyList<SnapshotChange> Items { get; init; }

    /// <summary>Where the list goes on; absent at its end.</summary>
    public string? Next { get; init; }
}

/// <summary>A range of a volume that two snapshots do not have in common.</summary>
/// <param name="OffsetBytes">Where it begins.</param>
/// <param name="LengthBytes">Its length.</param>
/// <param name="IsZero">Whether it reads as zeros in the younger one.</param>
public sealed record SnapshotChange(long OffsetBytes, long LengthBytes, bool IsZero);

/// <summary>Snapshots to be taken, all at one instant.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record TakeSnapshots
{
    /// <summary>One of each volume.</summary>
    public required IReadOnlyList<NewSnapshot> Snapshots { get; init; }
}

/// <summary>A snapshot to be taken.</summary>
/// <param name="Volume">The volume.</param>
/// <param name="Name">Unique among its snapshots.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record NewSnapshot(string Volume, string Name);

/// <summary>A change of a snapshot.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeSnapshot
{
    /// <summary>The new name.</summary>
    public required string Name { get; init; }
}

/// <summary>Snapshots of a volume to be deleted, all of them or none.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record DeleteSnapshots
{
    /// <summary>Their names.</summary>
    public required IReadOnlyList<string> Snapshots { get; init; }

    /// <summary>Whether it is only asked what would be given back.</summary>
    public bool DryRun { get; init; }

    /// <summary>Whether clients may read them; they are cut off.</summary>
    public bool Force { get; init; }
}

/// <summary>A volume to be created that begins as a snapshot is.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CloneSnapshot
{
    /// <summary>Unique within the pool.</summary>
    public required string Name { get; init; }
}
