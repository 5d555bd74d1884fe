namespace Ashlar.Volumes;

/// <summary>Which places of a leaf are to lie elsewhere, and where.</summary>
abstract class MoveTarget
{
    /// <summary>
    /// Takes chunks for those homes that are to move; false when there are none free. What it took is in the answer either way.
    /// </summary>
    /// <param name="family">The leaf.</param>
    /// <param name="homes">The homes that the leaf has, by slot, of whatever version.</param>
    /// <param name="moved">Gets the moves.</param>
    public abstract bool TryTakeHomes(LeafFamily family, IReadOnlyList<OwnedHome> homes, List<MovedHome> moved);

    /// <summary>How many blocks outside homes are moved of a leaf at a time.</summary>
    public virtual int MostBlocks => int.MaxValue;

    /// <summary>Whether a block outside homes is to move.</summary>
    public abstract bool MovesBlock(long place);
}

/// <summary>A home of a leaf.</summary>
/// <param name="Chunk">Where it lies.</param>
/// <param name="Slot">Of which chunk of the leaf.</param>
/// <param name="Birth">Generation of the place.</param>
/// <param name="IsKept">Whether its space was promised.</param>
/// <param name="Owner">Whose it is.</param>
/// <param name="IsOfHead">Whether the head of its owner has it.</param>
readonly record struct OwnedHome(long Chunk, int Slot, long Birth, bool IsKept, VolumeDevice Owner, bool IsOfHead);
