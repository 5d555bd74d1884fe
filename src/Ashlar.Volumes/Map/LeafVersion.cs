namespace Ashlar.Volumes;

/// <summary>Of which time a leaf is.</summary>
/// <param name="Generation">Generation in which it was last changed.</param>
/// <param name="Older">
/// Generation of the next older version of it that is kept for snapshots; 0 when there is none. What was taken up to then is that one's
/// as well: it is never overwritten, and the head gives none of it back.
/// </param>
readonly record struct LeafVersion(long Generation, long Older)
{
    /// <summary>Before there were snapshots.</summary>
    public static LeafVersion First => new(1, 0);
}
