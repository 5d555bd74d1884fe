namespace Ashlar.Documents.Tests;

/// <summary>The documents that people read and type from.</summary>
static class Documents
{
    /// <summary>Paths from the root of the repository.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        "README.md",
        "CONTRIBUTING.md",
        "ARCHITECTURE.md",
        .. Under("docs"),
        .. Under("samples"),
        .. Under("src"),
    ];

    static IEnumerable<string> Under(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.md", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Repository.Root, path))
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
}
