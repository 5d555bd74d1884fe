using System.Diagnostics.CodeAnalysis;

namespace Ashlar.Simulation;

/// <summary>
/// Memory that runs out on one thread at the Nth allocation. Code that is compiled anew for a test asks it before each; the product knows
/// nothing of it.
/// </summary>
public static class SimulatedHeap
{
    [ThreadStatic]
    static State? state;

    /// <summary>Counts the allocations of this thread from now on, and lets one of them fail.</summary>
    /// <param name="failAt">Which, counted from 1; 0 for none.</param>
    public static void Arm(long failAt) => state = new() { FailAt = failAt };

    /// <summary>Lets memory be had again.</summary>
    /// <returns>How many allocations there were, and where the one is that failed; null if none did.</returns>
    public static (long Count, string? FailedAt) Disarm()
    {
        var last = state ?? new();
        state = null;
        return (last.Count, last.FailedAt);
    }

    /// <summary>An allocation.</summary>
    /// <param name="place">Where it is.</param>
    /// <exception cref="OutOfMemoryException">It is the one that fails.</exception>
    [SuppressMessage("Usage", "CA2201", Justification = "What the runtime raises is what is simulated.")]
    [SuppressMessage("Design", "MA0012", Justification = "What the runtime raises is what is simulated.")]
    public static void Allocate(string place)
    {
        if (state is not { } armed || ++armed.Count != armed.FailAt) return;
        armed.FailedAt = place;
        throw new OutOfMemoryException($"There is no memory at {place}.");
    }

    sealed class State
    {
        public long FailAt { get; init; }

        public long Count { get; set; }

        public string? FailedAt { get; set; }
    }
}
