using System.Text.Json;
using Ashlar.Interop.Tests.Crashes;
using Ashlar.Interop.Tests.S3;
using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.Files;

/// <summary>
/// A server of files dies while clients put, replace, delete and upload in parts, and is started again: what was answered is there, whole,
/// and every file has verified copies.
/// </summary>
public sealed class FileServerCrashTests(ITestOutputHelper output)
{
    static readonly int Kills = TestTier.Choose(3, 60);
    static readonly int PowerCuts = TestTier.Choose(2, 100);

    [Fact]
    public async Task What_was_answered_survives_kills_at_any_moment()
    {
        using var directory = TemporaryDirectory.OnDisk();
        await RunAsync("file server kills", directory["data"], new Kill(), Kills);
    }

    [PowerCutFact]
    public async Task What_was_answered_survives_power_cuts_of_a_real_file_system()
    {
        using var volume = new LoopVolume(mebibytes: 512);
        await RunAsync("file server power cuts", Path.Combine(volume.MountPoint, "data"), new PowerCut(volume), PowerCuts);
    }

    [Fact]
    public async Task A_file_that_is_gone_is_noticed_as_a_loss()
    {
        using var directory = TemporaryDirectory.OnDisk();
        var found = await Assert.ThrowsAsync<FileLossException>(() => RunAsync("planted loss", directory["data"], new Kill(), 1, ledger =>
            ledger.Answered("bucket/never", FileLedger.Hash([1]))));
        output.WriteLine(found.Message);
    }

    async Task RunAsync(string line, string data, Death death, int cycles, Action<FileLedger>? plant = null)
    {
        var seed = TestSeeds.First(line);
        using var server = new AshlarProcess(data, "64MiB");
        server.Start();
        for (var i = 1; i < 3; i++) server.Command("node", "add", $"disk{i}", Path.Combine(data, $"../disk{i}"));
        var ledger = new FileLedger();
        var random = new Random((int)(seed & int.MaxValue));
        var (hits, answered) = (0, 0);
        for (var cycle = 0; cycle < cycles; cycle++)
        {
            using (var writers = new FileWriters(server, ledger, seed + (ulong)cycle))
            {
                await writers.WaitUntilAnsweredAsync(least: 5);
                await Task.Delay(random.Next(400));
                if (death.Strike(server)) hits++;
                answered += await writers.EndAsync();
            }

            server.Start();
            plant?.Invoke(ledger);
            await ledger.CheckAsync(server);
            Assert.Contains("copies read and verified", server.Command("file", "verify", "--all"), StringComparison.Ordinal);
        }

        server.Stop();
        output.WriteLine(JsonSerializer.Serialize(new { line, seed, deaths = hits, answered, files = ledger.Count, failures = 0 }));
        Assert.Equal(cycles, hits);
    }
}
