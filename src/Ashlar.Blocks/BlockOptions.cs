namespace Ashlar.Blocks;

/// <summary>How a write completes.</summary>
[Flags]
public enum WriteOptions
{
    /// <summary>Completed when the device has it; durable after the next flush.</summary>
    None = 0,

    /// <summary>Completed when it is durable (FUA).</summary>
    ForceUnitAccess = 1,

    /// <summary>
    /// After a failure, or a loss of power, all of it is there or nothing of it. Whole blocks, and no more than
    /// <see cref="BlockGeometry.MaxAtomicWriteBytes"/>. It says nothing of when it is durable.
    /// </summary>
    Atomic = 2,
}

/// <summary>How a range is zeroed.</summary>
[Flags]
public enum ZeroOptions
{
    /// <summary>Space may be given back; durable after the next flush.</summary>
    None = 0,

    /// <summary>Completed when it is durable (FUA).</summary>
    ForceUnitAccess = 1,

    /// <summary>The range stays, or becomes, allocated, so that later writes to it cannot run out of space.</summary>
    KeepAllocated = 2,

    /// <summary>Fail with <see cref="NotSupportedException"/> instead of writing zeros slowly.</summary>
    FastOnly = 4,
}

/// <summary>What a run of blocks holds.</summary>
public enum BlockExtentKind
{
    /// <summary>Unallocated: reads as zeros.</summary>
    Hole = 0,

    /// <summary>Allocated, known to read as zeros.</summary>
    Zero,

    /// <summary>Allocated, with data.</summary>
    Data,
}

/// <summary>A run of blocks of one kind.</summary>
public readonly record struct BlockExtent(BlockExtentKind Kind, long BlockCount);
