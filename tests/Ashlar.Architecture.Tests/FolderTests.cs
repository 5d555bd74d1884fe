namespace Ashlar.Architecture.Tests;

/// <summary>
/// The folders of the engine, and of what shards it, are layers. The table says from the bottom up what each uses: all of it stands above
/// it, and a new arrow is a decision, not an accident.
/// </summary>
public sealed class FolderTests
{
    const string Engine = "Ashlar.KeyValue", Sharding = "Ashlar.KeyValue.Sharding";

    static readonly (string Folder, string Uses)[] EngineFolders =
    [
        ("Errors", ""),
        ("Options", ""),
        ("Entries", "Options"),
        ("Files", "Errors Options"),
        ("Blocks", "Entries Options"),
        ("Log", "Entries Errors Options"),
        ("Cache", "Blocks Entries"),
        ("SortedTable", "Blocks Cache Entries Files"),
        ("Values", "Blocks Cache Entries Files Log Options SortedTable"),
        ("Manifests", "Entries Files Options SortedTable Values"),
        ("MemTables", "Cache Entries Log Values"),
        ("Archive", "Errors Files Log Manifests Options Values"),
        ("Backup", "Files Log Manifests Options"),
        ("Versions", "Blocks Cache Entries Errors Manifests MemTables Options SortedTable Values"),
        ("Engine", "Cache Entries Errors Files Manifests Options Values Versions"),
        ("Inspection", "Archive Backup Blocks Entries Files Log Manifests Options SortedTable Values"),
        ("Statistics", "Entries Manifests Values Versions"),
        ("Verification", "Blocks Cache Entries Files Log Manifests SortedTable Values Versions"),
        ("Commit", "Engine Entries Errors Files Log Manifests MemTables Options SortedTable Statistics Values Versions"),
        ("Transactions", "Entries Log MemTables Options"),
        ("Repair", "Backup Cache Entries Files Inspection Log Manifests MemTables Options SortedTable Values"),
        ("Compaction", "Archive Cache Commit Engine Entries Errors Files Log Manifests MemTables Options SortedTable Values Versions"),
        ("Recovery", "Archive Cache Compaction Entries Files Log Manifests MemTables Options SortedTable Values"),
        (
            FolderUses.Root,
            "Archive Backup Cache Commit Compaction Engine Entries Errors Files Log Manifests MemTables Options Recovery SortedTable "
            + "Statistics Transactions Values Verification Versions"),
        ("Restore", "(root) Archive Backup Errors Files Log Manifests Options Verification"),
    ];

    static readonly (string Folder, string Uses)[] ShardingFolders =
    [
        ("Errors", ""),
        ("Salting", ""),
        ("Layout", "Errors"),
        ("Statistics", ""),
        ("Backup", "Layout Statistics"),
        (FolderUses.Root, "Backup Errors Layout Salting Statistics"),
    ];

    static readonly Dictionary<string, (string Folder, string Uses)[]> LayersOfProjects =
        new(StringComparer.Ordinal) { [Engine] = EngineFolders, [Sharding] = ShardingFolders };

    static readonly Dictionary<string, FolderUses> UsesOfProjects =
        LayersOfProjects.Keys.ToDictionary(
            project => project, project => new FolderUses(project, Sources(project)), StringComparer.Ordinal);

    public static TheoryData<string> Projects => [.. LayersOfProjects.Keys];

    public static TheoryData<string, string, string> Layers
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var (project, table) in LayersOfProjects)
            {
                foreach (var (folder, expected) in table) data.Add(project, folder, expected);
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Layers))]
    public void A_folder_uses_what_the_table_says(string project, string folder, string expected)
    {
        var found = string.Join(' ', UsesOfProjects[project].Of(folder));
        var unlisted = UsesOfProjects[project].Of(folder).Except(expected.Split(' ')).SelectMany(
            to => UsesOfProjects[project].Files(folder, to).Select(file => $"{file} -> {to}"));
        Assert.True(found == expected, $"{folder} uses {found}\nnot in the table: {string.Join(", ", unlisted)}");
    }

    [Theory, MemberData(nameof(Projects))]
    public void Every_folder_is_in_the_table(string project) => Assert.Equal(
        UsesOfProjects[project].Folders.Order(StringComparer.Ordinal),
        LayersOfProjects[project].Select(layer => layer.Folder).Order(StringComparer.Ordinal));

    [Theory, MemberData(nameof(Projects))]
    public void All_that_a_folder_uses_stands_above_it_in_the_table(string project)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (folder, expected) in LayersOfProjects[project])
        {
            foreach (var use in expected.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                Assert.True(seen.Contains(use), $"{folder} -> {use}");
            seen.Add(folder);
        }
    }

    [Theory]
    [InlineData("using Ashlar.KeyValue.Upper;\n\nnamespace Ashlar.KeyValue.Lower;\n\nclass One;", "Upper")]
    [InlineData("namespace Ashlar.KeyValue.Lower;\n\nclass One { Upper.Hidden? other; }", "Upper")]
    [InlineData("namespace Ashlar.KeyValue.Lower;\n\nclass One { Ashlar.KeyValue.Upper.Hidden? other; }", "Upper")]
    [InlineData("namespace Ashlar.KeyValue.Lower;\n\nclass One { Shown? other; }", "Upper")]
    [InlineData("namespace Ashlar.KeyValue.Lower;\n\nclass One { object other = typeof(Store); }", FolderUses.Root)]
    [InlineData("namespace Ashlar.KeyValue.Lower;\n\n// Shown, Store\nclass One { string Upper = \"Shown\"; int Hidden; }", "")]
    public void A_use_is_found_however_it_is_written(string code, string expected)
    {
        var found = new FolderUses(
            Engine,
            [
                ("Lower/One.cs", code),
                ("Upper/Hidden.cs", "namespace Ashlar.KeyValue.Upper;\n\nsealed class Hidden;"),
                ("Upper/Shown.cs", "namespace Ashlar.KeyValue;\n\npublic readonly record struct Shown(int Value);"),
                ("Store.cs", "namespace Ashlar.KeyValue;\n\npublic sealed partial class Store;"),
            ]);
        Assert.Equal(expected, string.Join(' ', found.Of("Lower")));
    }

    [Theory, MemberData(nameof(Projects))]
    public void Types_that_users_do_not_see_are_in_the_namespace_of_their_folder(string project)
    {
        var wrong = Sources(project)
            .Where(file => file.Path.Contains('/', StringComparison.Ordinal))
            .Where(file => !file.Text.Contains("\npublic ", StringComparison.Ordinal))
            .Where(file => !file.Text.Contains($"namespace {project}.{file.Path.Split('/')[0]};", StringComparison.Ordinal))
            .Select(file => file.Path);
        Assert.Empty(wrong);
    }

    static IEnumerable<(string Path, string Text)> Sources(string project)
    {
        var directory = Path.Combine(Repository.SourceDirectory, project);
        return Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories)
            .Select(path => (Path.GetRelativePath(directory, path).Replace('\\', '/'), File.ReadAllText(path)));
    }
}
