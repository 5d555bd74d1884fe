using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar file ls</c>.</summary>
static class FileListCommand
{
    static readonly IReadOnlyList<ListColumn<FileEntry>> Columns =
    [
        new("name", ColumnKind.Text, FileScreens.PathOf, Rank: 0),
        new("size", ColumnKind.Size, static entry => FileScreens.IsDirectory(entry) ? null : entry.SizeBytes, Rank: 1),
        new("updated", ColumnKind.Time, static entry => entry.UpdatedAt, Rank: 2),
        new("created", ColumnKind.Time, static entry => entry.CreatedAt, Rank: null),
        new("kind", ColumnKind.Text, static entry => FileScreens.IsDirectory(entry) ? "directory" : "file", Rank: null),
        new("tag", ColumnKind.Text, static entry => entry.Tag, Rank: null),
        new("sha256", ColumnKind.Text, static entry => entry.Sha256, Rank: null),
    ];

    public static Verb Create(Terminal terminal)
    {
        var path = FileArguments.OneOrRoot("The directory");
        var recursive = FileArguments.Recursive("With all below");
        var (list, files) = (new ListOptions<FileEntry>(terminal, Columns), new FileOptions(terminal));
        var verb = new Verb(
            "ls",
            "List what is in a directory",
            ["ashlar file ls", "ashlar file ls /photos -r --sort size --reverse", "ashlar file ls /photos -o name"],
            async (invocation, cancellationToken) =>
            {
                using var client = files.Connect(invocation);
                var found = new List<FileEntry>();
                await foreach (var entry in client.ListAsync(invocation.Get(path).File, invocation.Get(recursive), cancellationToken))
                    found.Add(entry);
                var items = list.Select(invocation, found);
                var json = new FileListing { Path = invocation.Get(path).File.Path, Items = items };
                invocation.Write(json, ApiJson.Strict.FileListing, items.Select(FileScreens.PathOf), (_, _) =>
                {
                    if (items.Count > 0) list.WriteTable(invocation, items);
                });
                if (items.Count == 0) invocation.Tell(found.Count == 0 ? "Nothing is in it." : $"None of {found.Count} fits the filter.");
                return ExitCode.Ok;
            })
        { path, recursive }.With(files);
        foreach (var option in list.All) verb.Options.Add(option);
        verb.Aliases.Add("list");
        return verb;
    }
}
