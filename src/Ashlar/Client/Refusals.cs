using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>What a server's problem means for a command.</summary>
static class Refusals
{
    public static CommandException Describe(Problem problem) =>
        new(ExitCodeOf(problem), problem.Type, problem.Detail ?? problem.Title, problem.Hint ?? HintFor(problem.Type));

    static ExitCode ExitCodeOf(Problem problem) => problem switch
    {
        { Type: ProblemTypes.Corrupt } => ExitCode.Damaged,
        { Status: 400 } => ExitCode.Usage,
        { Status: 401 or 403 or 421 } => ExitCode.PermissionDenied,
        { Status: 404 } => ExitCode.NotFound,
        { Status: 409 or 412 } => ExitCode.Conflict,
        { Status: 503 or 504 } => ExitCode.Unreachable,
        _ => ExitCode.Failed,
    };

    public static string? HintFor(string problemType) => problemType switch
    {
        ProblemTypes.VolumeNotFound => "ashlar volume list",
        ProblemTypes.PoolNotFound => "ashlar pool list",
        ProblemTypes.InUse => "disconnect the clients first, or add --force",
        ProblemTypes.WouldShrink => "add --allow-shrink; what lies beyond the new end is lost",
        _ => null,
    };
}
