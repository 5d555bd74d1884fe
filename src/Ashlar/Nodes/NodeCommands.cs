using System.CommandLine;
using System.Globalization;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar node</c>.</summary>
static class NodeCommands
{
    static readonly IReadOnlyList<ListColumn<FileNode>> Columns =
    [
        new("name", ColumnKind.Text, static node => node.Name, Rank: 0),
        new("state", ColumnKind.Text, static node => node.State, Rank: 1),
        new("free", ColumnKind.Size, static node => node.FreeBytes, Rank: 2),
        new("domain", ColumnKind.Text, static node => node.Domain, Rank: 4),
        new("path", ColumnKind.Text, static node => node.Path, Rank: 3),
        new("errors", ColumnKind.Count, static node => node.ErrorCount, Rank: 5),
        new("id", ColumnKind.Text, static node => node.Id, Rank: null),
    ];

    public static Noun Create(Terminal terminal) => new(
        "node",
        "Storage nodes of the file store: directories, each a disk of its own perhaps, that keep copies of files",
        [
            "ashlar node add disk2 /srv/disk2",
            "ashlar node list",
            "ashlar node drain disk2 --check",
            "ashlar node drain disk2",
            "ashlar node remove disk2",
        ])
    {
        CreateList(terminal),
        CreateShow(),
        CreateAdd(),
        CreateSet(),
        CreateDrain(terminal),
        CreateRemove(),
        CreateLost(),
    };

    static Argument<string> Name() => new("NODE") { Description = "The storage node" };

    static Verb CreateList(Terminal terminal) => ListVerb.Create(
        terminal, Columns, "List the storage nodes",
        ["ashlar node list", "ashlar node ls --columns name,state,path"],
        async (client, cancellationToken) => await client.ListAllAsync(
            CustomerApi.Nodes, ApiJson.Strict.FileNodeList, static page => (page.Items, page.Next), cancellationToken),
        static items => new FileNodeList { Items = items }, ApiJson.Strict.FileNodeList, static node => node.Name);

    static Verb CreateShow()
    {
        var name = Name();
        return new Verb(
            "show",
            "Show a storage node",
            ["ashlar node show main"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var node = await client.GetAsync(CustomerApi.Node(invocation.Get(name)), ApiJson.Strict.FileNode, cancellationToken);
                invocation.Write(node, ApiJson.Strict.FileNode, [node.Name], (writer, style) => new FactSheet()
                    .Add("Name", node.Name)
                    .Add("State", node.Problem is { } problem ? $"{node.State}: {problem}" : node.State)
                    .Add("Path", node.Path)
                    .Add("Domain", node.Domain ?? "its file system")
                    .Add("Free", node.FreeBytes is { } free ? ByteSize.Format(free) : "unknown")
                    .Add("Errors", node.ErrorCount.ToString(CultureInfo.InvariantCulture))
                    .Add("Id", node.Id ?? "-")
                    .WriteTo(writer, style, invocation.Terminal.Width));
                return ExitCode.Ok;
            })
        { name };
    }

    static Verb CreateAdd()
    {
        var name = new Argument<string>("NAME") { Description = "What it is to be called: 1 to 64 of a-z, 0-9, '.', '_' and '-'" };
        var path = new Argument<string>("DIRECTORY") { Description = "Empty, or not there; of the server's machine" };
        var domain = Domain();
        return new Verb(
            "add",
            "Make a storage node of a directory: new files get copies on it",
            ["ashlar node add disk2 /srv/disk2", "ashlar node add disk3 /srv/disk3 --domain rack2"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new AddFileNode
                {
                    Name = invocation.Get(name),
                    Path = TypedPath.OfDirectory(invocation.Get(path)),
                    Domain = invocation.Get(domain),
                };
                var node = await client.PostAsync(
                    CustomerApi.Nodes, request, ApiJson.Strict.AddFileNode, ApiJson.Strict.FileNode, cancellationToken);
                WriteChanged(invocation, node, $"is added in {node.Path}");
                return ExitCode.Ok;
            })
        { name, path, domain };
    }

    static Verb CreateSet()
    {
        var (name, domain) = (Name(), Domain());
        domain.Required = true;
        return new Verb(
            "set",
            "Say what is lost together with a storage node",
            ["ashlar node set disk2 --domain rack2"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var node = await client.PatchAsync(
                    CustomerApi.Node(invocation.Get(name)), new() { Domain = invocation.Get(domain) }, ApiJson.Strict.ChangeFileNode,
                    ApiJson.Strict.FileNode, cancellationToken);
                WriteChanged(invocation, node, $"is in failure domain {node.Domain ?? "of its file system"}");
                return ExitCode.Ok;
            })
        { name, domain };
    }

