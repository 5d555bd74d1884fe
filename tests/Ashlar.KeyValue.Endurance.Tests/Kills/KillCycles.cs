using System.Collections.Concurrent;
using Ashlar.KeyValue.Victim;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>Victims that are killed one after the other on the same store, and their judge.</summary>
sealed class KillCycles(ulong seed, Lie lie = Lie.None)
{
    const int LivesOfAStore = 10;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly SeededRandom random = new(seed);
    readonly Dictionary<FaultOperations, int> killsBefore = [];

    public int Kills { get; private set; }

    public int KillsWhileOpening { get; private set; }

    public int OrderlyCloses { get; private set; }

    public long Acknowledged { get; private set; }

    /// <summary>Kills of victims that had said that values were moved.</summary>
    public int KillsAfterMoves { get; private set; }

    public int BackupsJudged { get; private set; }

    /// <summary>Kills while a backup was being made.</summary>
    public int KillsDuringBackups { get; private set; }

    /// <summary>Kills right before each kind of operation on the disk.</summary>
    public IReadOnlyDictionary<FaultOperations, int> KillsBefore => killsBefore;

    public void Run(int cycles)
    {
        using var directory = new TemporaryDirectory();
        var before = new Dictionary<string, string>();
        var backups = new BackupJudge(seed, directory["restored"]);
        for (var life = 0; life < cycles; life++)
        {
            if (life % LivesOfAStore == 0)
            {
                before = [];
                backups = new BackupJudge(seed, directory["restored"]);
            }

            var plan = new VictimPlan(directory[$"store-{life / LivesOfAStore}"], seed, life)
            {
                KillAt = !IsLast(life) && random.OneIn(2) ? random.Next(1, 600) : 0,
                CloseAfter = !IsLast(life) && random.OneIn(6) ? random.Next(10, 120) : 0,
                Kind = (StoreKind)(life / LivesOfAStore % 3),
                Lie = lie,
            };
            try
            {
                var history = Live(plan);
                if (history.Failures > 0 && plan.CloseAfter == 0) throw new JudgeException("A call failed, though nothing was wrong with the disk.");
                var found = StoreCopy.Read(plan.Directory, directory["copy"], plan.Kind);
                Judges.Require(plan, before, history, Death.OfTheProcess, found);
                BackupsJudged += backups.Require(plan, before, history);
                before = found;
                Count(history);
            }
            catch (Exception cause)
            {
                throw new InvalidOperationException($"Seed {seed}, life {life}: {cause.Message}", cause);
            }
        }
    }

    // However slow the machine is: before the last death of a store everything has happened that it is there for.
    static bool IsLast(int life) => life % LivesOfAStore == LivesOfAStore - 1;

    LifeHistory Live(VictimPlan plan)
    {
        var delay = TimeSpan.FromMilliseconds(random.Next(1, 100));
        var records = random.OneIn(2) ? random.Next(1, 2000) : 0;
        var whileOpening = random.OneIn(5);
        using var victim = new VictimProcess(plan);
        if (plan.KillAt > 0)
        {
            victim.WaitUntilReady(Patience);
            victim.WaitUntilEnded(TimeSpan.FromMilliseconds(700));
        }
        else
        {
            // The runtime takes about as long to start as it takes here to wait without being ready.
            if (!whileOpening && victim.WaitUntilReady(Patience)) victim.WaitUntilSaid(records, TimeSpan.FromSeconds(10));
            if (plan.Kind == StoreKind.Collecting && IsLast(plan.Life)) victim.WaitUntilSaid([ReportKind.ValuesMoved, ReportKind.BackupDone], Patience);
            victim.WaitUntilEnded(delay);
        }

        return victim.Kill();
    }

    void Count(LifeHistory history)
    {
        Kills++;
        Acknowledged += history.Acknowledged;
        if (!history.IsReady) KillsWhileOpening++;
        if (history.ClosedAt is not null) OrderlyCloses++;
        if (history.MovedValueBytes > 0) KillsAfterMoves++;
        if (history.Backups is [.., { DoneAt: null }]) KillsDuringBackups++;
        if (history.KilledItselfAt is not { } operation) return;
        killsBefore[(FaultOperations)operation] = killsBefore.GetValueOrDefault((FaultOperations)operation) + 1;
    }
}
