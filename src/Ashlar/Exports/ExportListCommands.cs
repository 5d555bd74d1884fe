using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar export list</c> and <c>show</c>.</summary>
static class ExportListCommands
{
    public static Verb CreateList(Terminal terminal, IReadOnlyList<ListColumn<Export>> columns) => ListVerb.Create(
        terminal, columns, "List the exports",
        ["ashlar export list", "ashlar export ls --filter volume=vm1"],
        async (client, cancellationToken) => await client.ListAllAsync(
            ExportCommands.Url, ApiJson.Strict.ExportList, static page => (page.Items, page.Next), cancellationToken),
        static items => new ExportList { Items = items }, ApiJson.Strict.ExportList, static export => export.Name);

    public static Verb CreateShow()
    {
        var name = ExportCommands.Name();
        return new Verb(
            "show",
            "Show an export, without its secrets",
            ["ashlar export show vm1"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var export = await client.GetAsync(ExportCommands.UrlOf(invocation.Get(name)), ApiJson.Strict.Export, cancellationToken);
                invocation.Write(export, ApiJson.Strict.Export, [export.Name], (writer, style) => new FactSheet()
                    .Add("Name", export.Name)
                    .Add("Volume", ExportCommands.PathOf(export) ?? $"not there ({export.VolumeId})")
                    .Add("Protocols", string.Join(", ", export.Protocols))
                    .Add("Access", ExportCommands.Access(export))
                    .Add("Initiators", export.Initiators is { } initiators ? string.Join(", ", initiators) : "all")
                    .Add("Addresses", export.Addresses is { } addresses ? string.Join(", ", addresses) : "all")
                    .Add("CHAP", export.ChapUser is not { } user ? "not asked for"
                        : export.ChapTargetUser is { } target ? $"user {user}; the target is {target}" : $"user {user}")
                    .Add("DH-HMAC-CHAP", !export.AsksForDhChap ? "not asked for"
                        : export.AnswersDhChap ? "asked for; the controller answers" : "asked for")
                    .WriteTo(writer, style, invocation.Terminal.Width));
                return ExitCode.Ok;
            })
        { name };
    }
}
