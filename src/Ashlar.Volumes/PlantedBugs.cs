namespace Ashlar.Volumes;

/// <summary>Bugs that tests plant to prove that they would be found. Nothing but tests can set them.</summary>
[Flags]
enum PlantedBugs
{
    None = 0,

    /// <summary>The map is committed before the data it speaks of is durable.</summary>
    MapBeforeData = 1,

    /// <summary>A commit does not flush the data device.</summary>
    SkipDataFlush = 1 << 1,

    /// <summary>A block is overwritten before its marker is durable.</summary>
    MarkerNotDurable = 1 << 2,

    /// <summary>Removed chunks can be used again before the map without them is durable.</summary>
    ReuseBeforeCommit = 1 << 3,

    /// <summary>Removed chunks are punched after they can be used again.</summary>
    PunchAfterReuse = 1 << 4,

    /// <summary>The free space is not written in the batch of the leaves.</summary>
    BitmapNotInBatch = 1 << 5,

    /// <summary>Recovery believes what it reads without flushing it.</summary>
    RecoverWithoutFlush = 1 << 6,

    /// <summary>Reads do not compare checksums.</summary>
    IgnoreChecksum = 1 << 7,

    /// <summary>A flush does not commit the map.</summary>
    FlushWithoutMap = 1 << 8,

    /// <summary>Markers are cleared although checksums below them are not committed.</summary>
    ClearMarkersEarly = 1 << 9,

    /// <summary>Whether an overwrite needs a marker is judged by the leaf in memory instead of the committed one.</summary>
    MarkByMemory = 1 << 10,

    /// <summary>Recovery does not look at the markers.</summary>
    SkipRecovery = 1 << 11,

    /// <summary>A shrunk volume forgets its size before its tail is unmapped.</summary>
    ShrinkBeforeUnmap = 1 << 12,

    /// <summary>The map is committed without waiting for stable storage.</summary>
    MapNotDurable = 1 << 13,
}
