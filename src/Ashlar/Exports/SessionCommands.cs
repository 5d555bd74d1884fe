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

    static Verb CreateList(Terminal terminal) => ListVerb.Create(
        terminal, Columns, "List the clients that are attached to volumes and snapshots",
        ["ashlar session list", "ashlar session ls --filter protocol=iscsi"],
        async (client, cancellationToken) => (await client.GetAsync(Url, ApiJson.Strict.ClientSessionList, cancellationToken)).Items,
        static items => new ClientSessionList { Items = items }, ApiJson.Strict.ClientSessionList, static each => each.Address);
}
