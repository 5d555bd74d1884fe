using System.Globalization;

namespace Ashlar.Interop.Tests.Tools;

/// <summary>The number all choices of a test come from. A failure prints it; ASHLAR_SEED replays it.</summary>
static class Seed
{
    public static ulong Choose() =>
        Environment.GetEnvironmentVariable("ASHLAR_SEED") is { Length: > 0 } text
            ? ulong.Parse(text, CultureInfo.InvariantCulture)
            : (ulong)Random.Shared.NextInt64();

    /// <summary>A generator of its own for each actor, so that one actor's choices do not depend on another's pace.</summary>
    public static Random Fork(ulong seed, params ReadOnlySpan<int> path)
    {
        var state = seed;
        foreach (var step in path) state = unchecked(((state ^ (uint)step) + 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9);
        return new Random(unchecked((int)(state ^ (state >> 32))));
    }
}
