using Ashlar.Api;

namespace Ashlar.Server;

/// <summary>What a task does.</summary>
interface ITaskWork
{
    /// <summary>What kind of work it is: "verify", "scrub".</summary>
    string Type { get; }

    /// <summary>How far it is, and what it has found.</summary>
    TaskProgress Progress { get; }

    /// <summary>Does it. What it is asked between its steps it asks the context.</summary>
    Task RunAsync(TaskContext context);
}

/// <summary>How far a task is.</summary>
/// <param name="TotalBytes">All that is to be done; null where nobody knows.</param>
/// <param name="DoneBytes">What is done.</param>
/// <param name="Findings">What is wrong, a sentence each; null while nothing is known.</param>
/// <param name="Volumes">The same by volume, where it goes by volumes.</param>
/// <param name="Stripes">The same of the stripes of a RAID set, where it comes to these.</param>
/// <param name="Report">What it did or proved, in words.</param>
sealed record TaskProgress(
    long? TotalBytes,
    long? DoneBytes,
    IReadOnlyList<string>? Findings,
    IReadOnlyList<ScrubbedVolume>? Volumes = null,
    ScrubbedStripes? Stripes = null,
    string? Report = null);
