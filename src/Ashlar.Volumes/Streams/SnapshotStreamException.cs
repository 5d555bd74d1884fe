using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>What is wrong with a stream of a snapshot, or with what it is to be applied to.</summary>
public enum SnapshotStreamProblem
{
    /// <summary>It is no such stream.</summary>
    NotAStream = 0,

    /// <summary>Another version of this program wrote it.</summary>
    UnsupportedVersion,

    /// <summary>It ends before its end.</summary>
    CutOff,

    /// <summary>It is not as it was written.</summary>
    Altered,

    /// <summary>The volume is larger than is allowed here.</summary>
    TooLarge,

    /// <summary>It begins at a snapshot that is not the newest one of the volume, or at none and the volume is there.</summary>
    WrongParent,

    /// <summary>The volume has the snapshot that the stream ends at.</summary>
    AlreadyThere,

    /// <summary>The volume was written since the snapshot that the stream begins at.</summary>
    VolumeChanged,
}

/// <summary>A stream of a snapshot cannot be applied; nothing of it stays.</summary>
public sealed class SnapshotStreamException(SnapshotStreamProblem problem, string detail)
    : AshlarException($"stream of a snapshot: {detail}")
{
    /// <summary>What is wrong.</summary>
    public SnapshotStreamProblem Problem { get; } = problem;
}
