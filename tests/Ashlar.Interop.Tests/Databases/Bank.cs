using System.Globalization;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Databases;

/// <summary>pgbench's bank: accounts, tellers and branches, whose balances and the history of transfers add up to the same.</summary>
static class Bank
{
    const int Branches = 2, Clients = 4;

    // pgbench's own transaction, which says in the history whose it is.
    const string Transfer =
        """
        \set number :number + 1
        \set aid random(1, 100000 * :scale)
        \set bid random(1, 1 * :scale)
        \set tid random(1, 10 * :scale)
        \set delta random(-5000, 5000)
        BEGIN;
        UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
        UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;
        UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;
        INSERT INTO pgbench_history (tid, bid, aid, delta, mtime, filler)
            VALUES (:tid, :bid, :aid, :delta, CURRENT_TIMESTAMP, :client_id || ' ' || :number);
        END;
        """;

    public static void Create(PostgresCluster cluster) =>
        cluster.RunClient("pgbench", "--initialize", "--quiet", "--scale", $"{Branches}").MustSucceed();

    /// <summary>Transfers for so many seconds, and then what the clients were told.</summary>
    /// <param name="cluster">Where the bank is.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="seed">Of what is transferred.</param>
    /// <param name="directory">For script and log; postgres may write to it.</param>
    public static Task<BankHistory> RunAsync(PostgresCluster cluster, int seconds, ulong seed, string directory)
    {
        var (script, log) = (Path.Combine(directory, "transfer.sql"), Path.Combine(directory, "transfers"));
        File.WriteAllText(script, Transfer);
        return Task.Factory.StartNew(
            () =>
            {
                cluster.RunClient(
                    "pgbench", "--client", $"{Clients}", "--time", $"{seconds}", "--scale", $"{Branches}", "--define", "number=0",
                    "--random-seed", $"{seed % int.MaxValue}", "--no-vacuum",
                    "--file", script, "--log", "--log-prefix", log).MustSucceed();
                return new BankHistory(Directory.GetFiles(directory, "transfers.*").SelectMany(File.ReadLines));
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>A checkpoint each half second: data, log and control file change, and in an order that recovery relies on.</summary>
    public static Task CheckpointAsync(PostgresCluster cluster, int seconds, string directory)
    {
        var script = Path.Combine(directory, "checkpoint.sql");
        File.WriteAllText(script, "CHECKPOINT;\n");
        return Task.Factory.StartNew(
            () => cluster.RunClient("pgbench", "--time", $"{seconds}", "--rate", "2", "--no-vacuum", "--file", script).MustSucceed(),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Null if the four sums are equal, else what they are.</summary>
    public static string? WhyNotBalanced(PostgresCluster cluster)
    {
        var sums = cluster.Query(
            """
            SELECT (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(tbalance) FROM pgbench_tellers),
                (SELECT sum(bbalance) FROM pgbench_branches), (SELECT sum(delta) FROM pgbench_history)
            """).Single();
        return sums.Split('|').Distinct().Count() == 1 ? null : $"accounts, tellers, branches and history add up to {sums}";
    }

    /// <summary>Whether so many at least are done.</summary>
    public static bool HasTransfers(PostgresCluster cluster, int count) =>
        int.Parse(cluster.Query("SELECT count(*) FROM pgbench_history").Single(), CultureInfo.InvariantCulture) >= count;

    /// <summary>A row for each client, as <see cref="BankHistory.WhyNot"/> takes them.</summary>
    public static string[] Transfers(PostgresCluster cluster) => cluster.Query(
        """
        SELECT client, count(DISTINCT number), min(number), max(number) FROM (
            SELECT split_part(filler, ' ', 1)::int AS client, split_part(filler, ' ', 2)::int AS number FROM pgbench_history) AS transfers
        GROUP BY client ORDER BY client
        """);
}
