using Ashlar.Storage;

namespace Ashlar.Simulation;

/// <summary>Chance that a seed replays. Safe for concurrent callers, although their order then decides who gets what.</summary>
public sealed class SeededEntropy(ulong seed) : IEntropySource
{
    readonly SeededRandom random = new(seed);
    readonly Lock gate = new();

    public void Fill(Span<byte> destination)
    {
        lock (gate) random.Fill(destination);
    }
}
