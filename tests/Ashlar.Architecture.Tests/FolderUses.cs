using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Ashlar.Architecture.Tests;

/// <summary>Which folders of a project use which, by what their source says.</summary>
/// <remarks>
/// Types of a folder are in its namespace, and a file names those that it uses at its head: the compiler sees to that. Types of
/// the project's own namespace, the public ones, are seen without; they are looked for by name.
/// </remarks>
[SuppressMessage("Security", "MA0009", Justification = "The repository's own sources are matched.")]
sealed partial class FolderUses
{
    public const string Root = "(root)";

    readonly string rootNamespace;
    readonly HashSet<string> folders = [];
    readonly HashSet<(string Folder, string Name)> types = [];
    readonly Dictionary<string, string> folderOfRootType = new(StringComparer.Ordinal);
    readonly SortedSet<(string From, string To, string File)> uses = [];

    public FolderUses(string rootNamespace, IEnumerable<(string Path, string Text)> files)
    {
        this.rootNamespace = rootNamespace;
        var sources = files.Select(file => new Source(file.Path, FolderOf(file.Path), Code(file.Text))).ToArray();
        foreach (var source in sources)
        {
            folders.Add(source.Folder);
            foreach (Match type in Declaration().Matches(source.Code))
            {
                var name = type.Groups["name"].Value;
                types.Add((source.Folder, name));
                if (NamespaceOf(source) == rootNamespace) folderOfRootType[name] = source.Folder;
            }
        }

        foreach (var source in sources) Add(source);
    }

    public IEnumerable<string> Folders => folders;

    /// <summary>The folders that a folder uses.</summary>
    public IEnumerable<string> Of(string folder) =>
        uses.Where(use => use.From == folder).Select(use => use.To).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    /// <summary>The files by which one uses the other.</summary>
    public IEnumerable<string> Files(string from, string to) =>
        uses.Where(use => use.From == from && use.To == to).Select(use => use.File);

    void Add(Source source)
    {
        foreach (Match head in Using().Matches(source.Code)) AddUse(source, FolderOfNamespace(head.Groups["name"].Value));
        foreach (Match word in Word().Matches(Using().Replace(source.Code, "")))
        {
            if (folderOfRootType.TryGetValue(word.Value, out var folder)) AddUse(source, folder);
        }

        // Within the project's namespace a name may begin with the folder's, and needs no head.
        foreach (Match name in Qualified().Matches(Using().Replace(source.Code, "")))
        {
            var folder = name.Groups["folder"].Value;
            if (types.Contains((folder, name.Groups["type"].Value))) AddUse(source, folder);
        }
    }

    void AddUse(Source source, string? folder)
    {
        if (folder is not null && folder != source.Folder) uses.Add((source.Folder, folder, source.Path));
    }

    string? FolderOfNamespace(string name)
    {
        if (!name.StartsWith(rootNamespace + '.', StringComparison.Ordinal)) return null;
        var folder = name[(rootNamespace.Length + 1)..].Split('.')[0];
        return folders.Contains(folder) ? folder : null;
    }

    string NamespaceOf(Source source) => Namespace().Match(source.Code).Groups["name"].Value;

    static string FolderOf(string path) => path.Contains('/', StringComparison.Ordinal) ? path.Split('/')[0] : Root;

    // Without comments and texts, which may name anything.
    static string Code(string text) => Noise().Replace(text, match => match.Value[0] == '/' ? "" : "\"\"");

    [GeneratedRegex(@"""""""[\s\S]*?""""""|//[^\n]*|/\*[\s\S]*?\*/|""(\\.|[^""\\\n])*""", RegexOptions.ExplicitCapture)]
    private static partial Regex Noise();

    [GeneratedRegex(@"^namespace (?<name>[\w.]+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^(global )?using (static |\w+ = )?(?<name>[\w.]+);", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Using();

    [GeneratedRegex(@"(?<![\w.])[A-Z]\w*")]
    private static partial Regex Word();

    [GeneratedRegex(@"(?<![\w])(?<folder>[A-Z]\w*)\.(?<type>[A-Z]\w*)")]
    private static partial Regex Qualified();

    [GeneratedRegex(
        @"^([a-z]+ )*(class|struct|interface|enum|record|delegate [\w<>\[\]]+) (struct |class )?(?<name>\w+)",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Declaration();

    sealed record Source(string Path, string Folder, string Code);
}
