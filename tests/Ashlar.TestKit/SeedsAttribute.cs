using System.Reflection;
using Xunit.Sdk;

namespace Ashlar.TestKit;

/// <summary>
/// Runs a theory once for each of several seeds of <see cref="TestSeeds"/>: <c>[Theory, Seeds(count: 50)] void X(ulong seed)</c>.
/// <c>ASHLAR_SEEDS=1000</c> widens the search.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SeedsAttribute(int count) : DataAttribute
{
    /// <summary>Seeds per run, unless the environment says otherwise.</summary>
    public int Count { get; } = count;

    public override IEnumerable<object[]> GetData(MethodInfo testMethod)
    {
        if (TestSeeds.Replayed is { } seed) return [[seed]];
        var first = TestSeeds.First($"{testMethod.DeclaringType}.{testMethod.Name}");
        return Enumerable.Range(0, TestSeeds.Number("ASHLAR_SEEDS", Count)).Select(index => new object[] { first + (ulong)index });
    }
}
