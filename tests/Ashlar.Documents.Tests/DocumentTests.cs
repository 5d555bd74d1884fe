namespace Ashlar.Documents.Tests;

/// <summary>Whatever a document says to type is typed, in order, by somebody who has a clean clone and nothing else.</summary>
public sealed class DocumentTests
{
    public static TheoryData<string> WithCommands() => [.. Documents.All.Where(document => MarkdownFile.Read(document).Any(IsRun))];

    [TheoryOnMachineCopy("bash", "curl", "qemu-img", "qemu-block-iscsi", "nbdinfo")]
    [MemberData(nameof(WithCommands))]
    public void Every_command_of_a_document_does_what_the_document_says(string document)
    {
        using var newcomer = new Newcomer();
        var litter = newcomer.Litter();
        foreach (var fence in MarkdownFile.Read(document).Where(IsRun))
        {
            foreach (var command in Commands.Of(fence)) newcomer.Type(command);
        }

        newcomer.StopServer();
        Assert.Equal(litter, newcomer.Litter());
    }

    [Fact]
    public void Commands_stand_in_blocks_that_are_run_or_say_why_not()
    {
        var fences = Documents.All.SelectMany(MarkdownFile.Read).ToArray();
        // A block without a language is drawn or quoted, and one that is only indented has none: a command there would never be run.
        var hidden = fences.Where(fence => !fence.IsCommands && fence.NotRun is null && Array.Exists(fence.Text.Split('\n'), IsCommandLine));
        Assert.Empty(hidden.Select(fence => $"{fence}: commands in a block that is neither sh nor console"));
        var indented = Documents.All.SelectMany(document => File.ReadLines(Path.Combine(Repository.Root, document))
            .Where(line => line.StartsWith("    ", StringComparison.Ordinal) && IsCommandLine(line[4..]))
            .Select(line => $"{document}: {line.Trim()}: an indented command"));
        Assert.Empty(indented);
        Assert.True(fences.Count(IsRun) >= 15, "hardly any block is run");
    }

    static bool IsRun(Fence fence) => fence is { IsCommands: true, NotRun: null };

    static bool IsCommandLine(string line) =>
        line.StartsWith("ashlar ", StringComparison.Ordinal) || line.StartsWith("./", StringComparison.Ordinal)
            || line.StartsWith("$ ", StringComparison.Ordinal) || line.StartsWith("sudo ", StringComparison.Ordinal)
            || line.StartsWith("dotnet ", StringComparison.Ordinal);
}
