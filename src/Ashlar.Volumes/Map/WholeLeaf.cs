namespace Ashlar.Volumes;

/// <summary>A leaf as it was last written to the store as a whole: what a delta can be built on.</summary>
/// <param name="Tie">What ties a delta to it (<see cref="LeafDelta.TieOf"/>).</param>
/// <param name="Version">Of which time it is.</param>
readonly record struct WholeLeaf(uint Tie, LeafVersion Version)
{
    /// <summary>A leaf and its value in the store; null when it is too short to have a delta.</summary>
    public static WholeLeaf? Of(Leaf leaf, ReadOnlySpan<byte> value) =>
        value.Length < leaf.Volume.LeastWholeBytes || value.IsEmpty ? null : new(LeafDelta.TieOf(value), leaf.Version);
}
