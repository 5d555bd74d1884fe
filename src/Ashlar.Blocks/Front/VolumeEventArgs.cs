namespace Ashlar.Blocks;

/// <summary>What happens to a volume.</summary>
public enum VolumeEventKind
{
    /// <summary>A client came.</summary>
    Attached = 0,

    /// <summary>A client left: its requests have ended.</summary>
    Detached,

    /// <summary>The volume has another size.</summary>
    CapacityChanged,

    /// <summary>Space below the volume, which it may need for writes, gets short, or shorter.</summary>
    SpaceRunsShort,

    /// <summary>The device failed so that it takes no more writes.</summary>
    Failed,

    /// <summary>The volume is no more.</summary>
    Deleted,
}

/// <summary>Something happened to a volume.</summary>
/// <param name="kind">What.</param>
/// <param name="session">Whose session came or ended.</param>
/// <param name="error">What failed.</param>
public sealed class VolumeEventArgs(VolumeEventKind kind, ClientSession? session = null, Exception? error = null) : EventArgs
{
    /// <summary>What.</summary>
    public VolumeEventKind Kind { get; } = kind;

    /// <summary>Whose session came or ended.</summary>
    public ClientSession? Session { get; } = session;

    /// <summary>What failed.</summary>
    public Exception? Error { get; } = error;
}
