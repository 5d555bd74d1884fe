using System.Globalization;

namespace Ashlar.Planning;

/// <summary>How many drives fail, and how long it takes to make their content again.</summary>
static class DriveReckoning
{
    public static long PerNode(ClusterNeeds needs) => Reckoning.CeilingDivide("drive-size", needs.NodeBytes, needs.BytesOfDrive);

    public static DriveFailures Of(ClusterNeeds needs, UnitSystem units, StorageNodes storage, List<ClusterRow> rows)
    {
        var drives = Reckoning.Product("drive-size", storage.Nodes, PerNode(needs));
        var perDay = drives * (double)needs.AnnualFailureShare / 365;
        rows.Add(new(
            "drives",
            "Drives",
            $"{ClusterSizer.Number(PerNode(needs))} a node of {ByteAmount.Format(needs.BytesOfDrive, units)} each",
            ClusterSizer.Number(drives)));
        rows.Add(new(
            "failuresPerDay",
            "Drives failing",
            $"{ClusterSizer.Number(drives)} x {Share.Format(needs.AnnualFailureShare)} a year / 365",
            PerDay(perDay)));
        if (needs.SparePieces == 0)
        {
            rows.Add(new("rebuildDrive", "Rebuild of a drive", "one copy: there is nothing to make it from but a backup", "none"));
            return new(drives, perDay, null, null);
        }

        // What is stored, not what would fit: nodes that load asks for are emptier.
        var onDrive = (double)storage.StoredBytes / drives;
        var onNode = (double)storage.StoredBytes / storage.Nodes;
        var repair = new RepairRate(needs, units, storage.Nodes, drives);
        var (drive, node) = (repair.OfDrive(onDrive), repair.OfNode(onNode));
        rows.Add(new("rebuildDrive", "Rebuild of a drive", drive.How, Period.Format(drive.Seconds)));
        rows.Add(new("rebuildNode", "Rebuild of a node", node.How, Period.Format(node.Seconds)));
        return new(drives, perDay, drive.Seconds, node.Seconds);
    }

    static string PerDay(double failures) => failures switch
    {
        >= 0.95 => string.Create(CultureInfo.InvariantCulture, $"{failures:N1} a day"),
        >= 1.0 / 30 => string.Create(CultureInfo.InvariantCulture, $"{failures * 30:N1} in 30 days"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{failures * 365:0.##} a year"),
    };
}
