namespace Ashlar.Volumes;

/// <summary>Moves the homes of a volume's leaves into runs: those of each leaf side by side, behind those of the leaf before it.</summary>
sealed class OrderTarget(ChunkSpace space, VolumeDevice volume) : MoveTarget
{
    long next;
    long cursor;

    public override bool TryTakeHomes(LeafFamily family, IReadOnlyList<OwnedHome> homes, List<MovedHome> moved)
    {
        OwnedHome[] own = [.. homes.Where(home => home.Owner == volume && home.IsOfHead)];
        if (own.Length == 0) return true;
        var first = own[0].Chunk - own[0].Slot;
        if (Array.TrueForAll(own, home => home.Chunk - home.Slot == first))
        {
            next = first + MapLayout.ChunksPerLeaf;
            return true;
        }

        var window = space.TakeWindow(next, ref cursor);
        if (window < 0) return true; // No whole MiB is free: it stays as it is.
        next = window + MapLayout.ChunksPerLeaf;
        foreach (var home in own) moved.Add(new(home.Chunk, window + home.Slot, home.Slot, home.Birth, home.IsKept));
        for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
            if (!Array.Exists(own, home => home.Slot == slot)) space.Release([window + slot]);
        return true;
    }

    public override bool MovesBlock(long place) => false;
}
