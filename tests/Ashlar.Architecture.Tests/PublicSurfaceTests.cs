using System.Reflection;

namespace Ashlar.Architecture.Tests;

/// <summary>
/// What users of a package see is in <c>PublicSurface.txt</c> beside its source, so that a change of it is seen by who reviews one. After a
/// change that is meant: <c>ASHLAR_WRITE_SURFACE=1 ./test Architecture</c> writes it anew.
/// </summary>
public sealed class PublicSurfaceTests
{
    [Theory]
    [InlineData("Ashlar.Storage")]
    [InlineData("Ashlar.KeyValue")]
    [InlineData("Ashlar.KeyValue.Caching")]
    [InlineData("Ashlar.KeyValue.Extensions")]
    [InlineData("Ashlar.KeyValue.Sharding")]
    [InlineData("Ashlar.Blocks")]
    [InlineData("Ashlar.Planning")]
    public void A_package_shows_what_was_reviewed(string project)
    {
        var path = Path.Combine(Repository.SourceDirectory, project, "PublicSurface.txt");
        var found = PublicSurface.Of(Assembly.Load(project));
        if (Environment.GetEnvironmentVariable("ASHLAR_WRITE_SURFACE") == "1") File.WriteAllText(path, found);
        var reviewed = File.ReadAllText(path);
        var (before, after) = (Lines(reviewed), Lines(found));
        Assert.True(
            found == reviewed,
            $"{project} shows its users something else; if that is meant, ASHLAR_WRITE_SURFACE=1 writes {path}:\n"
                + string.Join(
                    '\n', after.Except(before).Select(line => "+ " + line).Concat(before.Except(after).Select(line => "- " + line))));
    }

    [Fact]
    public void Types_and_members_are_told_apart_by_kind_parameters_and_defaults()
    {
        var text = PublicSurface.Of(typeof(PublicSurfaceTests).Assembly);
        Assert.Contains("struct Ashlar.Architecture.Tests.SurfaceSample\n", text, StringComparison.Ordinal);
        Assert.Contains(
            "    static int Add(in int left, out int? right, string text = \"x\", DayOfWeek day = Monday)\n",
            text, StringComparison.Ordinal);
        Assert.Contains("    List<byte[]> Lists { get; init; }\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Hidden", text, StringComparison.Ordinal);
    }

    static string[] Lines(string text) => text.Split('\n');
}

/// <summary>For the test of the tests.</summary>
public readonly record struct SurfaceSample(List<byte[]> Lists)
{
    /// <summary>Does nothing of use.</summary>
    public static int Add(in int left, out int? right, string text = "x", DayOfWeek day = DayOfWeek.Monday)
    {
        right = text.Length;
        return left + (int)day;
    }

    internal static int Hidden => 0;
}
