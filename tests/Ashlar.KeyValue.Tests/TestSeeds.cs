using System.Globalization;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Seeds of tests that run many of them in one.</summary>
static class TestSeeds
{
    /// <summary>The first seed: that of the environment if there is one, else one of the test's own.</summary>
    public static ulong First(string test) =>
        Read("ASHLAR_SEED") ?? Read("ASHLAR_SEED_FROM") ?? Crc32C.Compute(TestStore.Bytes(test)) % 1000 * 1000;

    static ulong? Read(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : null;
}
