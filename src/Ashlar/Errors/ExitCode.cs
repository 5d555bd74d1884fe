namespace Ashlar.CommandLine;

/// <summary>How the program ends. Scripts rely on the numbers; <c>ashlar help exit-codes</c> lists them.</summary>
enum ExitCode
{
    Ok = 0,
    Failed = 1,
    Usage = 2,
    PermissionDenied = 4,
    NotFound = 5,
    Conflict = 6,
    Unreachable = 7,
    Damaged = 8,
    Degraded = 10,
    Cancelled = 130,
}
