namespace Ashlar.Planning;

/// <summary>
/// What the loss of a rack means: no piece of a file more than those that may be missing, since pieces are spread over racks.
/// </summary>
static class RackReckoning
{
    public static RackLoss? Of(ClusterNeeds needs, UnitSystem units, StorageNodes storage, List<ClusterRow> rows)
    {
        if (needs.Racks is not { } racks) return null;
        var nodes = Reckoning.CeilingDivide("racks", storage.Nodes, racks);
        var bytes = (double)storage.StoredBytes / storage.Nodes * nodes;
        var pieces = needs.Erasure is null ? "copies" : "parts";
        rows.Add(new(
            "rack",
            "Loss of a rack",
            $"{ClusterSizer.Number(nodes)} {(nodes == 1 ? "node" : "nodes")}; "
                + $"of {needs.Pieces} {pieces} of a file up to {needs.PiecesOfRack}",
            $"{needs.Pieces - needs.PiecesOfRack} {pieces} left"));

        // A piece goes to a rack that has room for it and holds no more pieces of its file than before.
        var others = storage.Nodes - nodes;
        var hasPlaces = (racks - 1L) * needs.PiecesOfRack >= needs.Pieces;
        var hasRoom = storage.StoredBytes <= (Int128)others * needs.NodeBytes;
        if (!hasPlaces || !hasRoom)
        {
            rows.Add(new(
                "rebuildRack",
                "Rebuild of a rack",
                hasPlaces
                    ? "the other racks have no room for what was in it"
                    : $"the other racks are too few for {needs.Pieces} {pieces} apart",
                "when it is back"));
            return new(nodes, needs.PiecesOfRack, null);
        }

        var drives = Reckoning.Product("racks", storage.Nodes, DriveReckoning.PerNode(needs));
        var (seconds, how) = new RepairRate(needs, units, storage.Nodes, drives)
            .OfRack(bytes, nodes);
        rows.Add(new("rebuildRack", "Rebuild of a rack", how, Period.Format(seconds)));
        return new(nodes, needs.PiecesOfRack, seconds);
    }
}
