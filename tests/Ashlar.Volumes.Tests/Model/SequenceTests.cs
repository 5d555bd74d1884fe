using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// Short random sequences of everything that a pool does, each on two pools that are set up differently: both agree with a model, and
/// with each other in every answer.
/// </summary>
public sealed class SequenceTests(ITestOutputHelper output)
{
    const int MostSteps = 100;

    [Fact]
    public async Task Pools_that_are_set_up_differently_give_the_same_answers_and_those_of_the_model()
    {
        var seeds = TestSeeds.Several(nameof(SequenceTests), TestTier.Choose(600, 20_000));
        var (operations, refusals, reads) = (0L, 0L, 0L);
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) =>
        {
            var answers = await RunAsync(seed);
            Interlocked.Add(ref operations, answers.Count);
            Interlocked.Add(ref refusals, answers.Count(answer => answer.EndsWith("Exception", StringComparison.Ordinal)));
            Interlocked.Add(ref reads, answers.Count(answer => answer.Contains("Data", StringComparison.Ordinal)));
        });
        if (seeds.Length == 1) return;
        Assert.True(operations >= seeds.Length * 40L, $"only {operations} operations");
        Assert.True(refusals >= seeds.Length / 2, $"only {refusals} operations were refused, for want of space or because of a name");
        Assert.True(reads >= seeds.Length * 2L, $"only {reads} reads found data");
        foreach (var line in (string[])["volume model sequences", "volume differential sequences"])
            output.WriteLine(
                JsonSerializer.Serialize(
                    new { line, seed = seeds[0], sequences = seeds.Length, operations, refusals, reads, failures = 0 }));
    }

    static async Task<IReadOnlyList<string>> RunAsync(ulong seed)
    {
        var random = new SeededRandom(seed);
        var steps = Enumerable.Range(0, 20 + random.Next(MostSteps - 20)).Select(_ => SequenceStep.Pick(random)).ToArray();
        var (one, other) = (StackOptions.Pick(random), StackOptions.Pick(random));
        try
        {
            var first = await AnswersAsync(one, steps);
            Assert.Equal(first, await AnswersAsync(other, steps));
            return first;
        }
        catch (Exception e)
        {
            throw new InvalidDataException($"ASHLAR_SEED={seed}: {one} and {other}: {e.Message}", e);
        }
    }

    static async Task<IReadOnlyList<string>> AnswersAsync(StackOptions options, SequenceStep[] steps)
    {
        await using var stack = new SequenceStack(options);
        await stack.OpenAsync();
        foreach (var step in steps) await stack.RunAsync(step);
        return stack.Answers;
    }
}
