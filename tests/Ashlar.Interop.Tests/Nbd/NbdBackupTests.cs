using System.Globalization;
using System.Text.RegularExpressions;
using Ashlar.Interop.Tests.Server;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Nbd;

/// <summary>The back-up of docs/operating/backup.md, as it stands there: a copy of a snapshot, and what has changed since.</summary>
public sealed partial class NbdBackupTests
{
    const int SizeBytes = 16 << 20;

    [FactIfTool("nbdcopy", "cmp", "python3-libnbd")]
    public async Task A_copy_of_a_snapshot_and_what_has_changed_since_is_the_next_snapshot()
    {
        var seed = TestSeeds.First(nameof(NbdBackupTests));
        var random = new SeededRandom(seed);
        using var directory = TemporaryDirectory.OnDisk();
        using var server = new AshlarProcess(directory["data"], "512MiB");
        server.Start();
        server.CreateVolume("disk", $"{SizeBytes}");
        using var http = new HttpClient { BaseAddress = server.Api };
        File.WriteAllText(directory["incremental.py"], ScriptPattern().Match(Page()).Groups["script"].Value);
        await ChangeAsync(server, http, random, writes: 60, "s0");
        var copy = directory["copy.img"];
        ExternalTool.Run("nbdcopy", server.NbdUri("disk@s0"), copy).MustSucceed();
        for (var step = 1; step <= 2; step++)
        {
            await ChangeAsync(server, http, random, writes: 10, $"s{step}");
            // What is written meanwhile is not of the snapshot.
            using (var client = server.ConnectNbd("disk"))
                client.Write(random.Next(SizeBytes - 4096), random.Bytes(4096), forceUnitAccess: false);
            var context = $"ashlar:dirty-since:s{step - 1}";
            var copied = ExternalTool.Run(
                "/usr/bin/python3", directory["incremental.py"], server.NbdUri($"disk@s{step}"), context, copy).MustSucceed();
            Assert.InRange(long.Parse(copied.Split(' ')[0], CultureInfo.InvariantCulture), 4096, SizeBytes / 2);
            var whole = directory["whole.img"];
            ExternalTool.Run("nbdcopy", server.NbdUri($"disk@s{step}"), whole).MustSucceed();
            Assert.True(ExternalTool.Run("cmp", copy, whole).ExitCode == 0, $"ASHLAR_SEED={seed}: s{step} is another");
            File.Delete(whole);
        }

        // Of a snapshot that is gone nobody is told anything.
        var refused = ExternalTool.Run(
            "/usr/bin/python3", directory["incremental.py"], server.NbdUri("disk@s2"), "ashlar:dirty-since:none", copy);
        Assert.Contains("has no ashlar:dirty-since:none", refused.Errors, StringComparison.Ordinal);
        server.Stop();
    }

    static async Task ChangeAsync(AshlarProcess server, HttpClient http, SeededRandom random, int writes, string snapshot)
    {
        using (var client = server.ConnectNbd("disk"))
        {
            for (var i = 0; i < writes; i++)
            {
                var data = random.Bytes(1 + random.Next(100_000));
                client.Write(random.Next(SizeBytes - data.Length), data, forceUnitAccess: false);
            }

            client.Trim(random.Next(15) << 20, 1 << 20);
        }

        using var body = new StringContent($$"""{"snapshots":[{"volume":"disk","name":"{{snapshot}}"}]}""");
        body.Headers.ContentType = new("application/json");
        (await http.PostAsync(new Uri("v1/pools/main/snapshots", UriKind.Relative), body)).EnsureSuccessStatusCode();
    }

    static string Page() => File.ReadAllText(Path.Combine(Repository.Root, "docs", "operating", "backup.md"));

    [GeneratedRegex("```python\n(?<script>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ScriptPattern();
}
