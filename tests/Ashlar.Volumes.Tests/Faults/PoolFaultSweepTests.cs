using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>Each operation on the disk of a pool fails once, below its device and below its map.</summary>
public sealed class PoolFaultSweepTests(ITestOutputHelper output)
{
    const string Data = "/pool.data", Map = "/map/*";

    const FaultOperations Space = FaultOperations.PunchHole | FaultOperations.Allocate | FaultOperations.ZeroRange;

    [Theory]
    [InlineData(Data, FaultOperations.Write, FaultKind.InputOutputError, 20)]
    [InlineData(Data, FaultOperations.Write, FaultKind.NoSpace, 20)]
    [InlineData(Data, FaultOperations.Write, FaultKind.ShortWrite, 20)]
    [InlineData(Data, FaultOperations.Write, FaultKind.NoSpaceHalfWay, 20)]
    [InlineData(Data, FaultOperations.Read, FaultKind.InputOutputError, 30)]
    [InlineData(Data, FaultOperations.Sync, FaultKind.InputOutputError, 8)]
    [InlineData(Data, FaultOperations.Sync, FaultKind.LostSync, 8)]
    [InlineData(Data, Space, FaultKind.InputOutputError, 3)]
    [InlineData(Data, Space, FaultKind.NoSpace, 3)]
    [InlineData(Data, Space, FaultKind.NotSupported, 3)]
    [InlineData(Map, FaultOperations.Write, FaultKind.InputOutputError, 30)]
    [InlineData(Map, FaultOperations.Write, FaultKind.NoSpace, 30)]
    [InlineData(Map, FaultOperations.Write, FaultKind.ShortWrite, 30)]
    [InlineData(Map, FaultOperations.Write, FaultKind.NoSpaceHalfWay, 30)]
    [InlineData(Map, FaultOperations.Sync, FaultKind.InputOutputError, 20)]
    [InlineData(Map, FaultOperations.Sync, FaultKind.LostSync, 20)]
    [InlineData(Map, FaultOperations.Read, FaultKind.InputOutputError, 3)]
    [InlineData(Map, FaultOperations.Changes & ~FaultOperations.Write & ~FaultOperations.Sync, FaultKind.InputOutputError, 20)]
    [InlineData(Map, FaultOperations.Allocate | FaultOperations.Open, FaultKind.NoSpace, 5)]
    [InlineData(Data, FaultOperations.Write | FaultOperations.Sync, FaultKind.OutOfMemory, 28)]
    [InlineData(Map, FaultOperations.Write | FaultOperations.Sync, FaultKind.OutOfMemory, 50)]
    public void What_was_answered_is_there_and_what_failed_is_old_or_new(
        string path, FaultOperations operations, FaultKind kind, int leastFaults)
    {
        var seed = TestSeeds.First(nameof(PoolFaultSweepTests));
        var (failed, compared) = (0, 0L);
        SimulatedFileSystem disk = null!;
        var faults = FaultSweep.Run(
            new FaultRule(operations, kind) { PathPattern = path },
            () => disk = NewDisk(seed),
            faulty =>
            {
                var scenario = new PoolFaultScenario(
                    disk,
                    faulty,
                    seed,
                    mustBeTold: path == Data && operations is FaultOperations.Sync or FaultOperations.Write,
                    mayTear: path == Data && kind is FaultKind.ShortWrite or FaultKind.NoSpaceHalfWay);
                scenario.RunAsync().GetAwaiter().GetResult();
                if (scenario.Failures > 0) failed++;
                compared += scenario.Compared;
            },
            seed: seed);
        output.WriteLine($"seed {seed}: {faults} operations failed, {failed} of which failed a request; {compared} sectors compared");
        Assert.True(faults >= leastFaults, $"only {faults} operations failed");
        Assert.True(compared >= faults * 500L, $"only {compared} sectors were compared");
    }

    static SimulatedFileSystem NewDisk(ulong seed)
    {
        var disk = new SimulatedFileSystem();
        CreateAsync(disk, seed).GetAwaiter().GetResult();
        disk.RestartTrace();
        return disk;
    }

    static async Task CreateAsync(SimulatedFileSystem disk, ulong seed) =>
        await (await TestPool.CreateAsync(chunks: 200, PoolFaultScenario.OptionsOf(seed, "creation"), disk)).DisposeAsync();
}
