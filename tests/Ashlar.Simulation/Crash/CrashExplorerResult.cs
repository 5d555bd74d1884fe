namespace Ashlar.Simulation;

/// <summary>What a <see cref="CrashExplorer"/> did.</summary>
/// <param name="Events">Length of the trace.</param>
/// <param name="Points">Points of the trace at which something could be different after a crash.</param>
/// <param name="States">States generated, before equal ones were dropped.</param>
/// <param name="Distinct">States checked: distinct in content, or in what the workload had said by then.</param>
/// <param name="Images">Distinct contents of the disk among them.</param>
/// <param name="Nested">States checked after a second crash, while the first was recovered from.</param>
public sealed record CrashExplorerResult(int Events, int Points, int States, int Distinct, int Images, int Nested)
{
    /// <summary>Points at which at least one state was checked, or was equal to one that was.</summary>
    public int CoveredPoints { get; init; }

    /// <summary>Points at which the process died instead, each followed by power cuts that <paramref name="Nested"/> counts.</summary>
    public int Deaths { get; init; }
}

/// <summary>A check failed on a crash state; the message tells which, and how to replay it.</summary>
public sealed class CrashCheckException(string message, string replay, Exception cause) : Exception(message, cause)
{
    /// <summary>For <see cref="CrashExplorerOptions.Replay"/>.</summary>
    public string Replay { get; } = replay;
}
