using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar file tree</c>.</summary>
static class FileTreeCommand
{
    public static Verb Create(Terminal terminal)
    {
        var path = FileArguments.OneOrRoot("The directory");
        var files = new FileOptions(terminal);
        return new Verb(
            "tree",
            "Show all that is below a directory as a tree",
            ["ashlar file tree", "ashlar file tree /photos"],
            async (invocation, cancellationToken) =>
            {
                using var client = files.Connect(invocation);
                var root = invocation.Get(path).File;
                var found = new List<FileEntry>();
                await foreach (var entry in client.ListAsync(root, isRecursive: true, cancellationToken)) found.Add(entry);
                var json = new FileListing { Path = root.Path, Items = found };
                invocation.Write(json, ApiJson.Strict.FileListing, found.Select(FileScreens.PathOf), (writer, _) =>
                {
                    writer.WriteLine(ScreenText.Of(root.Path));
                    Write(writer, Children(found, root.Path), found.ToLookup(ParentOf, StringComparer.Ordinal), "");
                    var count = found.Count(FileScreens.IsDirectory);
                    writer.WriteLine();
                    writer.WriteLine($"{Count(count, "directory", "directories")}, {Count(found.Count - count, "file", "files")}, "
                        + ByteSize.Format(found.Sum(static entry => entry.SizeBytes)));
                });
                return ExitCode.Ok;
            })
        { path }.With(files);
    }

    static void Write(TextWriter writer, List<FileEntry> entries, ILookup<string, FileEntry> below, string indent)
    {
        foreach (var (i, entry) in entries.Index())
        {
            var isLast = i == entries.Count - 1;
            var size = FileScreens.IsDirectory(entry) ? "/" : $"  {ByteSize.Format(entry.SizeBytes)}";
            writer.WriteLine($"{indent}{(isLast ? "`-- " : "|-- ")}{ScreenText.Of(NameOf(entry))}{size}");
            if (FileScreens.IsDirectory(entry)) Write(writer, [.. below[entry.Path]], below, $"{indent}{(isLast ? "    " : "|   ")}");
        }
    }

    static List<FileEntry> Children(List<FileEntry> all, string path) => [.. all.Where(entry => ParentOf(entry) == path)];

    static string ParentOf(FileEntry entry) => entry.Path.LastIndexOf('/') is > 0 and var slash ? entry.Path[..slash] : "/";

    static string NameOf(FileEntry entry) => entry.Path[(entry.Path.LastIndexOf('/') + 1)..];

    static string Count(int count, string one, string many) => count == 1 ? $"1 {one}" : $"{count} {many}";
}
