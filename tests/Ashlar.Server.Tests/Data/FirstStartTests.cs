using Ashlar.Simulation;

namespace Ashlar.Server.Tests.Data;

public sealed class FirstStartTests
{
    const long PoolBytes = 1 << 20;

    [Fact]
    public async Task Power_may_fail_at_any_moment_of_the_first_start()
    {
        var result = await CrashExplorer.ExploreAsync(
            async disk =>
            {
                await StartAsync(disk, seed: 1);
                disk.Mark("started");
            },
            async state =>
            {
                var wasNew = await StartAsync(state.Disk, state.Seed);
                Assert.False(wasNew && state.Marks.Contains("started"), "a data directory that was in use was taken for a new one");
            },
            new() { NestedOneIn = 1 });
        Assert.True(result.Distinct >= 30 && result.Nested > 0, result.ToString());
    }

    /// <summary>What a server does before it listens; true when it created the pool.</summary>
    static async Task<bool> StartAsync(SimulatedFileSystem disk, ulong seed)
    {
        var options = new ServerOptions
        {
            DataDirectory = "/var/data",
            FileSystem = disk,
            TimeProvider = new SimulatedClock(),
            Entropy = new SeededEntropy(seed),
        };
        using var directory = DataDirectory.Open(options);
        var path = directory.PoolPath(DataDirectory.MainPool);
        var isNew = directory.IsNew;
        if (isNew)
        {
            directory.BeginFirstStart(new(Guid.Empty, DateTimeOffset.UnixEpoch));
            await (await PoolFiles.CreateAsync(path, DataDirectory.MainPool, PoolBytes, options)).DisposeAsync();
            directory.CompleteFirstStart();
        }
        else
        {
            await (await PoolFiles.OpenAsync(path, options)).DisposeAsync();
        }
        return isNew;
    }
}
