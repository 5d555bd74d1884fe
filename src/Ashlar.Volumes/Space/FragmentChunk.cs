using System.Numerics;

namespace Ashlar.Volumes;

/// <summary>
/// A chunk that holds blocks of any leaves of one volume, in memory for as long as any of its blocks is not owned for good.
/// </summary>
sealed class FragmentChunk(VolumeDevice volume, long chunk)
{
    public VolumeDevice Volume { get; } = volume;

    public long Chunk { get; } = chunk;

    /// <summary>Blocks that captured leaves own.</summary>
    public ushort Live { get; set; }

    /// <summary>Blocks that requests, or leaves in memory, have taken.</summary>
    public ushort Pending { get; set; }

    /// <summary>Blocks that a captured leaf has let go of, and that leaf is not durable yet.</summary>
    public ushort Dying { get; set; }

    /// <summary>Whether the volume takes blocks of it just now.</summary>
    public bool IsOpen { get; set; }

    /// <summary>Whether it waits to be used again.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Whether the chunk was given back.</summary>
    public bool IsGone { get; set; }

    public ushort Free => (ushort)~(Live | Pending | Dying);

    public int FreeCount => BitOperations.PopCount(Free);

    /// <summary>Whether nobody has, or is about to get, any of it.</summary>
    public bool IsUnused => !IsOpen && (Live | Pending | Dying) == 0;

    /// <summary>Whether the store says all there is to know of it: memory can forget it, with what little of it is free.</summary>
    public bool IsSettled => !IsOpen && !IsQueued && (Pending | Dying) == 0;
}

/// <summary>The fragment chunks that a volume takes blocks of.</summary>
sealed class VolumeFragments
{
    /// <summary>The one that it takes blocks of now.</summary>
    public FragmentChunk? Open { get; set; }

    /// <summary>Others with free blocks.</summary>
    public Queue<FragmentChunk> Reusable { get; } = new();

    /// <summary>The last chunk that was taken: the next one shall lie behind it.</summary>
    public long LastChunk { get; set; }

    /// <summary>Where searches for free chunks begin.</summary>
    public long Cursor;
}
