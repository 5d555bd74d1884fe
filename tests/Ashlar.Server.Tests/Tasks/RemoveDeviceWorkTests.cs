using Ashlar.Simulation;

namespace Ashlar.Server.Tests.Tasks;

/// <summary>How the moving off a device ends.</summary>
public sealed class RemoveDeviceWorkTests
{
    const string Path = "/pools/main";

    [Fact]
    public async Task One_that_nobody_wants_any_more_holds_nobody_up_who_closes_its_pool()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        disk.CreateDirectory("/pools");
        disk.CreateDirectory(Path);
        var options = new ServerOptions
        {
            DataDirectory = "/",
            FileSystem = disk,
            TimeProvider = new SimulatedClock(),
            Entropy = new SeededEntropy(1),
        };
        await using var pool = await PoolFiles.CreateAsync(Path, "main", 8 << 20, options);
        var evacuation = await pool.BeginEvacuationAsync(4 << 20, 1 << 20);
        // Taking out waits for whoever changes pools.
        var work = new RemoveDeviceWork("/b", evacuation, static stop => Task.Delay(Timeout.Infinite, stop));
        var context = new TaskContext(options.TimeProvider, null);
        context.Withdraw();
        var run = work.RunAsync(context);
        await Task.WhenAny(run, Task.Delay(TimeSpan.FromMilliseconds(20)));
        Assert.False(run.IsCompleted); // It is empty for good: what was withdrawn too late is done all the same.
        context.Close();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.True(Assert.Single(pool.ListBarredRanges()).IsEmpty);
    }
}
