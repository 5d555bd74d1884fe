using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar kv keyspace</c>.</summary>
static class KeyValueKeyspaceCommands
{
    // Of objects of the command line: the grammar of every command is made of this, and none but these load the engine.
    static readonly IReadOnlyList<ListColumn<KeyValueKeyspace>> Columns =
    [
        new("name", ColumnKind.Text, static keyspace => keyspace.Name, Rank: 0),
    ];

    public static Noun Create(Terminal terminal) => new(
        "keyspace",
        "Keyspaces of a store: keys under a name, apart from all others: list, create, drop",
        [
            "ashlar kv keyspace create ./store orders",
            "ashlar kv put ./store 17 books --keyspace orders",
            "ashlar kv keyspace list ./store",
            "ashlar kv keyspace drop ./store orders --yes",
        ],
        ServerUse.None)
    {
        CreateList(terminal),
        CreateCreate(),
        CreateDrop(),
    };

    static Verb CreateList(Terminal terminal)
    {
        var directory = KeyValueArguments.Directory();
        var options = new ListOptions<KeyValueKeyspace>(terminal, Columns);
        var verb = new Verb(
            "list",
            "List the keyspaces of a store",
            ["ashlar kv keyspace list ./store", "ashlar kv keyspace ls ./store -o json"],
            invocation =>
            {
                using var store = KeyValueArguments.OpenToLook(invocation, directory);
                var found = store.ListKeyspaces().Select(name => new KeyValueKeyspace { Path = store.Directory, Name = name });
                var items = options.Select(invocation, found);
                invocation.Write(
                    new KeyValueKeyspaceList { Items = items }, KeyValueJson.Strict.KeyValueKeyspaceList, items.Select(each => each.Name),
                    (_, _) => options.WriteTable(invocation, items));
                return ExitCode.Ok;
            })
        { directory };
        foreach (var option in options.All) verb.Options.Add(option);
        verb.Aliases.Add("ls");
        return verb;
    }

    static Verb CreateCreate()
    {
        var directory = KeyValueArguments.Directory();
        var name = KeyValueArguments.KeyspaceName("NAME", "What it is to be called: 1 to 255 bytes; case counts");
        return new Verb(
            "create",
            "Create a keyspace; with the first of a store, keys that begin with FF FF FF FF are reserved",
            ["ashlar kv keyspace create ./store orders"],
            invocation =>
            {
                using var store = KeyValueArguments.Open(invocation, directory);
                store.CreateKeyspace(invocation.Get(name));
                Write(invocation, store, invocation.Get(name), "is created");
                return ExitCode.Ok;
            })
        { directory, name };
    }

    static Verb CreateDrop()
    {
        var directory = KeyValueArguments.Directory();
        var name = KeyValueArguments.KeyspaceName(KeyValueArguments.KeyspacePlaceholder, "The keyspace");
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var verb = new Verb(
            "drop",
            "Drop a keyspace with all of its keys, at once, however many there are",
            ["ashlar kv keyspace drop ./store users", "ashlar kv keyspace rm ./store users --yes"],
            async (invocation, cancellationToken) =>
            {
                using var store = KeyValueArguments.Open(invocation, directory);
                store.RequireKeyspace(invocation.Get(name));
                await invocation.ConfirmAsync(
                    $"Drop keyspace '{invocation.Get(name)}' of {store.Directory} and all of its keys?", invocation.Get(yes),
                    cancellationToken);
                store.DropKeyspace(invocation.Get(name));
                Write(invocation, store, invocation.Get(name), "is dropped");
                return ExitCode.Ok;
            })
        { directory, name, yes };
        verb.Aliases.Add("delete");
        verb.Aliases.Add("rm");
        return verb;
    }

    static void Write(Invocation invocation, OpenedStore store, string name, string what)
    {
        store.Close();
        invocation.WriteChange(
            new KeyValueKeyspace { Path = store.Directory, Name = name }, KeyValueJson.Strict.KeyValueKeyspace, [name],
            (writer, _) => writer.WriteLine(ScreenText.Of($"keyspace {name} {what}")));
    }
}
