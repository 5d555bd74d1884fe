using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar file rm</c>.</summary>
static class FileRemoveCommand
{
    public static Verb Create(Terminal terminal)
    {
        var paths = FileArguments.Several("Files, or directories that are empty");
        var recursive = FileArguments.Recursive("Directories with all below");
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var (dryRun, parallel, files) = (FileArguments.DryRun(), FileArguments.Parallel(terminal), new FileOptions(terminal));
        var verb = new Verb(
            "rm",
            "Delete files, and directories that are empty; with -r also those that are not",
            ["ashlar file rm /photos/cat.jpg", "ashlar file rm -r /photos --dry-run", "ashlar file rm -r /photos --yes"],
            async (invocation, cancellationToken) =>
            {
                using var client = files.Connect(invocation);
                var attempts = new Attempts(invocation);
                foreach (var path in invocation.Get(paths))
                {
                    await attempts.TryAsync(async () =>
                    {
                        var below = invocation.Get(recursive) ? await BelowAsync(client, path.File, cancellationToken) : [];
                        if (invocation.Get(dryRun))
                        {
                            foreach (var each in below.Append(await client.DescribeAsync(path.File, cancellationToken)))
                                invocation.Terminal.Out.WriteLine(ScreenText.Of(FileScreens.PathOf(each)));
                            return;
                        }

                        if (below.Count > 0)
                        {
                            await invocation.ConfirmAsync(
                                $"Delete {path} and all below it, {below.Count} files and directories?",
                                invocation.Get(yes),
                                cancellationToken);
                        }

                        await DeleteAsync(client, below, invocation.Get(parallel), cancellationToken);
                        try
                        {
                            await client.DeleteAsync(path.File, cancellationToken);
                        }
                        catch (CommandException e) when (e.ProblemType == ProblemTypes.NotEmpty && !invocation.Get(recursive))
                        {
                            throw e.Hinting("add -r, which deletes all below it, too");
                        }

                        if (!invocation.IsSilent && invocation.Format == OutputFormat.Table)
                            invocation.Terminal.Out.WriteLine(ScreenText.Of($"{path} is deleted"));
                    });
                }

                return attempts.ExitCode;
            })
        { paths, recursive, yes, dryRun, parallel }.With(files);
        verb.Aliases.Add("delete");
        return verb;
    }

    // Files first, some at a time: each waits for its own sync. A directory that came with what was in it has gone with that.
    static async Task DeleteAsync(FileClient client, List<FileEntry> below, int parallel, CancellationToken cancellationToken)
    {
        await Parallel.ForEachAsync(
            below.Where(static each => !FileScreens.IsDirectory(each)),
            new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = cancellationToken },
            async (each, stop) => await client.DeleteIfThereAsync(new(each.Path), stop));
        foreach (var each in below.Where(FileScreens.IsDirectory)) await client.DeleteIfThereAsync(new(each.Path), cancellationToken);
    }

    // What is below before what it is in.
    static async Task<List<FileEntry>> BelowAsync(FileClient client, FileAddress path, CancellationToken cancellationToken)
    {
        var found = new List<FileEntry>();
        if (!FileScreens.IsDirectory(await client.DescribeAsync(path, cancellationToken))) return found;
        await foreach (var entry in client.ListAsync(path, isRecursive: true, cancellationToken)) found.Add(entry);
        found.Reverse();
        return found;
    }
}
