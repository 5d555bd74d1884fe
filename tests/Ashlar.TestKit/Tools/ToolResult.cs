namespace Ashlar.TestKit;

/// <summary>What a program said and how it ended.</summary>
public sealed record ToolResult(string CommandLine, int ExitCode, string Output, string Errors)
{
    /// <summary>The standard output of a program that must have succeeded.</summary>
    public string MustSucceed() => ExitCode == 0 ? Output : throw new ToolException($"exit code {ExitCode}", this);

    /// <summary>Everything, for messages of failed tests.</summary>
    public override string ToString() => $"{CommandLine}: exit code {ExitCode}\n{Output}\n{Errors}";
}

/// <summary>A program did not do what it had to.</summary>
public sealed class ToolException(string what, ToolResult result)
    : Exception($"{result.CommandLine}: {what}\n{result.Output}\n{result.Errors}".TrimEnd());
