using System.CommandLine;
using System.Globalization;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar portal</c>.</summary>
static class PortalCommands
{
    public const string Url = "/v1/portals", Placeholder = "PORTAL";

    static readonly IReadOnlyList<ListColumn<Portal>> Columns =
    [
        new("number", ColumnKind.Count, static portal => (long)portal.Number, Rank: 0),
        new("address", ColumnKind.Text, static portal => portal.Address, Rank: 1),
        new("access", ColumnKind.Text, static portal => portal.Access, Rank: 2),
        new("iscsi", ColumnKind.Count, static portal => (long)portal.IscsiPort, Rank: 3),
        new("nvme", ColumnKind.Count, static portal => (long?)portal.NvmePort, Rank: 4),
    ];

    public static Noun Create(Terminal terminal) => new(
        "portal",
        "Addresses that volumes are reached through by iSCSI and NVMe, and which of them clients prefer",
        ["ashlar portal list", "ashlar portal set 1 --access non-optimized"])
    {
        CreateList(terminal),
        CreateSet(terminal),
    };

    static Verb CreateList(Terminal terminal) => ListVerb.Create(
        terminal, Columns, "List the portals", ["ashlar portal list", "ashlar portal ls --filter access=standby"],
        static async (client, cancellationToken) => (await client.GetAsync(Url, ApiJson.Strict.PortalList, cancellationToken)).Items,
        static items => new PortalList { Items = items }, ApiJson.Strict.PortalList, NameOf);

    static Verb CreateSet(Terminal terminal)
    {
        var number = new Argument<string>(Placeholder) { Description = "Number of the portal" };
        var access = Setting.Create<string?>(
            terminal,
            "--access",
            "ACCESS",
            "How volumes are reached through it: optimized, non-optimized, standby, unavailable",
            ParseAccess,
            null).Offering([.. PortalAccess.All]);
        return new Verb(
            "set",
            "Say how volumes are reached through a portal, until the server ends",
            ["ashlar portal set 1 --access non-optimized", "ashlar portal set 1 --access optimized"],
            async (invocation, cancellationToken) =>
            {
                var request = new ChangePortal { Access = invocation.Get(access) ?? throw Usage.Error("--access says what is to change") };
                using var client = ApiClient.For(invocation);
                var portal = await client.PatchAsync(
                    $"{Url}/{Uri.EscapeDataString(invocation.Get(number))}", request, ApiJson.Strict.ChangePortal, ApiJson.Strict.Portal,
                    cancellationToken);
                invocation.WriteChange(portal, ApiJson.Strict.Portal, [NameOf(portal)], (writer, _) =>
                    writer.WriteLine(ScreenText.Of($"portal {portal.Number} at {portal.Address} is {portal.Access}")));
                return ExitCode.Ok;
            })
        { number, access };
    }

    public static string NameOf(Portal portal) => portal.Number.ToString(CultureInfo.InvariantCulture);

    static string ParseAccess(string text) => PortalAccess.All.Contains(text, StringComparer.Ordinal)
        ? text
        : throw new FormatException($"'{text}' is none of {string.Join(", ", PortalAccess.All)}");
}
