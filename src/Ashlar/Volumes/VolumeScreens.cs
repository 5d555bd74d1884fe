using System.Globalization;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>What people see of volumes.</summary>
static class VolumeScreens
{
    const int MaxShownRanges = 5;

    public static string PathOf(Volume volume) => new VolumePath(volume.Pool, volume.Name).ToString();

    /// <summary>Writes volumes: where one was asked for as an object, where several were as a list.</summary>
    public static void Write(
        Invocation invocation, IReadOnlyList<Volume> volumes, bool isOne, bool isChange, Action<TextWriter, Style> forPeople)
    {
        if (volumes.Count == 0 && isOne) return; // Why not has been said.
        if (isChange && invocation.IsSilent) return;
        var names = volumes.Select(PathOf);
        if (isOne) invocation.Write(volumes[0], ApiJson.Strict.Volume, names, forPeople);
        else invocation.Write(new VolumeList { Items = volumes }, ApiJson.Strict.VolumeList, names, forPeople);
    }

    public static void WriteOne(Terminal terminal, Volume volume, VolumeFragmentation? fragmentation = null)
    {
        var (writer, style) = (terminal.Out, terminal.OutStyle);
        var facts = new FactSheet()
            .Add("Name", PathOf(volume))
            .Add(
                "Size",
                $"{ByteSize.Format(volume.SizeBytes)} ({ByteSize.FormatExact(volume.SizeBytes)}), blocks of {volume.BlockSizeBytes}")
            .Add("Type", volume.IsThick ? "thick: all space is taken at creation" : "thin: takes space as it is written")
            .Add("Used", $"{ByteSize.Format(volume.AllocatedBytes)} ({Percentage.Format(volume.AllocatedBytes, volume.SizeBytes)})")
            .Add("Limits", VolumeLimitOptions.Format(volume.Limits));
        if (fragmentation is { ScatteredBytes: > 0 }) facts.Add("Layout", VolumeDefragmentCommand.Describe(fragmentation));
        if (volume.Description is { } description) facts.Add("Description", description);
        if (volume.Labels is { } labels) facts.Add("Labels", VolumeDescriptionOptions.Format(labels)!);
        if (volume.TrashSeconds is { } seconds) facts.Add("Trash", VolumeDescriptionOptions.FormatTrash(seconds));
        if (volume.Origin is { } origin) facts.Add("Clone of", origin);
        if (volume.SnapshotCount > 0) facts.Add("Snapshots", volume.SnapshotCount.ToString(CultureInfo.InvariantCulture));
        if (volume.SnapshotSchedule is { } schedule) facts.Add("Schedule", SnapshotScheduleText.Format(schedule));
        if (volume.IsRestoring is true) facts.Add("Restoring", "it goes back to a snapshot; until then requests fail");
        if (volume.Resize is { } resize)
        {
            facts.Add("Resizing", $"from {ByteSize.Format(resize.FromBytes)} to {ByteSize.Format(resize.ToBytes)}: "
                + PoolFacts.Progress(resize.DoneBytes, Math.Abs(resize.ToBytes - resize.FromBytes)));
        }
        if (volume.UnverifiedBlocks > 0) facts.Add("Unverified", Unverified(volume));
        if (volume.DamagedBlocks + volume.DamagedMapPieces > 0) facts.Add("Damaged", Damaged(volume));
        facts
            .Add("Clients", Clients(volume.Clients) + (volume.IsWriteProtected ? ", write-protected by an initiator" : ""))
            .Add("Created", Timestamp.Format(volume.CreatedAt))
            .Add("Id", volume.Id.ToString("D"))
            .Add("NBD", volume.Addresses.Nbd)
            .Add("iSCSI", volume.Addresses.Iscsi);
        if (volume.Addresses.NvmeSubsystem is { } subsystem) facts.Add("NVMe", subsystem);
        facts.WriteTo(writer, style, terminal.Width);
        writer.WriteLine();
        WriteSessions(terminal, volume.Sessions ?? []);
        WriteConnecting(writer, style, volume);
    }

    public static void WriteCreated(Invocation invocation, Volume volume) =>
        invocation.WriteChange(volume, ApiJson.Strict.Volume, [PathOf(volume)], (writer, style) =>
        {
            writer.WriteLine($"{PathOf(volume)} is created: {ByteSize.Format(volume.SizeBytes)}, blocks of {volume.BlockSizeBytes} bytes");
            if (!invocation.Terminal.OutIsTerminal) return; // A script that creates many has no use for it.
            writer.WriteLine();
            WriteConnecting(writer, style, volume);
        });

    // The server refuses it, too; here it can be said as people write it, and before anybody is asked a question.
    public static CommandException InUse(Volume volume) => new(
        ExitCode.Conflict,
        ProblemTypes.InUse,
        $"volume {PathOf(volume)} is in use: {Clients(volume.Clients)}",
        Refusals.InUseHint);

    public static string Clients(VolumeClients clients)
    {
        if (clients.Total == 0) return "-";
        (int Count, string Protocol)[] all = [(clients.Nbd, "NBD"), (clients.Iscsi, "iSCSI"), (clients.Nvme, "NVMe")];
        return string.Join(", ", all.Where(each => each.Count > 0).Select(each => $"{each.Count} {each.Protocol}"));
    }

