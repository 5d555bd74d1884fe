using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar file mkdir</c>, <c>ashlar file mv</c> and <c>ashlar file cp</c>.</summary>
static class FileChangeCommands
{
    public static Verb CreateMakeDirectory(Terminal terminal)
    {
        var paths = FileArguments.Several("The directories");
        var parents = new Option<bool>("--parents", "-p") { Description = "Those above them too; what is there already is no error" };
        var files = new FileOptions(terminal);
        return new Verb(
            "mkdir",
            "Make directories",
            ["ashlar file mkdir /photos", "ashlar file mkdir -p /photos/2026/may"],
            async (invocation, cancellationToken) =>
            {
                using var client = files.Connect(invocation);
                var attempts = new Attempts(invocation);
                foreach (var path in invocation.Get(paths))
                {
                    await attempts.TryAsync(async () =>
                    {
                        var entry = invocation.Get(parents)
                            ? await MakeAllAsync(client, path.File, cancellationToken)
                            : await MakeAsync(client, path.File, cancellationToken);
                        FileScreens.WriteChanged(invocation, entry, $"{FileScreens.PathOf(entry)} is made");
                    });
                }

                return attempts.ExitCode;
            })
        { paths, parents }.With(files);
    }

    public static Verb CreateMove(Terminal terminal)
    {
        var (from, to) = (FileArguments.One("The file"), FileArguments.One("What it is to be called, or the directory to lie in", "NEW"));
        var replace = FileArguments.Replace();
        var files = new FileOptions(terminal);
        var verb = new Verb(
            "mv",
            "Give a file another path",
            ["ashlar file mv /photos/cat.jpg /photos/kitten.jpg", "ashlar file mv /photos/cat.jpg /old/ --replace"],
            (invocation, cancellationToken) =>
                ActAsync(
                    invocation, files, FileActions.Rename, invocation.Get(from), invocation.Get(to), invocation.Get(replace),
                    cancellationToken))
        { from, to, replace }.With(files);
        verb.Aliases.Add("rename");
        return verb;
    }

    public static Verb CreateCopy(Terminal terminal)
    {
        var (from, to) = (FileArguments.One("The file"), FileArguments.One("Where the other is to be, or the directory to lie in", "NEW"));
        var replace = FileArguments.Replace();
        var files = new FileOptions(terminal);
        return new Verb(
            "cp",
            "Make another file of the same content, at once: no byte is copied",
            ["ashlar file cp /photos/cat.jpg /old/cat.jpg", "ashlar file cp /photos/cat.jpg /old/"],
            (invocation, cancellationToken) =>
                ActAsync(
                    invocation, files, FileActions.Copy, invocation.Get(from), invocation.Get(to), invocation.Get(replace),
                    cancellationToken))
        { from, to, replace }.With(files);
    }

    static async Task<ExitCode> ActAsync(
        Invocation invocation, FileOptions files, string action, FileAddress from, FileAddress to, bool mayReplace,
        CancellationToken cancellationToken)
    {
        using var client = files.Connect(invocation);
        var target = await client.PlaceAsync(to, from.Name, cancellationToken);
        FileEntry entry;
        try
        {
            entry = await client.ActAsync(
                from.File, new() { Action = action, To = target.Path, Replace = mayReplace }, cancellationToken);
        }
        catch (CommandException e) when (e.ProblemType == ProblemTypes.Exists)
        {
            throw e.Hinting("add --replace, which puts it in the place of the other");
        }
        catch (CommandException e) when (e.ProblemType == ProblemTypes.WrongKind)
        {
            throw e.Hinting("files have other paths at once; of a directory each file has to get one");
        }

        FileScreens.WriteChanged(invocation, entry, $"{entry.Path} is there: {ByteSize.Format(entry.SizeBytes)}");
        return ExitCode.Ok;
    }

    static Task<FileEntry> MakeAsync(FileClient client, FileAddress path, CancellationToken cancellationToken) =>
        client.ActAsync(path, new() { Action = FileActions.CreateDirectory }, cancellationToken);

    static async Task<FileEntry> MakeAllAsync(FileClient client, FileAddress path, CancellationToken cancellationToken)
    {
        try
        {
            return await MakeAsync(client, path, cancellationToken);
        }
        catch (CommandException e) when (e.ProblemType == ProblemTypes.Exists)
        {
            var there = await client.DescribeAsync(path, cancellationToken);
            if (!FileScreens.IsDirectory(there)) throw;
            return there;
        }
        catch (CommandException e) when (e.ProblemType == ProblemTypes.FileNotFound && path.Path.LastIndexOf('/') > 0)
        {
            await MakeAllAsync(client, new(path.Path[..path.Path.LastIndexOf('/')]), cancellationToken);
            return await MakeAsync(client, path, cancellationToken);
        }
    }
}
