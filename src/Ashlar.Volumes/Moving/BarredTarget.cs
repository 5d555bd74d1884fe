namespace Ashlar.Volumes;

/// <summary>Moves what lies in chunks that are barred, to wherever there is room.</summary>
sealed class BarredTarget(ChunkSpace space) : MoveTarget
{
    // What more a leaf has, in many versions, is for the next time: commits wait meanwhile.
    const int MaxHomes = 64, MaxBlocks = 128;

    long cursor;

    public override int MostBlocks => MaxBlocks;

    public override bool TryTakeHomes(LeafFamily family, IReadOnlyList<OwnedHome> homes, List<MovedHome> moved)
    {
        foreach (var home in homes)
        {
            if (!space.IsBarred(home.Chunk)) continue;
            if (moved.Count == MaxHomes) break;
            // Beside the one before, so that the leaf becomes one run again.
            var beside = moved.Count == 0 ? 0 : moved[^1].To + home.Slot - moved[^1].Slot;
            var chunk = space.Take(beside, home.Slot, ref cursor);
            if (chunk == 0) return false;
            moved.Add(new(home.Chunk, chunk, home.Slot, home.Birth, home.IsKept));
        }

        return true;
    }

    public override bool MovesBlock(long place) => space.IsBarred(place / MapLayout.BlocksPerChunk);
}
