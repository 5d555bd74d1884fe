namespace Ashlar.Planning;

/// <summary>
/// How fast lost pieces are made again: by drives that each give a part of their time, behind the networks of their nodes, whichever
/// is less.
/// </summary>
/// <param name="needs">The rates.</param>
/// <param name="units">For its sentences.</param>
/// <param name="nodes">Nodes there are.</param>
/// <param name="drives">Drives there are.</param>
sealed class RepairRate(ClusterNeeds needs, UnitSystem units, long nodes, long drives)
{
    // With as many nodes as pieces, what was lost can come to its own node only: to other drives of it, or to its successor.
    bool HasOtherNodes => nodes > needs.Pieces;

    long DrivesOfNode => DriveReckoning.PerNode(needs);

    public (double Seconds, string How) OfDrive(double bytes)
    {
        var peers = HasOtherNodes ? Math.Min(needs.RebuildPeers, drives - 1) : Math.Min(needs.RebuildPeers, Math.Max(1, DrivesOfNode - 1));
        return Of(bytes, peers, HasOtherNodes ? Math.Min(peers, nodes - 1) : 1);
    }

    // Each of its drives has peers of its own: a node takes as long as a drive does, unless there are too few others.
    public (double Seconds, string How) OfNode(double bytes)
    {
        var peers = HasOtherNodes ? Math.Min(Times(needs.RebuildPeers, DrivesOfNode), drives - DrivesOfNode) : DrivesOfNode;
        return Of(bytes, peers, HasOtherNodes ? Math.Min(peers, nodes - 1) : 1);
    }

    public (double Seconds, string How) OfRack(double bytes, long lostNodes)
    {
        var others = nodes - lostNodes;
        return Of(bytes, Math.Min(Times(needs.RebuildPeers, Times(DrivesOfNode, lostNodes)), Times(others, DrivesOfNode)), others);
    }

    (double Seconds, string How) Of(double bytes, long peers, long peerNodes)
    {
        var byDrives = peers * (double)needs.RebuildBytesPerSecond;
        var byNetwork = peerNodes * (double)needs.RepairBytesOfNode;
        var reads = needs.PiecesToRead;
        var what = ByteAmount.Format((long)bytes, units) + (reads == 1 ? " on it" : $" on it x {reads} parts to read");
        var how = byDrives <= byNetwork
            ? $"{ClusterSizer.Number(peers)} {(peers == 1 ? "peer" : "peers")} x {Rate(needs.RebuildBytesPerSecond)}"
            : $"{ClusterSizer.Number(peerNodes)} {(peerNodes == 1 ? "node" : "nodes")} x {Rate(needs.RepairBytesOfNode)} of network";
        return (bytes * reads / Math.Min(byDrives, byNetwork), $"{what} / ({how})");
    }

    string Rate(long bytes) => $"{ByteAmount.Format(bytes, units)}/s";

    static long Times(long count, long times) => (long)Int128.Min(long.MaxValue, (Int128)count * times);
}
