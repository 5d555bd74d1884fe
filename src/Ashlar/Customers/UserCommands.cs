using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar user</c>.</summary>
static class UserCommands
{
    static readonly IReadOnlyList<ListColumn<FileUser>> Columns =
    [
        new("name", ColumnKind.Text, static each => each.Name, Rank: 0),
        new("rights", ColumnKind.Text, static each => string.Join(',', each.Rights), Rank: 1),
        new("customer", ColumnKind.Text, static each => each.Customer, Rank: 2),
        new("created", ColumnKind.Time, static each => each.CreatedAt, Rank: 3),
    ];

    public static Noun Create(Terminal terminal) => new(
        "user",
        "Users of customers, whose keys admit programs to files",
        [
            "ashlar user create backup --customer acme --rights read,write",
            "ashlar key create backup --customer acme",
            "ashlar user list --customer acme",
        ])
    {
        CreateList(terminal),
        CreateCreate(terminal),
        CreateDelete(terminal),
    };

    static Verb CreateList(Terminal terminal)
    {
        var owner = CustomerArguments.Owner(terminal);
        var list = new ListOptions<FileUser>(terminal, Columns);
        var verb = new Verb(
            "list",
            "List the users of a customer",
            ["ashlar user list", "ashlar user list --customer acme -o json"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var found = await client.ListAllAsync(
                    CustomerApi.Users(invocation.Get(owner)!), ApiJson.Strict.FileUserList, static page => (page.Items, page.Next),
                    cancellationToken);
                var items = list.Select(invocation, found);
                invocation.Write(
                    new FileUserList { Items = items }, ApiJson.Strict.FileUserList, items.Select(static each => each.Name),
                    (_, _) => list.WriteTable(invocation, items));
                return ExitCode.Ok;
            })
        { owner };
        foreach (var option in list.All) verb.Options.Add(option);
        verb.Aliases.Add("ls");
        return verb;
    }

    static Verb CreateCreate(Terminal terminal)
    {
        var name = CustomerArguments.NewCustomer();
        var owner = CustomerArguments.Owner(terminal);
        var rights = Setting.CreateList(
            terminal, "--rights", "RIGHTS", "What its keys allow: read, write, administer; with commas [default: read,write]",
            static text => text, [FileRightNames.Read, FileRightNames.Write]);
        rights.CompletionSources.Add(FileRightNames.Read, FileRightNames.Write, FileRightNames.Administer);
        return new Verb(
            "create",
            "Create a user; then make it a key",
            ["ashlar user create backup --customer acme", "ashlar user create viewer --rights read"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new CreateFileUser { Name = invocation.Get(name), Rights = invocation.Get(rights) };
                var user = await client.PostAsync(
                    CustomerApi.Users(invocation.Get(owner)!), request, ApiJson.Strict.CreateFileUser, ApiJson.Strict.FileUser,
                    cancellationToken);
                invocation.WriteChange(user, ApiJson.Strict.FileUser, [user.Name], (writer, _) =>
                    writer.WriteLine($"{user.Name} is created and may {string.Join(", ", user.Rights)}"));
                return ExitCode.Ok;
            })
        { name, owner, rights };
    }

    static Verb CreateDelete(Terminal terminal)
    {
        var (name, owner) = (CustomerArguments.User(), CustomerArguments.Owner(terminal));
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var verb = new Verb(
            "delete",
            "Delete a user with its keys; files stay",
            ["ashlar user delete backup --customer acme --yes"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var url = CustomerApi.User(invocation.Get(owner)!, invocation.Get(name));
                var user = await client.GetAsync(url, ApiJson.Strict.FileUser, cancellationToken);
                await invocation.ConfirmAsync($"Delete user {user.Name} and its keys?", invocation.Get(yes), cancellationToken);
                await client.DeleteAsync(url, cancellationToken);
                invocation.WriteChange(
                    user, ApiJson.Strict.FileUser, [user.Name], (writer, _) => writer.WriteLine($"{user.Name} is deleted"));
                return ExitCode.Ok;
            })
        { name, owner, yes };
        verb.Aliases.Add("rm");
        return verb;
    }
}
