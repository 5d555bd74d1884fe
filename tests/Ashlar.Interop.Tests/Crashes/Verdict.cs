namespace Ashlar.Interop.Tests.Crashes;

enum Fault
{
    None,

    /// <summary>Older than the last flush: an acknowledged promise broken.</summary>
    Lost,

    /// <summary>Not the last completed version although the server never went away.</summary>
    Stale,

    /// <summary>Another block's bytes, or another run's.</summary>
    Foreign,

    /// <summary>No whole version.</summary>
    Torn,

    /// <summary>A version nobody wrote, or one that a crash had already taken away.</summary>
    Invented,
}

/// <summary>The judgement of one block read.</summary>
readonly record struct Verdict(Fault Fault, BlockHistory.Version Found, string Explanation);
