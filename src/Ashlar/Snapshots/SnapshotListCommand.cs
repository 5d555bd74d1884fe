using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar snapshot list</c>.</summary>
static class SnapshotListCommand
{
    static readonly IReadOnlyList<ListColumn<Snapshot>> Columns =
    [
        new("name", ColumnKind.Text, SnapshotScreens.PathOf, Rank: 0),
        new("created", ColumnKind.Time, snapshot => snapshot.CreatedAt, Rank: 2),
        new("size", ColumnKind.Size, snapshot => snapshot.SizeBytes, Rank: 4),
        new("freed", ColumnKind.Size, snapshot => snapshot.FreedBytes, Rank: 1),
        new("clones", ColumnKind.Text, snapshot => snapshot.Clones.Count == 0 ? null : string.Join(',', snapshot.Clones), Rank: 3),
        new("state", ColumnKind.Text, snapshot => snapshot.IsDeleted ? "deleted" : snapshot.IsScheduled ? "scheduled" : "kept", Rank: 5),
        new("readers", ColumnKind.Text, snapshot => VolumeScreens.Clients(snapshot.Clients), Rank: null),
        new("volume", ColumnKind.Text, snapshot => snapshot.Volume, Rank: null),
        new("pool", ColumnKind.Text, snapshot => snapshot.Pool, Rank: null),
        new("id", ColumnKind.Text, snapshot => snapshot.Id.ToString("D"), Rank: null),
        new("nbd", ColumnKind.Text, snapshot => snapshot.Addresses.Nbd, Rank: null),
        new("iscsi", ColumnKind.Text, snapshot => snapshot.Addresses.Iscsi, Rank: null),
        new("nvme", ColumnKind.Text, snapshot => snapshot.Addresses.NvmeSubsystem, Rank: null),
    ];

    public static Verb Create(Terminal terminal)
    {
        var volumes = PathArgument.Volumes();
        volumes.Arity = ArgumentArity.ZeroOrMore;
        volumes.Description += " [default: all volumes of all pools]";
        var list = new ListOptions<Snapshot>(terminal, Columns);
        var verb = new Verb(
            "list",
            "List snapshots, and what deleting each of them alone would give back",
            [
                "ashlar snapshot list",
                "ashlar snapshot list vm1 --sort freed --reverse",
                "ashlar snapshot list vm1 --filter state=scheduled -o name",
            ],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var (attempts, found) = (new Attempts(invocation), new List<Snapshot>());
                var paths = invocation.Find<VolumePath[]>(volumes!) is { Length: > 0 } named
                    ? named
                    : await FindVolumesAsync(client, cancellationToken);
                foreach (var path in paths)
                {
                    await attempts.TryAsync(async () =>
                        found.AddRange((await client.ListSnapshotsAsync(path, isMeasured: true, cancellationToken)).Items));
                }
                Write(invocation, list, found, attempts.ExitCode == ExitCode.Ok);
                return attempts.ExitCode;
            })
        { volumes };
        foreach (var option in list.All) verb.Options.Add(option);
        verb.Aliases.Add("ls");
        return verb;
    }

    static async Task<VolumePath[]> FindVolumesAsync(ApiClient client, CancellationToken cancellationToken)
    {
        var found = new List<VolumePath>();
        foreach (var pool in (await client.ListPoolsAsync(cancellationToken)).Items)
        {
            if (pool.State != PoolStates.Available) continue;
            found.AddRange((await client.ListVolumesAsync(pool.Name, null, cancellationToken)).Items
                .Where(volume => volume.SnapshotCount > 0)
                .Select(volume => new VolumePath(volume.Pool, volume.Name)));
        }
        return [.. found];
    }

    static void Write(Invocation invocation, ListOptions<Snapshot> list, List<Snapshot> found, bool isAll)
    {
        var items = list.Select(invocation, found);
        var json = new SnapshotList { Items = items };
        invocation.Write(json, ApiJson.Strict.SnapshotList, items.Select(SnapshotScreens.PathOf), (_, _) =>
        {
            if (items.Count > 0) list.WriteTable(invocation, items);
        });
        if (found.Count == 0 && isAll)
            invocation.Tell($"There are no snapshots. Take one: {invocation.CommandLines.OfServer("snapshot create vm1@monday")}");
        else if (items.Count == 0 && found.Count > 0) invocation.Tell($"None of {found.Count} snapshots fits the filter.");
    }
}