    static Verb CreateDrain(Terminal terminal)
    {
        var name = Name();
        var limit = Setting.Create<long?>(
            terminal, "--limit-bandwidth", "SIZE", "How much it may copy in a second, 1MiB at least [default: all it can]",
            static text => ByteSize.Parse(text), null);
        var check = new Option<bool>("--check") { Description = "Only say what it would take, and what keeps it from being emptied" };
        var undo = new Option<bool>("--undo") { Description = "Let it take blocks again" };
        var noWait = PoolCheckCommands.NoWait();
        return new Verb(
            "drain",
            "Empty a storage node: its copies are made elsewhere and verified, and only then taken away",
            ["ashlar node drain disk2 --check", "ashlar node drain disk2 --limit-bandwidth 100MiB", "ashlar node drain disk2 --undo"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var url = $"{CustomerApi.Node(invocation.Get(name))}/drain";
                if (invocation.Get(check)) return await CheckAsync(invocation, client, url, cancellationToken);
                if (invocation.Get(undo))
                {
                    await client.DeleteAsync(url, cancellationToken);
                    var node = await client.GetAsync(CustomerApi.Node(invocation.Get(name)), ApiJson.Strict.FileNode, cancellationToken);
                    WriteChanged(invocation, node, "takes blocks again");
                    return ExitCode.Ok;
                }

                var task = await client.PostAsync(
                    url, new() { BytesPerSecond = invocation.Get(limit) }, ApiJson.Strict.DrainFileNode, ApiJson.Strict.TaskInfo,
                    cancellationToken);
                return await PoolCheckCommands.FollowAsync(invocation, client, task, invocation.Get(noWait), cancellationToken);
            })
        { name, check, undo, limit, noWait };
    }

    static async Task<ExitCode> CheckAsync(Invocation invocation, ApiClient client, string url, CancellationToken cancellationToken)
    {
        var found = await client.GetAsync(url, ApiJson.Strict.FileNodeDrain, cancellationToken);
        invocation.Write(found, ApiJson.Strict.FileNodeDrain, [found.Node], (writer, style) =>
        {
            foreach (var problem in found.Problems) writer.WriteLine($"{style.Warning("!")} {ScreenText.Of(problem)}");
            writer.WriteLine($"{found.Node} has {found.BlockCount} blocks, {ByteSize.Format(found.BlockBytes)}; "
                + (found.Problems.Count == 0 ? "nothing keeps it from being emptied" : "it cannot be emptied as it is"));
        });
        return found.Problems.Count == 0 ? ExitCode.Ok : ExitCode.Conflict;
    }

    static Verb CreateRemove()
    {
        var name = Name();
        var verb = new Verb(
            "remove",
            "Forget a storage node that was emptied, or is lost and replaced; its directory stays",
            ["ashlar node remove disk2"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var node = await client.GetAsync(CustomerApi.Node(invocation.Get(name)), ApiJson.Strict.FileNode, cancellationToken);
                await client.DeleteAsync(CustomerApi.Node(node.Name), cancellationToken);
                WriteChanged(invocation, node, $"is removed; {node.Path} stays");
                return ExitCode.Ok;
            })
        { name };
        verb.Aliases.Add("rm");
        return verb;
    }

    static Verb CreateLost()
    {
        var name = Name();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var noWait = PoolCheckCommands.NoWait();
        return new Verb(
            "lost",
            "Say that a storage node will not come back: its copies are made elsewhere at once, and it is never taken back",
            ["ashlar node lost disk2 --yes"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var node = await client.GetAsync(CustomerApi.Node(invocation.Get(name)), ApiJson.Strict.FileNode, cancellationToken);
                await invocation.ConfirmAsync(
                    $"Give up storage node {node.Name}, which is {node.State}? It is never taken back.", invocation.Get(yes),
                    cancellationToken);
                var task = await client.PostAsync($"{CustomerApi.Node(node.Name)}/lost", ApiJson.Strict.TaskInfo, cancellationToken);
                return await PoolCheckCommands.FollowAsync(invocation, client, task, invocation.Get(noWait), cancellationToken);
            })
        { name, yes, noWait };
    }

    static Option<string?> Domain() => new("--domain")
    {
        Description = "What is lost together has the same: a rack, a power strip [default: its file system]",
        HelpName = "NAME",
    };

    static void WriteChanged(Invocation invocation, FileNode node, string what) => invocation.WriteChange(
        node, ApiJson.Strict.FileNode, [node.Name], (writer, _) => writer.WriteLine(ScreenText.Of($"{node.Name} {what}")));
}
