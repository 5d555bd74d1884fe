namespace Ashlar.Volumes;

/// <summary>What a commit has to cover.</summary>
enum CommitScope
{
    /// <summary>
    /// Checksums of blocks overwritten in place, only so that their leaves can leave memory: nothing becomes durable, and the markers
    /// of these blocks stay.
    /// </summary>
    Spill = 0,

    /// <summary>What a flush promises: data, and leaves whose places or valid blocks changed.</summary>
    Flush,

    /// <summary>Checksums of blocks overwritten in place as well, so that markers can be cleared.</summary>
    Checksums,
}
