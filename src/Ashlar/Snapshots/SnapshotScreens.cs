using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>What people see of snapshots.</summary>
static class SnapshotScreens
{
    public static string PathOf(Snapshot snapshot) =>
        new SnapshotPath(new VolumePath(snapshot.Pool, snapshot.Volume), snapshot.Name).ToString();

    /// <summary>Writes snapshots: where one was asked for as an object, where several were as a list.</summary>
    public static void Write(
        Invocation invocation, IReadOnlyList<Snapshot> snapshots, bool isOne, bool isChange, Action<TextWriter, Style> forPeople)
    {
        if (snapshots.Count == 0 && isOne) return; // Why not has been said.
        if (isChange && invocation.IsSilent) return;
        var names = snapshots.Select(PathOf);
        if (isOne) invocation.Write(snapshots[0], ApiJson.Strict.Snapshot, names, forPeople);
        else invocation.Write(new SnapshotList { Items = snapshots }, ApiJson.Strict.SnapshotList, names, forPeople);
    }

    public static void WriteOne(Terminal terminal, Snapshot snapshot)
    {
        var facts = Describe(snapshot);
        if (snapshot.Addresses.NvmeSubsystem is { } subsystem) facts.Add("NVMe", subsystem);
        facts.WriteTo(terminal.Out, terminal.OutStyle, terminal.Width);
    }

    static FactSheet Describe(Snapshot snapshot) => new FactSheet()
        .Add("Name", PathOf(snapshot))
        .Add(
            "Size",
            $"{ByteSize.Format(snapshot.SizeBytes)} ({ByteSize.FormatExact(snapshot.SizeBytes)}), blocks of {snapshot.BlockSizeBytes}")
        .Add("Created", Timestamp.Format(snapshot.CreatedAt) + (snapshot.IsScheduled ? ", by its schedule" : ""))
        .Add("Freed", $"{ByteSize.Format(snapshot.FreedBytes ?? 0)} if it is deleted alone")
        .Add("Clones", snapshot.Clones.Count == 0 ? "-" : string.Join(", ", snapshot.Clones))
        .Add("Readers", VolumeScreens.Clients(snapshot.Clients))
        .Add("Id", snapshot.Id.ToString("D"))
        .Add("NBD", snapshot.Addresses.Nbd)
        .Add("iSCSI", snapshot.Addresses.Iscsi);
}
