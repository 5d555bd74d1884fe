namespace Ashlar.Simulation;

/// <summary>How far a <see cref="CrashExplorer"/> goes.</summary>
public sealed record CrashExplorerOptions
{
    /// <summary>Decides every sample.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>About how many distinct states to check; where there are more, a sample spread evenly over the trace.</summary>
    public int StateBudget { get; init; } = 20_000;

    /// <summary>Up to so many pending changes every subset is a state.</summary>
    public int ExhaustiveLimit { get; init; } = 10;

    /// <summary>Random subsets per point of the trace, beside the systematic ones.</summary>
    public int RandomSubsets { get; init; } = 16;

    /// <summary>Longest family (each change dropped, each alone, each prefix, each tear) that is tested without sampling.</summary>
    public int LongestFamily { get; init; } = 64;

    /// <summary>One state in so many is followed by a second crash while the first is recovered from; 0 means none.</summary>
    public int NestedOneIn { get; init; } = 100;

    /// <summary>Second crashes per state chosen for them.</summary>
    public int NestedBudget { get; init; } = 20;

    /// <summary>
    /// One point in so many is taken for the death of the process instead: its page cache stays, and power is lost while and after the next
    /// one recovers (<see cref="NestedBudget"/> states). Where the next thing was a sync of a file, that sync also fails at one in so
    /// many. 0 means none.
    /// </summary>
    public int KilledOneIn { get; init; }

    /// <summary>
    /// Whether what a write has appended may, when its length survives and its data does not, show what lay on the medium before, and not
    /// only zeros.
    /// </summary>
    public bool ShowsOldContent { get; init; }

    /// <summary>
    /// Replays only this state: the text that a failure printed. Taken from the environment (<c>ASHLAR_CRASH</c>) when not set.
    /// </summary>
    public string? Replay { get; init; } = Environment.GetEnvironmentVariable("ASHLAR_CRASH") is { Length: > 0 } text ? text : null;
}
