using System.Globalization;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.TestKit;

/// <summary>
/// Where every test that makes choices has its seed from. Seeds are fixed but differ from test to test. <c>ASHLAR_SEED=17</c> replays
/// one, <c>ASHLAR_SEED_FROM=5000</c> moves all tests elsewhere.
/// </summary>
public static class TestSeeds
{
    /// <summary>The first seed, or the only one.</summary>
    /// <param name="test">Name of the test, so that tests do not all do the same.</param>
    public static ulong First(string test) => Replayed ?? Number("ASHLAR_SEED_FROM") ?? OwnOf(test);

    /// <summary>As many seeds as a test takes at once; one where one is replayed.</summary>
    /// <inheritdoc cref="First" path="/param"/>
    public static ulong[] Several(string test, int count)
    {
        var first = First(test);
        return Replayed is null ? [.. Enumerable.Range(0, count).Select(index => first + (ulong)index)] : [first];
    }

    /// <summary>The seed that is replayed, if one is.</summary>
    public static ulong? Replayed => Number("ASHLAR_SEED");

    /// <summary>A number of the environment.</summary>
    public static ulong? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : null;

    /// <summary>A number of the environment, such as how many cycles to run, or what is usual.</summary>
    public static int Number(string variable, int usual) => checked((int)(Number(variable) ?? (ulong)usual));

    // Six digits at most: a seed is something one types.
    static ulong OwnOf(string test) => Crc32C.Compute(Encoding.UTF8.GetBytes(test)) % 1000 * 1000;
}
