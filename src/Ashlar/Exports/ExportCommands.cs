using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar export</c>.</summary>
static class ExportCommands
{
    public const string Url = "/v1/exports", Placeholder = "EXPORT";

    static readonly IReadOnlyList<ListColumn<Export>> Columns =
    [
        new("name", ColumnKind.Text, static export => export.Name, Rank: 0),
        new("volume", ColumnKind.Text, static export => PathOf(export), Rank: 1),
        new("protocols", ColumnKind.Text, static export => string.Join(",", export.Protocols), Rank: 2),
        new("access", ColumnKind.Text, static export => Access(export), Rank: 3),
        new("initiators", ColumnKind.Text, static export => Listed(export.Initiators), Rank: 5),
        new("addresses", ColumnKind.Text, static export => Listed(export.Addresses), Rank: 6),
        new("chap", ColumnKind.Text, static export => export.ChapUser, Rank: 4),
    ];

    public static Noun Create(Terminal terminal) => new(
        "export",
        "Who may reach volumes, by which protocol, and what they have to prove; a volume without exports is open to all",
        [
            "ashlar export create vm1 --volume vm1 --initiator iqn.1993-08.org.debian:01:host1",
            "ashlar export create lan --volume vm1 --protocol nbd --address 192.0.2.0/24 --read-only",
            "ashlar export create secret --volume vm2 --chap host1 --chap-secret-file secret",
            "ashlar export list",
            "ashlar export delete lan",
        ])
    {
        ExportListCommands.CreateList(terminal, Columns),
        ExportListCommands.CreateShow(),
        ExportChangeCommands.CreateCreate(terminal),
        ExportChangeCommands.CreateSet(terminal),
        ExportChangeCommands.CreateDelete(),
    };

    public static Argument<string> Name() => new(Placeholder) { Description = "The export" };

    public static string UrlOf(string name) => $"{Url}/{Uri.EscapeDataString(name)}";

    /// <summary>What it is of, as people write it.</summary>
    public static string? PathOf(Export export) => export is { Pool: { } pool, Volume: { } volume }
        ? $"{new VolumePath(pool, volume)}{(export.Snapshot is { } snapshot ? $"@{snapshot}" : "")}"
        : null;

    public static string Access(Export export) => export.IsReadOnly || export.Snapshot is not null ? "read-only" : "read-write";

    static string? Listed(IReadOnlyList<string>? values) => values is null ? null : string.Join(",", values);
}