    /// <summary>Who is attached and what they do; nothing where nobody is.</summary>
    static void WriteSessions(Terminal terminal, IReadOnlyList<VolumeSession> sessions)
    {
        if (sessions.Count == 0) return;
        var table = new Table(
            "CLIENT", new("FROM", Rank: 4), new("SINCE", Rank: 8), Column.Number("READS", 6), Column.Number("READ", 3),
            Column.Number("WRITES", 5), Column.Number("WRITTEN", 2), Column.Number("IN FLIGHT", 7), Column.Number("ERRORS", 1));
        foreach (var session in sessions)
        {
            OperationCounts[] all = [session.Reads, session.Writes, session.Zeroes, session.Trims, session.Flushes];
            table.Row(
                Name(session),
                session.Address,
                Timestamp.Format(session.AttachedAt),
                session.Reads.Count.ToString(CultureInfo.InvariantCulture),
                ByteSize.Format(session.Reads.Bytes),
                (session.Writes.Count + session.Zeroes.Count).ToString(CultureInfo.InvariantCulture),
                ByteSize.Format(session.Writes.Bytes + session.Zeroes.Bytes),
                session.InFlight.ToString(CultureInfo.InvariantCulture),
                all.Sum(operation => operation.Errors).ToString(CultureInfo.InvariantCulture));
        }
        table.WriteTo(terminal.Out, terminal.OutStyle, terminal.Width);
        terminal.Out.WriteLine();
    }

    static string Unverified(Volume volume) =>
        $"{Count(volume.UnverifiedBlocks, "block")} of 4,096 bytes since the last unclean stop: {Ranges(volume.Unverified)}{More(volume)}";

    static string Ranges(IReadOnlyList<VolumeRange>? ranges)
    {
        ranges ??= [];
        var shown = ranges.Take(MaxShownRanges)
            .Select(range => (First: range.OffsetBytes, Last: range.OffsetBytes + range.LengthBytes - 1))
            .Select(range => string.Create(CultureInfo.InvariantCulture, $"{range.First} to {range.Last}"));
        return $"bytes {string.Join(", ", shown)}" + (ranges.Count > MaxShownRanges ? ", ...; -o json lists more" : "");
    }

    static string More(Volume volume) => volume.RangesAreCut == true ? "; there are more than are listed" : "";

    static string Damaged(Volume volume)
    {
        List<string> what = [];
        if (volume.DamagedBlocks > 0) what.Add(Count(volume.DamagedBlocks, "block") + " of 4,096 bytes");
        if (volume.DamagedMapPieces > 0) what.Add(Count(volume.DamagedMapPieces, "piece") + " of the map of 1 MiB");
        return $"{string.Join(" and ", what)}, as far as requests have met them: {Ranges(volume.Damaged)}{More(volume)}; "
            + "restore from a copy, or overwrite as a whole";
    }

    static string Count(long count, string what) =>
        count == 1 ? $"1 {what}" : string.Create(CultureInfo.InvariantCulture, $"{count} {what}s");

    static string Name(VolumeSession session)
    {
        var name = session.Client == session.Address ? session.Protocol : $"{session.Protocol} {session.Client}";
        return session.HoldsReservation ? $"{name} (reserved)" : name;
    }

    /// <summary>Lines to paste. Options to the left, addresses to the right, so that nothing has to be edited.</summary>
    static void WriteConnecting(TextWriter writer, Style style, Volume volume)
    {
        var nbd = new Uri(volume.Addresses.Nbd);
        var portal = volume.Addresses.IscsiPortal;
        var target = volume.Addresses.IscsiTarget;
        List<(string What, string Line)> lines =
        [
            ("look at it", $"nbdinfo {volume.Addresses.Nbd}"),
            ("copy an image", $"qemu-img convert -n -p -O raw IMAGE {volume.Addresses.Nbd}"),
            ("virtual machine", $"qemu-system-x86_64 -m 2G -drive file={volume.Addresses.Nbd},format=raw,if=virtio,discard=unmap"),
            ("", $"qemu-system-x86_64 -m 2G -drive file={volume.Addresses.Iscsi},format=raw,if=virtio,discard=unmap"),
            ("Linux, NBD", $"nbd-client -N {nbd.AbsolutePath[1..]} {nbd.DnsSafeHost} {nbd.Port} /dev/nbd0"),
            ("Linux, iSCSI", $"iscsiadm -m discovery -t sendtargets -p {portal}"),
            ("", $"iscsiadm -m node -T {target} -p {portal} --login"),
        ];
        if (volume.Addresses is { NvmeSubsystem: { } subsystem, NvmePortal: { } nvme })
        {
            var at = new Uri($"nvme://{nvme}");
            lines.Add(("Linux, NVMe", $"nvme connect -t tcp -a {at.DnsSafeHost} -s {at.Port} -n {subsystem}"));
        }
        writer.WriteLine(style.Bold("Connect:"));
        var width = lines.Max(line => line.What.Length);
        foreach (var (what, line) in lines) writer.WriteLine($"  {style.Dim(what.PadRight(width))}  {ScreenText.Of(line)}");
    }
}
