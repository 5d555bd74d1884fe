using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar session</c>.</summary>
static class SessionCommands
{
    const string Url = "/v1/sessions";

    static readonly IReadOnlyList<ListColumn<ClientSessionInfo>> Columns =
    [
        new("protocol", ColumnKind.Text, static each => each.Protocol, Rank: 1),
        new("address", ColumnKind.Text, static each => each.Address, Rank: 0),
        new("volume", ColumnKind.Text, static each => new VolumePath(each.Pool, each.Volume).ToString(), Rank: 2),
        new("initiator", ColumnKind.Text, static each => each.Initiator, Rank: 4),
        new("export", ColumnKind.Text, static each => each.Export, Rank: 5),
        new("since", ColumnKind.Time, static each => each.ConnectedAt, Rank: 3),
        new("read", ColumnKind.Size, static each => each.ReadBytes, Rank: 6),
        new("written", ColumnKind.Size, static each => each.WrittenBytes, Rank: 7),
        new("commands", ColumnKind.Count, static each => each.Commands, Rank: 8),
        new("user", ColumnKind.Text, static each => each.User, Rank: null),
        new("access", ColumnKind.Text, static each => each.IsReadOnly ? "read-only" : "read-write", Rank: null),
    ];

    public static Noun Create(Terminal terminal) => new(
        "session", "Clients that are attached to volumes", ["ashlar session list", "ashlar session list --filter volume=vm1"])
    {
        CreateList(terminal),
    };

    static Verb CreateList(Terminal terminal)
    {
        var (list, watch) = (new ListOptions<ClientSessionInfo>(terminal, Columns), new WatchOptions(terminal));
        var verb = new Verb(
            "list",
            "List the clients that are attached to volumes and snapshots",
            ["ashlar session list", "ashlar session ls --filter protocol=iscsi"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                return await watch.RunAsync(
                    invocation,
                    token => client.GetAsync(Url, ApiJson.Strict.ClientSessionList, token),
                    found =>
                    {
                        var items = list.Select(invocation, found.Items);
                        invocation.Write(
                            new ClientSessionList { Items = items }, ApiJson.Strict.ClientSessionList,
                            items.Select(static each => each.Address), (_, _) => list.WriteTable(invocation, items));
                        return ExitCode.Ok;
                    },
                    cancellationToken);
            });
        foreach (var option in list.All.Concat(watch.All)) verb.Options.Add(option);
        verb.Aliases.Add("ls");
        return verb;
    }
}
