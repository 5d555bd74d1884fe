using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>Errors of a command line that parses but makes no sense.</summary>
static class Usage
{
    public static CommandException Error(string message, string? hint = null) =>
        new(ExitCode.Usage, ProblemTypes.Usage, message, hint);
}
