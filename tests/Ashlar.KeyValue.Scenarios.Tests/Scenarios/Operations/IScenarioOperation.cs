namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>Something that a scenario does.</summary>
interface IScenarioOperation
{
    /// <summary>How often it is chosen, in proportion to others; 0 where the features do not include it.</summary>
    int WeightIn(ScenarioOptions options);

    void Run(ScenarioRun run);
}
