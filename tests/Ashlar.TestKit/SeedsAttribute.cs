using System.Globalization;
using System.Reflection;
using System.Text;
using Ashlar.Storage;
using Xunit.Sdk;

namespace Ashlar.TestKit;

/// <summary>
/// Runs a theory once for each of several seeds: <c>[Theory, Seeds(count: 50)] void X(ulong seed)</c>. The seeds are fixed but
/// differ from test to test. <c>ASHLAR_SEED=17</c> replays one; <c>ASHLAR_SEEDS=1000</c> widens the search, and
/// <c>ASHLAR_SEED_FROM=5000</c> moves it elsewhere.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SeedsAttribute(int count) : DataAttribute
{
    /// <summary>Seeds per run, unless the environment says otherwise.</summary>
    public int Count { get; } = count;

    public override IEnumerable<object[]> GetData(MethodInfo testMethod)
    {
        if (ReadEnvironment("ASHLAR_SEED") is { } seed) return [[seed]];
        var seeds = ReadEnvironment("ASHLAR_SEEDS") ?? (ulong)Count;
        var first = ReadEnvironment("ASHLAR_SEED_FROM") ?? Derive(testMethod);
        return Enumerable.Range(0, checked((int)seeds)).Select(index => new object[] { first + (ulong)index });
    }

    // Six digits at most: a seed is something one types.
    static ulong Derive(MethodInfo test) =>
        Crc32C.Compute(Encoding.UTF8.GetBytes($"{test.DeclaringType}.{test.Name}")) % 1000 * 1000;

    static ulong? ReadEnvironment(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : null;
}
