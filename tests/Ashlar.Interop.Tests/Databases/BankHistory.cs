using System.Globalization;

namespace Ashlar.Interop.Tests.Databases;

/// <summary>
/// What pgbench's clients were told: for each of them its transactions, one after the other, when each began and when it was answered.
/// The database writes down the same, client and number in every row of its history; so a copy of it can be judged to the transaction.
/// </summary>
sealed class BankHistory
{
    // pgbench reckons the time of day from a monotonic clock; the two may drift apart by so much.
    static readonly TimeSpan Drift = TimeSpan.FromMilliseconds(5);

    readonly Dictionary<int, List<(DateTimeOffset Begun, DateTimeOffset Answered)>> clients = [];

    /// <param name="lines">Of pgbench's log: client, number, microseconds that it took, script, second and microsecond of its end.</param>
    public BankHistory(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            var fields = line.Split(' ').Select(static field => long.Parse(field, CultureInfo.InvariantCulture)).ToArray();
            var answered = DateTimeOffset.FromUnixTimeSeconds(fields[4]).AddMicroseconds(fields[5]);
            if (!clients.TryGetValue((int)fields[0], out var transactions)) clients[(int)fields[0]] = transactions = [];
            transactions.Add((answered.AddMicroseconds(-fields[2]), answered));
        }
    }

    public int Count => clients.Values.Sum(static transactions => transactions.Count);

    public DateTimeOffset FirstBegun => clients.Values.Min(static transactions => transactions[0].Begun);

    public DateTimeOffset LastAnswered => clients.Values.Max(static transactions => transactions[^1].Answered);

    /// <summary>
    /// Null if a copy that was asked for and got at these times can be what it has, else what is wrong: all that was answered before
    /// must be there, nothing that began after, and of each client all up to some transaction.
    /// </summary>
    /// <param name="rows">One for each client: its number, how many rows it has, the lowest and the highest number in them.</param>
    /// <param name="asked">When the copy was asked for.</param>
    /// <param name="got">When it was there.</param>
    public string? WhyNot(IEnumerable<string> rows, DateTimeOffset asked, DateTimeOffset got)
    {
        var found = rows
            .Select(static row => row.Split('|').Select(static field => int.Parse(field, CultureInfo.InvariantCulture)).ToArray())
            .ToDictionary(static row => row[0]);
        foreach (var (client, transactions) in clients)
        {
            var (count, first, last) = found.TryGetValue(client, out var row) ? (row[1], row[2], row[3]) : (0, 1, 0);
            if (first != 1 || last != count)
                return $"client {client} has {count} transactions numbered {first} to {last}: some are missing";
            var least = transactions.Count(one => one.Answered < asked - Drift);
            var most = transactions.Count(one => one.Begun < got + Drift);
            if (count < least) return $"client {client} has {count} of {least} transactions that were answered before: lost";
            if (count > most) return $"client {client} has {count} transactions, and {most} had begun by then: invented";
        }

        return found.Keys.Except(clients.Keys).Select(static client => $"client {client} never was").FirstOrDefault();
    }
}
