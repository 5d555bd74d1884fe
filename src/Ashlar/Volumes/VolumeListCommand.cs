using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar volume list</c>.</summary>
static class VolumeListCommand
{
    static readonly IReadOnlyList<ListColumn<Volume>> Columns =
    [
        new("name", ColumnKind.Text, VolumeScreens.PathOf, Rank: 0),
        new("size", ColumnKind.Size, volume => volume.SizeBytes, Rank: 1),
        new("used", ColumnKind.Size, volume => volume.AllocatedBytes, Rank: 2),
        new("use%", ColumnKind.Percent, volume => Percentage.Of(volume.AllocatedBytes, volume.SizeBytes), Rank: 4),
        new("type", ColumnKind.Text, volume => volume.IsThick ? "thick" : "thin", Rank: 5),
        new("block", ColumnKind.Count, volume => (long)volume.BlockSizeBytes, Rank: 7),
        new("clients", ColumnKind.Text, volume => VolumeScreens.Clients(volume.Clients), Rank: 3),
        new("created", ColumnKind.Time, volume => volume.CreatedAt, Rank: 6),
        new("labels", ColumnKind.Text, volume => VolumeDescriptionOptions.Format(volume.Labels), Rank: null),
        new("description", ColumnKind.Text, volume => volume.Description, Rank: null),
        new("snapshots", ColumnKind.Count, volume => (long)volume.SnapshotCount, Rank: null),
        new("origin", ColumnKind.Text, volume => volume.Origin, Rank: null),
        new("iops", ColumnKind.Count, volume => volume.Limits?.Iops, Rank: null),
        new("bandwidth", ColumnKind.Size, volume => volume.Limits?.BytesPerSecond, Rank: null),
        new("pool", ColumnKind.Text, volume => volume.Pool, Rank: null),
        new("id", ColumnKind.Text, volume => volume.Id.ToString("D"), Rank: null),
        new("nbd", ColumnKind.Text, volume => volume.Addresses.Nbd, Rank: null),
        new("iscsi", ColumnKind.Text, volume => volume.Addresses.Iscsi, Rank: null),
        new("nvme", ColumnKind.Text, volume => volume.Addresses.NvmeSubsystem, Rank: null),
    ];

    public static Verb Create(Terminal terminal)
    {
        var pool = PathArgument.Pool(isRequired: false);
        var label = new Option<string[]>("--label")
        {
            Description = "Only volumes with this label: KEY=VALUE, or KEY for any value; may be given several times",
            HelpName = "LABEL",
        };
        var list = new ListOptions<Volume>(terminal, Columns);
        var watch = new WatchOptions(terminal);
        var verb = new Verb(
            "list",
            "List the volumes of a pool",
            [
                "ashlar volume list",
                "ashlar volume list --sort used --reverse --columns name,used,size",
                "ashlar volume list --filter 'name=db-*' --filter 'size>=100GiB'",
                "ashlar volume list --label env=prod --columns name,size,labels",
                "ashlar volume list main -o json",
                "ashlar volume ls -q",
            ],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                return await watch.RunAsync(
                    invocation,
                    token => client.ListVolumesAsync(invocation.Get(pool), LabelsOf(invocation.Get(label)), token),
                    found => Write(invocation, list, found, invocation.Get(label) is { Length: > 0 }),
                    cancellationToken);
            })
        { pool, label };
        foreach (var option in list.All.Concat(watch.All)) verb.Options.Add(option);
        verb.Aliases.Add("ls");
        return verb;
    }

    static string? LabelsOf(string[]? labels)
    {
        if (labels is not { Length: > 0 }) return null;
        if (Array.Find(labels, label => label.Contains(',', StringComparison.Ordinal)) is { } wrong)
            throw Usage.Error($"--label: '{wrong}' has a comma, which cannot be asked for", "use --filter with labels=");
        return string.Join(',', labels);
    }

    static ExitCode Write(Invocation invocation, ListOptions<Volume> list, VolumeList found, bool isSelected)
    {
        var items = list.Select(invocation, found.Items);
        invocation.Write(found with { Items = items }, ApiJson.Strict.VolumeList, items.Select(VolumeScreens.PathOf), (writer, _) =>
        {
            if (items.Count == 0) return;
            list.WriteTable(invocation, items);
            if (items.Count == 1 || !invocation.Terminal.OutIsTerminal) return;
            var (size, used) = (items.Sum(volume => volume.SizeBytes), items.Sum(volume => volume.AllocatedBytes));
            writer.WriteLine($"{items.Count} volumes, {ByteSize.Format(size)} in size, {ByteSize.Format(used)} used");
        });
        if (found.Items.Count == 0 && isSelected) invocation.Tell("No volume has these labels.");
        else if (found.Items.Count == 0)
            invocation.Tell($"There are no volumes yet. Create one: {invocation.CommandLines.OfServer("volume create vm1 --size 10GiB")}");
        else if (items.Count == 0) invocation.Tell($"None of {found.Items.Count} volumes fits the filter.");
        return ExitCode.Ok;
    }
}
