namespace Ashlar.Blocks.Raid;

/// <summary>Somebody above a set who knows what its blocks should hold.</summary>
public interface IChecksumOracle
{
    /// <summary>
    /// Whether content is what a block should hold, as is all where it holds nothing that anybody wants; null where nobody knows. Called
    /// with the block's stripe locked: it must not wait for requests to the set.
    /// </summary>
    bool? IsRight(Lba block, ReadOnlySpan<byte> content);
}
