namespace Ashlar.Architecture.Tests;

/// <summary>
/// The folders of the engine are layers. The table says from the bottom up what each uses: all of it stands above it, and a new arrow
/// is a decision, not an accident.
/// </summary>
public sealed class FolderTests
{
    const string Project = "Ashlar.KeyValue";

    static readonly (string Folder, string Uses)[] layers =
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
        ("Versions", "Blocks Cache Entries Errors Manifests MemTables SortedTable Values"),
        ("Engine", "Cache Errors Files Manifests Options Values Versions"),
        ("Inspection", "Archive Backup Blocks Entries Files Log Manifests Options SortedTable Values"),
        ("Statistics", "Entries Manifests Values Versions"),
        ("Verification", "Blocks Cache Entries Files Log Manifests SortedTable Values Versions"),
        ("Commit", "Engine Errors Files Log Manifests MemTables Options Statistics Values Versions"),
        ("Repair", "Backup Cache Entries Files Inspection Manifests MemTables Options SortedTable Values"),
        ("Compaction", "Archive Cache Commit Engine Entries Errors Files Log Manifests MemTables Options SortedTable Values Versions"),
        ("Recovery", "Archive Cache Compaction Entries Errors Files Log Manifests MemTables Options SortedTable Values"),
        (
            FolderUses.Root,
            "Archive Backup Cache Commit Compaction Engine Entries Errors Files Log Manifests MemTables Options Recovery SortedTable Statistics "
            + "Values Verification Versions"),
        ("Restore", "(root) Archive Backup Errors Files Log Manifests Options Verification"),
        ("Sharding", "(root) Backup Entries Errors Files Log Manifests Options Restore SortedTable Statistics Verification"),
    ];

    static readonly FolderUses engine = new(Project, Sources());

    public static TheoryData<string, string> Layers
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var (folder, uses) in layers) data.Add(folder, uses);
            return data;
        }
    }

    [Theory, MemberData(nameof(Layers))]
    public void A_folder_uses_what_the_table_says(string folder, string expected)
    {
        var found = string.Join(' ', engine.Of(folder));
        var unlisted = engine.Of(folder).Except(expected.Split(' ')).SelectMany(
            to => engine.Files(folder, to).Select(file => $"{file} -> {to}"));
        Assert.True(found == expected, $"{folder} uses {found}\nnot in the table: {string.Join(", ", unlisted)}");
    }

    [Fact]
    public void Every_folder_is_in_the_table() =>
        Assert.Equal(engine.Folders.Order(StringComparer.Ordinal), layers.Select(layer => layer.Folder).Order(StringComparer.Ordinal));

    [Fact]
    public void All_that_a_folder_uses_stands_above_it_in_the_table()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (folder, uses) in layers)
        {
            foreach (var use in uses.Split(' ', StringSplitOptions.RemoveEmptyEntries))
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
            Project,
            [
                ("Lower/One.cs", code),
                ("Upper/Hidden.cs", "namespace Ashlar.KeyValue.Upper;\n\nsealed class Hidden;"),
                ("Upper/Shown.cs", "namespace Ashlar.KeyValue;\n\npublic readonly record struct Shown(int Value);"),
                ("Store.cs", "namespace Ashlar.KeyValue;\n\npublic sealed partial class Store;"),
            ]);
        Assert.Equal(expected, string.Join(' ', found.Of("Lower")));
    }

    [Fact]
    public void Types_that_users_do_not_see_are_in_the_namespace_of_their_folder()
    {
        var wrong = Sources()
            .Where(file => file.Path.Contains('/', StringComparison.Ordinal))
            .Where(file => !file.Text.Contains("\npublic ", StringComparison.Ordinal))
            .Where(file => !file.Text.Contains($"namespace {Project}.{file.Path.Split('/')[0]};", StringComparison.Ordinal))
            .Select(file => file.Path);
        Assert.Empty(wrong);
    }

    static IEnumerable<(string Path, string Text)> Sources()
    {
        var directory = Path.Combine(Repository.SourceDirectory, Project);
        return Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories)
            .Select(path => (Path.GetRelativePath(directory, path).Replace('\\', '/'), File.ReadAllText(path)));
    }
}
