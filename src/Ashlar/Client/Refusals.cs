using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>What a server's problem means for a command.</summary>
static class Refusals
{
    public const string InUseHint = "disconnect the clients first, or add --force";
    public const string HasSnapshotsHint = "add --snapshots; they are deleted with it";
    public const string WouldShrinkHint = "add --allow-shrink; what lies beyond the new end is lost";

    public static CommandException Describe(Problem problem, CommandLines lines) =>
        new(ExitCodeOf(problem), problem.Type, problem.Detail ?? problem.Title, problem.Hint ?? HintFor(problem.Type, lines));

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

    static string? HintFor(string problemType, CommandLines lines) => problemType switch
    {
        ProblemTypes.VolumeNotFound => lines.OfServer("volume list"),
        ProblemTypes.NotInTrash => lines.OfServer("volume trash list"),
        ProblemTypes.PoolNotFound => lines.OfServer("pool list"),
        ProblemTypes.PortalNotFound => lines.OfServer("portal list"),
        ProblemTypes.ExportNotFound => lines.OfServer("export list"),
        ProblemTypes.TaskNotFound => lines.OfServer("task list"),
        ProblemTypes.CustomerNotFound => lines.OfServer("customer list"),
        ProblemTypes.UserNotFound => lines.OfServer("user list"),
        ProblemTypes.NodeNotFound => lines.OfServer("node list"),
        ProblemTypes.FileNotFound => lines.OfServer("file ls"),
        ProblemTypes.InUse => InUseHint,
        ProblemTypes.WouldShrink => WouldShrinkHint,
        ProblemTypes.HasSnapshots => HasSnapshotsHint,
        ProblemTypes.SnapshotNotFound => lines.OfServer("snapshot list"),
        ProblemTypes.Diverged => "add --revert; what was written since is lost",
        _ => null,
    };
}
