using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar key</c>.</summary>
static class KeyCommands
{
    static readonly IReadOnlyList<ListColumn<FileKey>> Columns =
    [
        new("id", ColumnKind.Text, static each => each.Id, Rank: 0),
        new("user", ColumnKind.Text, static each => each.User, Rank: 1),
        new("customer", ColumnKind.Text, static each => each.Customer, Rank: 3),
        new("created", ColumnKind.Time, static each => each.CreatedAt, Rank: 2),
        new("expires", ColumnKind.Time, static each => each.ExpiresAt, Rank: 4),
    ];

    public static Noun Create(Terminal terminal) => new(
        "key",
        "Keys of users: what programs show to be admitted to files; the secret is shown once",
        ["ashlar key create backup --customer acme", "ashlar key list backup --customer acme"])
    {
        CreateList(terminal),
        CreateCreate(terminal),
        CreateDelete(terminal),
    };

    static Verb CreateList(Terminal terminal)
    {
        var (user, owner) = (CustomerArguments.User(), CustomerArguments.Owner(terminal));
        var list = new ListOptions<FileKey>(terminal, Columns);
        var verb = new Verb(
            "list",
            "List the keys of a user, without their secrets",
            ["ashlar key list backup --customer acme"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var found = await client.ListAllAsync(
                    CustomerApi.Keys(invocation.Get(owner)!, invocation.Get(user)), ApiJson.Strict.FileKeyList,
                    static page => (page.Items, page.Next), cancellationToken);
                var items = list.Select(invocation, found);
                invocation.Write(
                    new FileKeyList { Items = items }, ApiJson.Strict.FileKeyList, items.Select(static each => each.Id),
                    (_, _) => list.WriteTable(invocation, items));
                return ExitCode.Ok;
            })
        { user, owner };
        foreach (var option in list.All) verb.Options.Add(option);
        verb.Aliases.Add("ls");
        return verb;
    }

    static Verb CreateCreate(Terminal terminal)
    {
        var (user, owner) = (CustomerArguments.User(), CustomerArguments.Owner(terminal));
        var expires = Setting.Create<TimeSpan?>(
            terminal, "--expires", "TIME", "How long it is to be good: 30d, 1y [default: always]",
            static text => Duration.Parse(text), null);
        return new Verb(
            "create",
            "Create a key, and show its secret, which is never shown again",
            ["ashlar key create backup --customer acme", "ashlar key create backup --customer acme --expires 30d -o name"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new CreateFileKey
                {
                    ExpiresAt = invocation.Get(expires) is { } time ? invocation.Terminal.TimeProvider.GetUtcNow() + time : null,
                };
                var key = await client.PostAsync(
                    CustomerApi.Keys(invocation.Get(owner)!, invocation.Get(user)), request, ApiJson.Strict.CreateFileKey,
                    ApiJson.Strict.FileKey, cancellationToken);
                // What is shown once is shown however quiet it is to be.
                invocation.Write(key, ApiJson.Strict.FileKey, [$"{key.Id}:{key.Secret}"], (writer, style) =>
                {
                    new FactSheet().Add("Key", $"{key.Id}:{key.Secret}").Add("User", $"{key.User} of customer {key.Customer}")
                        .Add("Expires", key.ExpiresAt is { } end ? Timestamp.Format(end) : "never")
                        .WriteTo(writer, style, invocation.Terminal.Width);
                });
                invocation.Tell("The secret, which follows the colon, is not shown again. Keep the key in a file, or in ASHLAR_KEY.");
                return ExitCode.Ok;
            })
        { user, owner, expires };
    }

    static Verb CreateDelete(Terminal terminal)
    {
        var (user, owner) = (CustomerArguments.User(), CustomerArguments.Owner(terminal));
        var id = new Argument<string>("KEY") { Description = "The key, by its id" };
        var verb = new Verb(
            "delete",
            "Delete a key: nobody is admitted by it any more",
            ["ashlar key delete backup ABCDEFGHIJKLMNOPQRST --customer acme"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var key = invocation.Get(id).Split(':')[0];
                await client.DeleteAsync(
                    $"{CustomerApi.Keys(invocation.Get(owner)!, invocation.Get(user))}/{Uri.EscapeDataString(key)}", cancellationToken);
                if (!invocation.IsSilent && invocation.Format == OutputFormat.Table)
                    invocation.Terminal.Out.WriteLine(ScreenText.Of($"{key} is deleted"));
                return ExitCode.Ok;
            })
        { user, id, owner };
        verb.Aliases.Add("rm");
        return verb;
    }
}
