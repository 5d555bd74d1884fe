using System.Text.Json;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>Adds up what explorations met, and says it in one line.</summary>
sealed class CrashTotals(string line, ulong[] seeds)
{
    readonly Lock gate = new();

    /// <summary>Moments at which a power cut could leave something else than at the one before. Every one of them is tried.</summary>
    public int Points { get; private set; }

    /// <summary>Disks that differ in content.</summary>
    public int Images { get; private set; }

    /// <summary>Disks after a second crash.</summary>
    public int Nested { get; private set; }

    public int Deaths { get; private set; }

    /// <summary>Whether one state is replayed: then nothing can be said of all.</summary>
    public bool IsReplay { get; } = new CrashExplorerOptions().Replay is not null || seeds.Length == 1;

    public void Add(CrashExplorerResult result)
    {
        lock (gate)
        {
            Points += result.Points;
            Images += result.Images;
            Nested += result.Nested;
            Deaths += result.Deaths;
        }
    }

    /// <summary>After everything was asserted.</summary>
    public string ToJson() => JsonSerializer.Serialize(new
    {
        line,
        seeds = string.Join(' ', seeds),
        distinct = Images,
        nested = Nested,
        deaths = Deaths,
        boundaries = Points,
        failures = 0,
    });
}
