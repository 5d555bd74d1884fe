namespace Ashlar.Volumes;

/// <summary>What came of moving.</summary>
sealed class MoveResult
{
    /// <summary>Bytes that lie elsewhere now.</summary>
    public long MovedBytes { get; set; }

    /// <summary>Blocks that were damaged and still are.</summary>
    public long DamagedBlocks { get; set; }

    /// <summary>Pieces that could not be moved, and why.</summary>
    public List<string> Unmovable { get; } = [];
}
