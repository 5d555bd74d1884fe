using System.Text.Json;
using Ashlar.Interop.Tests.Clients;
using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.Crashes;

/// <summary>
/// A server with clients of both protocols dies at any moment; what they flushed is there when it is started again, and, when it was
/// killed, all that it had answered.
/// </summary>
public sealed class ServerCrashTests(ITestOutputHelper output)
{
    const long VolumeBytes = 48 << 20;
    const string PoolSize = "64MiB";

    static readonly int Kills = TestSeeds.Number("ASHLAR_KILL_CYCLES", TestTier.Choose(10, 60));
    static readonly int PowerCuts = TestSeeds.Number("ASHLAR_SERVER_POWER_CUTS", TestTier.Choose(6, 300));

    static readonly int LimitedCycles = TestTier.Choose(3, 50);

    [FactIfTool(NbdClient.Library, IscsiClient.Library)]
    public void All_that_was_answered_over_both_protocols_survives_kills_at_any_moment()
    {
        using var directory = TemporaryDirectory.OnDisk();
        Run("server kills", new Kill(), directory["data"], Kills);
    }

    [PowerCutFact(NbdClient.Library, IscsiClient.Library)]
    public void Flushed_writes_over_both_protocols_survive_power_cuts_of_a_real_file_system()
    {
        using var volume = new LoopVolume(mebibytes: 256);
        Run("server power cuts", new PowerCut(volume), Path.Combine(volume.MountPoint, "data"), PowerCuts);
    }

    // A server that had to take more would answer with errors, or end; and both fail the run.
    [FactIfTool(NbdClient.Library, IscsiClient.Library)]
    public void A_server_with_little_memory_and_few_descriptors_serves_dies_and_recovers_as_any()
    {
        using var directory = TemporaryDirectory.OnDisk();
        using var server = new AshlarProcess(directory["data"], PoolSize)
        {
            HeapLimitBytes = 64 << 20,
            DescriptorLimit = 512,
            Options = ["--buffer-memory", "16MiB"],
        };
        var cycles = new CrashCycles(server, new Kill(), TestSeeds.First("little memory"), VolumeBytes);
        cycles.Run(LimitedCycles);
        Assert.Equal(LimitedCycles, cycles.Deaths);
        Assert.InRange(cycles.FullCycles, 1, LimitedCycles);
        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "server limits",
            deaths = cycles.Deaths,
            withAllWritersAtWork = cycles.FullCycles,
            blocksCompleted = cycles.CompletedBlocks.Sum(),
            failures = 0,
        }));
    }

    [FactIfTool(NbdClient.Library, IscsiClient.Library)]
    public void A_log_of_recent_writes_that_is_gone_is_noticed_as_a_loss_after_a_kill()
    {
        using var directory = TemporaryDirectory.OnDisk();
        MustNoticeLoss(new ForgetfulKill(Path.Combine(directory["data"], "pools", "main", "recent")), directory["data"]);
    }

    [PowerCutFact(NbdClient.Library, IscsiClient.Library)]
    public void A_flush_that_never_reaches_the_server_is_noticed_as_a_loss_after_a_power_cut()
    {
        using var volume = new LoopVolume(mebibytes: 256);
        MustNoticeLoss(new PowerCut(volume), Path.Combine(volume.MountPoint, "data"));
    }

    void Run(string line, Death death, string data, int count)
    {
        var seed = TestSeeds.First(line);
        using var server = new AshlarProcess(data, PoolSize);
        var cycles = new CrashCycles(server, death, seed, VolumeBytes);
        cycles.Run(count);

        Assert.Equal(count, cycles.Deaths);
        // What the seed decides; a short run may have less luck.
        if (count >= 10)
        {
            Assert.InRange(cycles.FullCycles, count / 2, count);
            Assert.InRange(cycles.DeathsWhileRecovering, count / 8, int.MaxValue);
        }
        Assert.All(cycles.CompletedBlocks, blocks => Assert.InRange(blocks, cycles.FullCycles, long.MaxValue));
        Assert.All(cycles.CompletedFlushes, flushes => Assert.InRange(flushes, cycles.FullCycles, long.MaxValue));
        output.WriteLine(JsonSerializer.Serialize(new
        {
            line,
            seed,
            deaths = cycles.Deaths,
            withAllWritersAtWork = cycles.FullCycles,
            whileRecovering = cycles.DeathsWhileRecovering,
            blocksCompleted = cycles.CompletedBlocks.Sum(),
            fewestBlocksOfAWriter = cycles.CompletedBlocks.Min(),
            flushes = cycles.CompletedFlushes.Sum(),
            fewestFlushesOfAWriter = cycles.CompletedFlushes.Min(),
            failures = 0,
        }));
    }

    void MustNoticeLoss(Death death, string data)
    {
        using var server = new AshlarProcess(data, PoolSize);
        var cycles = new CrashCycles(server, death, seed: 1, VolumeBytes) { Through = client => new UnflushedClient(client) };
        var failure = Assert.Throws<CrashCycleException>(() => cycles.Run(20));
        output.WriteLine(failure.InnerException!.Message);
        Assert.Equal(Fault.Lost, Assert.IsType<FaultException>(failure.InnerException).Fault);
    }

    /// <summary>Says that it has flushed, and has not.</summary>
    sealed class UnflushedClient(IBlockClient client) : IBlockClient
    {
        public long SizeBytes => client.SizeBytes;

        public void Read(long offsetBytes, Span<byte> destination) => client.Read(offsetBytes, destination);

        public void Write(long offsetBytes, ReadOnlySpan<byte> source, bool forceUnitAccess) =>
            client.Write(offsetBytes, source, forceUnitAccess: false);

        public void Trim(long offsetBytes, long lengthBytes) => client.Trim(offsetBytes, lengthBytes);

        public void WriteZeroes(long offsetBytes, long lengthBytes) => client.WriteZeroes(offsetBytes, lengthBytes);

        public void Flush()
        {
            // Not passed on.
        }

        public void Dispose() => client.Dispose();
    }
}
