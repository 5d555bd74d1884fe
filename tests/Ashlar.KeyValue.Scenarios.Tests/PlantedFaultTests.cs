using Ashlar.Simulation;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>Engines that make light of a disk that fails are noticed, as what they get wrong.</summary>
public sealed class PlantedFaultTests
{
    [Theory]
    [InlineData(nameof(PlantedBugs.FailedReadIsNotFound), FaultOperations.Read, FaultKind.InputOutputError, 2, "WrongAnswer")]
    [InlineData(nameof(PlantedBugs.FailedReadEndsScan), FaultOperations.Read, FaultKind.InputOutputError, 2, "WrongAnswer")]
    [InlineData(nameof(PlantedBugs.FailedReadEndsRepair), FaultOperations.Read, FaultKind.InputOutputError, 2, "WrongAnswer")]
    [InlineData(nameof(PlantedBugs.CloseWithoutTelling), FaultOperations.Sync, FaultKind.LostSync, 2, "WrongAnswer")]
    public void A_planted_bug_is_noticed_as_what_it_is(string bug, FaultOperations operations, FaultKind kind, ulong seed, string seen) =>
        Assert.Equal(seen, PlantedBugs.Named(bug).Run(Sweep, (seed, (int)operations, (int)kind)));

    static string Sweep((ulong Seed, int Operations, int Kind) argument)
    {
        var options = new ScenarioOptions(argument.Seed, Features.Repair, 60);
        try
        {
            ScenarioFaults.Sweep(options, new FaultRule((FaultOperations)argument.Operations, (FaultKind)argument.Kind));
            return "";
        }
        catch (FaultSweepException found)
        {
            return found.InnerException is ScenarioFailureException failure ? $"{failure.Kind}" : found.InnerException!.GetType().Name;
        }
    }
}
