using System.Globalization;

namespace Ashlar.Planning;

/// <summary>How many drives fail, and how long their content takes to copy.</summary>
static class DriveReckoning
{
    public static long PerNode(ClusterNeeds needs) => Reckoning.CeilingDivide("drive-size", needs.NodeBytes, needs.DriveBytes);

    public static DriveFailures Of(ClusterNeeds needs, UnitSystem units, StorageNodes storage, List<ClusterRow> rows)
    {
        var drives = Reckoning.CeilingDivide("drive-size", (decimal)storage.Nodes * PerNode(needs), 1);
        var perDay = drives * (double)needs.AnnualFailureShare / 365;
        // What is stored, not what would fit: nodes that load asks for are emptier.
        var onDrive = (double)storage.StoredBytes / drives;
        var onNode = (double)storage.StoredBytes / storage.Nodes;
        var peers = Math.Max(1, Math.Min(needs.RebuildPeers, drives - 1));
        var others = Math.Max(1, drives - PerNode(needs));
        var rebuild = onDrive / (peers * (double)needs.RebuildBytesPerSecond);
        var nodeRebuild = onNode / (others * (double)needs.RebuildBytesPerSecond);
        var rate = $"{ByteAmount.Format(needs.RebuildBytesPerSecond, units)}/s";
        rows.Add(new(
            "drives", "Drives", $"{ClusterSizer.Number(PerNode(needs))} a node of {ByteAmount.Format(needs.DriveBytes, units)} each", ClusterSizer.Number(drives)));
        rows.Add(new(
            "failuresPerDay", "Drives failing", $"{ClusterSizer.Number(drives)} x {Share.Format(needs.AnnualFailureShare)} a year / 365", PerDay(perDay)));
        rows.Add(new(
            "rebuildDrive",
            "Rebuild of a drive",
            $"{ByteAmount.Format((long)onDrive, units)} on it / ({ClusterSizer.Number(peers)} peers x {rate})",
            Period.Format(rebuild)));
        rows.Add(new(
            "rebuildNode",
            "Rebuild of a node",
            $"{ByteAmount.Format((long)onNode, units)} on it / ({ClusterSizer.Number(others)} other drives x {rate})",
            Period.Format(nodeRebuild)));
        return new(drives, perDay, rebuild, nodeRebuild);
    }

    static string PerDay(double failures) => failures switch
    {
        >= 0.95 => string.Create(CultureInfo.InvariantCulture, $"{failures:N1} a day"),
        >= 1.0 / 30 => string.Create(CultureInfo.InvariantCulture, $"{failures * 30:N1} in 30 days"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{failures * 365:0.##} a year"),
    };
}
