using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar file stat</c>.</summary>
static class FileStatCommand
{
    public static Verb Create(Terminal terminal)
    {
        var path = FileArguments.One("The file or directory");
        var files = new FileOptions(terminal);
        return new Verb(
            "stat",
            "Show what is known of a file or directory",
            ["ashlar file stat /photos/cat.jpg", "ashlar file stat /photos -o json"],
            async (invocation, cancellationToken) =>
            {
                using var client = files.Connect(invocation);
                var entry = await client.DescribeAsync(invocation.Get(path).File, cancellationToken);
                invocation.Write(entry, ApiJson.Strict.FileEntry, [entry.Path], (writer, style) =>
                {
                    var facts = new FactSheet().Add("Path", FileScreens.PathOf(entry)).Add("Kind", entry.Kind);
                    if (!FileScreens.IsDirectory(entry))
                    {
                        facts.Add("Size", $"{ByteSize.Format(entry.SizeBytes)} ({ByteSize.FormatExact(entry.SizeBytes)})");
                        facts.Add("Tag", entry.Tag ?? "-");
                        if (entry.Sha256 is { } hash) facts.Add("SHA-256", hash);
                    }

                    facts.Add("Created", Timestamp.Format(entry.CreatedAt)).Add("Updated", Timestamp.Format(entry.UpdatedAt));
                    foreach (var (name, value) in entry.Properties?.ToArray() ?? []) facts.Add(name, value);
                    facts.WriteTo(writer, style, invocation.Terminal.Width);
                });
                return ExitCode.Ok;
            })
        { path }.With(files);
    }
}
