using System.Diagnostics;
using Ashlar.Interop.Tests.Databases;
using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.Snapshots;

/// <summary>Snapshots of a disk whose database is at work: nobody stops it, and what was answered is in them.</summary>
public sealed class DatabaseSnapshotTests(ITestOutputHelper output)
{
    static readonly int Snapshots = TestTier.Choose(1, 6);

    static readonly int SecondsOfWork = TestTier.Choose(16, 120);

    [NbdMountFact("postgres", "initdb", "psql", "pgbench", "pg_amcheck", "pg_checksums", "setpriv")]
    public async Task A_snapshot_of_a_database_at_work_recovers_to_what_was_answered_and_the_database_works_on()
    {
        using var directory = TemporaryDirectory.OnDisk();
        using var server = new AshlarProcess(directory["data"], "4GiB");
        server.Start();
        server.CreateVolume("database", "1GiB");
        using var http = new HttpClient { BaseAddress = server.Api };
        using var disk = new NbdMount(server.NbdUri("database"), isNew: true);
        using var cluster = new PostgresCluster(disk.MountPoint, directory["sockets"]);
        cluster.Create();
        cluster.Start();
        Bank.Create(cluster);
        var seed = TestSeeds.First(nameof(DatabaseSnapshotTests));
        output.WriteLine($"seed {seed}");

        var work = Bank.RunAsync(cluster, SecondsOfWork, seed, directory["sockets"]);
        var checkpoints = Bank.CheckpointAsync(cluster, SecondsOfWork, directory["sockets"]);
        var copies = new List<(string[] Transfers, DateTimeOffset Asked, DateTimeOffset Got)>();
        for (var number = 1; number <= Snapshots; number++)
        {
            await Task.Delay(TimeSpan.FromSeconds(SecondsOfWork / (Snapshots + 2.0)));
            while (!Bank.HasTransfers(cluster, 100 * number)) Assert.False(work.IsCompleted, "pgbench ended before the snapshot");
            var asked = DateTimeOffset.UtcNow;
            await PostAsync(http, "snapshots", $$"""{"snapshots":[{"volume":"database","name":"s{{number}}"}]}""");
            var got = DateTimeOffset.UtcNow;
            Assert.False(work.IsCompleted, "pgbench ended before the snapshot");
            await PostAsync(http, $"volumes/database/snapshots/s{number}/clone", $$"""{"name":"copy{{number}}"}""");
            copies.Add((Recover(server.NbdUri($"copy{number}"), directory[$"sockets{number}"]), asked, got));
        }

        var history = await work;
        await checkpoints;
        output.WriteLine($"{history.Count} transactions");
        foreach (var (transfers, asked, got) in copies)
        {
            output.WriteLine($"a snapshot in {(got - asked).TotalMilliseconds:0} ms has {string.Join(' ', transfers)}");
            Assert.Null(history.WhyNot(transfers, asked, got));
            // A snapshot that came too late, or too early, would be noticed.
            Assert.NotNull(history.WhyNot(transfers, history.LastAnswered, history.LastAnswered));
            Assert.NotNull(history.WhyNot(transfers, history.FirstBegun, history.FirstBegun));
        }

        Assert.Null(Bank.WhyNotBalanced(cluster));
        Assert.Null(history.WhyNot(Bank.Transfers(cluster), history.LastAnswered, history.LastAnswered));
        cluster.Stop();
        // Not of copies: what PostgreSQL does not log, such as maps of free space, may be torn in them, as after a power cut.
        cluster.CheckPages();
    }

    // The disk as it was, written to by a second server while the first works on.
    static string[] Recover(string uri, string socketDirectory)
    {
        using var disk = new NbdMount(uri, isNew: false);
        using var cluster = new PostgresCluster(disk.MountPoint, socketDirectory);
        cluster.ForgetOwner();
        cluster.Start();
        Assert.Contains("automatic recovery in progress", cluster.Log, StringComparison.Ordinal);
        cluster.RunClient("pg_amcheck", "--all", "--install-missing", "--heapallindexed").MustSucceed();
        Assert.Null(Bank.WhyNotBalanced(cluster));
        var transfers = Bank.Transfers(cluster);
        cluster.Query("UPDATE pgbench_branches SET bbalance = bbalance + 1 WHERE bid = 1");
        Assert.NotNull(Bank.WhyNotBalanced(cluster));
        cluster.Stop();
        return transfers;
    }

    static async Task PostAsync(HttpClient http, string route, string json)
    {
        using var body = new StringContent(json, null, "application/json");
        using var answer = await http.PostAsync($"v1/pools/main/{route}", body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
