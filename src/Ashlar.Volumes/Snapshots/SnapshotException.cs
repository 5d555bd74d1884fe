using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>What is wrong with a snapshot that was asked for.</summary>
public enum SnapshotProblem
{
    /// <summary>The name breaks the rule of names.</summary>
    InvalidName = 0,

    /// <summary>Another snapshot of the volume has the name.</summary>
    NameTaken,

    /// <summary>The volume has no snapshot of that name.</summary>
    Unknown,

    /// <summary>Clones need it, or snapshots of the volume are in the way.</summary>
    InUse,

    /// <summary>The volume cannot have snapshots: it is thick.</summary>
    NotSupported,
}

/// <summary>A snapshot cannot be taken, found, or deleted.</summary>
public sealed class SnapshotException(string volume, string? snapshot, SnapshotProblem problem, string detail)
    : AshlarException(snapshot is null ? $"volume '{volume}': {detail}" : $"snapshot '{volume}@{snapshot}': {detail}")
{
    /// <summary>Name of the volume.</summary>
    public string Volume { get; } = volume;

    /// <summary>Name of the snapshot; null where it is about all of them.</summary>
    public string? Snapshot { get; } = snapshot;

    /// <summary>What is wrong.</summary>
    public SnapshotProblem Problem { get; } = problem;
}
