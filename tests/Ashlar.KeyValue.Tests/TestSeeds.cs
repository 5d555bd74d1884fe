namespace Ashlar.KeyValue.Tests;

/// <summary>Seeds of tests that run many of them in one.</summary>
static class TestSeeds
{
    /// <summary>The first seed: that of the environment if there is one, else one of the test's own.</summary>
    public static ulong First(string test) =>
        Environment.GetEnvironmentVariable("ASHLAR_SEED") is { Length: > 0 } text
            ? ulong.Parse(text, System.Globalization.CultureInfo.InvariantCulture)
            : (ulong)(Storage.Crc32C.Compute(TestStore.Bytes(test)) % 1000 * 1000);
}
