namespace Ashlar.Architecture.Tests;

/// <summary>What a reader sees of the source: lines that fit the screen, and no ceremony that does nothing.</summary>
public sealed class SourceTextTests
{
    const int MaxLineColumns = 140;

    [Theory]
    [InlineData("Ashlar")]
    [InlineData("Ashlar.Api")]
    [InlineData("Ashlar.Blocks")]
    [InlineData("Ashlar.Files")]
    [InlineData("Ashlar.Iscsi")]
    [InlineData("Ashlar.KeyValue")]
    [InlineData("Ashlar.KeyValue.Caching")]
    [InlineData("Ashlar.KeyValue.Extensions")]
    [InlineData("Ashlar.KeyValue.Sharding")]
    [InlineData("Ashlar.Nbd")]
    [InlineData("Ashlar.Nvme")]
    [InlineData("Ashlar.Planning")]
    [InlineData("Ashlar.S3")]
    [InlineData("Ashlar.Scsi")]
    [InlineData("Ashlar.Server")]
    [InlineData("Ashlar.Storage")]
    [InlineData("Ashlar.Transport")]
    [InlineData("Ashlar.Volumes")]
    public void A_line_fits_the_screen(string project) => AssertNone(project, line => line.Length > MaxLineColumns);

    // Packages that others embed: their callers may have a synchronisation context, and wait in it for what they called.
    static readonly string[] EmbeddedPackages =
    [
        "Ashlar.Blocks", "Ashlar.KeyValue", "Ashlar.KeyValue.Caching", "Ashlar.KeyValue.Extensions", "Ashlar.KeyValue.Sharding",
        "Ashlar.Storage",
    ];

    /// <remarks>No program here has a synchronisation context, so there is none to keep a continuation away from.</remarks>
    [Fact]
    public void No_await_leaves_a_context_that_is_not_there()
    {
        foreach (var directory in Directory.EnumerateDirectories(Repository.SourceDirectory))
        {
            var project = Path.GetFileName(directory);
            if (!EmbeddedPackages.Contains(project))
                AssertNone(project, line => line.Contains("ConfigureAwait(false)", StringComparison.Ordinal), mayBeEmpty: true);
        }
    }

    [Fact]
    public void Awaits_of_packages_stay_out_of_the_context_of_their_callers()
    {
        foreach (var project in EmbeddedPackages)
            AssertNone(project, line => IsAwait(line) && !line.Contains("ConfigureAwait(false)", StringComparison.Ordinal));

        // A call of several lines ends elsewhere; what awaits at the end of a block or at each turn of a loop says so where it begins.
        static bool IsAwait(string line) =>
            line.TrimStart() is var text
                && !text.StartsWith('/')
                && text.Contains("await ", StringComparison.Ordinal)
                && (text.EndsWith(';')
                    || text.StartsWith("await using ", StringComparison.Ordinal)
                    || text.StartsWith("await foreach ", StringComparison.Ordinal));
    }

    /// <remarks>xUnit 2 ends a test by IDisposable or IAsyncLifetime, and passes IAsyncDisposable over in silence.</remarks>
    [Fact]
    public void Tests_end_by_what_xUnit_calls()
    {
        var wrong = Lines(Path.Combine(Repository.Root, "tests"))
            .Where(line => IsTests(line.Text) && line.Text.Contains(nameof(IAsyncDisposable), StringComparison.Ordinal))
            .Select(line => line.Place)
            .ToArray();
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));

        static bool IsTests(string line) =>
            line.Contains(" class ", StringComparison.Ordinal)
                && (line.Contains("Tests : ", StringComparison.Ordinal) || line.Contains("Tests(", StringComparison.Ordinal));
    }

    static void AssertNone(string folder, Func<string, bool> isWrong, bool mayBeEmpty = false)
    {
        var lines = Lines(Path.Combine(Repository.SourceDirectory, folder)).ToArray();
        Assert.True(mayBeEmpty || lines.Length > 0);
        var wrong = lines.Where(line => isWrong(line.Text)).Select(line => line.Place).ToArray();
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }

    static IEnumerable<(string Place, string Text)> Lines(string directory) =>
        Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .SelectMany(path => File.ReadLines(path)
                .Select((text, index) => ($"{Path.GetRelativePath(Repository.Root, path)}:{index + 1}", text)));
}
