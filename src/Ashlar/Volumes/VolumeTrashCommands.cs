using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar volume trash</c>.</summary>
static class VolumeTrashCommands
{
    static readonly IReadOnlyList<ListColumn<TrashedVolume>> Columns =
    [
        new("name", ColumnKind.Text, VolumeTrash.PathOf, Rank: 0),
        new("size", ColumnKind.Size, trashed => trashed.SizeBytes, Rank: 3),
        new("used", ColumnKind.Size, trashed => trashed.AllocatedBytes, Rank: 1),
        new("deleted", ColumnKind.Time, trashed => trashed.DeletedAt, Rank: 4),
        new("expires", ColumnKind.Time, trashed => trashed.ExpiresAt, Rank: 2),
        new("id", ColumnKind.Text, trashed => trashed.Id.ToString("D"), Rank: 5),
        new("created", ColumnKind.Time, trashed => trashed.CreatedAt, Rank: null),
    ];

    public static Noun Create(Terminal terminal) => new(
        "trash",
        "Deleted volumes, which can be had back for a while: list, empty",
        ["ashlar volume trash list", "ashlar volume trash empty --yes"])
    {
        CreateList(terminal),
        CreateEmpty(),
    };

    static Verb CreateList(Terminal terminal)
    {
        var pool = PathArgument.Pool(isRequired: false);
        var list = new ListOptions<TrashedVolume>(terminal, Columns);
        var verb = new Verb(
            "list",
            "List what is in the trash; the oldest goes first when the pool needs its space",
            ["ashlar volume trash list", "ashlar volume trash list --sort deleted -o json"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var found = await client.ListTrashAsync(invocation.Get(pool), cancellationToken);
                var items = list.Select(invocation, found.Items);
                var names = items.Select(VolumeTrash.PathOf);
                invocation.Write(found with { Items = items }, ApiJson.Strict.TrashList, names, (_, _) =>
                {
                    if (items.Count > 0) list.WriteTable(invocation, items);
                });
                if (found.Items.Count == 0) invocation.Tell("The trash is empty.");
                return ExitCode.Ok;
            })
        { pool };
        foreach (var option in list.All) verb.Options.Add(option);
        verb.Aliases.Add("ls");
        return verb;
    }

    static Verb CreateEmpty()
    {
        var paths = PathArgument.AnyTrashed();
        var pool = new Option<string>("--pool")
        {
            Description = "Whose trash, where no volume is named [default: main]",
            HelpName = "POOL",
            DefaultValueFactory = _ => VolumePath.MainPool,
        };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        return new Verb(
            "empty",
            "Delete volumes in the trash for good",
            ["ashlar volume trash empty --yes", "ashlar volume trash empty vm1 --yes"],
            async (invocation, cancellationToken) =>
            {
                if (invocation.IsGiven(pool) && invocation.Get(paths).Length > 0)
                    throw Usage.Error("--pool is for the whole trash; volumes are named with their pool");
                using var client = ApiClient.For(invocation);
                var (attempts, found, gone) = (new Attempts(invocation), new List<TrashedVolume>(), new List<TrashedVolume>());
                foreach (var path in invocation.Get(paths))
                    await attempts.TryAsync(async () => found.Add(await VolumeTrash.FindAsync(client, path, cancellationToken)));
                if (invocation.Get(paths).Length == 0)
                    found.AddRange((await client.ListTrashAsync(invocation.Get(pool)!, cancellationToken)).Items);
                if (found.Count == 0)
                {
                    if (attempts.ExitCode == ExitCode.Ok) invocation.Tell("The trash is empty.");
                    return attempts.ExitCode;
                }
                await invocation.ConfirmAsync(Question(found), invocation.Get(yes), cancellationToken);
                foreach (var trashed in found)
                {
                    await attempts.TryAsync(async () =>
                    {
                        await client.PurgeVolumeAsync(trashed.Pool, trashed.Id, cancellationToken);
                        gone.Add(trashed);
                    });
                }
                invocation.WriteChange(
                    new TrashList { Items = gone }, ApiJson.Strict.TrashList, gone.Select(VolumeTrash.PathOf), (writer, _) =>
                    {
                        foreach (var trashed in gone) writer.WriteLine($"{VolumeTrash.PathOf(trashed)} is deleted for good");
                    });
                return attempts.ExitCode;
            })
        { paths, pool, yes };
    }

    static string Question(List<TrashedVolume> found) => found is [var one]
        ? $"Delete {VolumeTrash.PathOf(one)}, in the trash since {Timestamp.Format(one.DeletedAt)}, and the "
            + $"{ByteSize.Format(one.AllocatedBytes)} on it for good?"
        : $"Delete {found.Count} volumes in the trash and the {ByteSize.Format(found.Sum(each => each.AllocatedBytes))} on them for good: "
            + $"{string.Join(", ", found.Select(VolumeTrash.PathOf))}?";
}
