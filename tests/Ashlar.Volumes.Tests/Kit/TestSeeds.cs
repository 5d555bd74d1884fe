using System.Globalization;

namespace Ashlar.Volumes.Tests;

/// <summary>Seeds of runs that take several at once; <c>ASHLAR_SEED</c> replays one of them.</summary>
static class TestSeeds
{
    public static ulong[] From(ulong first, int count) => Read("ASHLAR_SEED") is { } only
        ? [only]
        : [.. Enumerable.Range(0, count).Select(i => (Read("ASHLAR_SEED_FROM") ?? first) + (ulong)i)];

    static ulong? Read(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : null;
}
