using Ashlar.KeyValue.Victim;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>Victims that are killed one after the other on the same store, and their judge.</summary>
sealed class KillCycles(ulong seed, Lie lie = Lie.None, bool isPortable = false)
{
    const int LivesOfAStore = 10;
    const int MostRecords = 8000; // Of a life that is to end at an operation and never comes to it.

    // Most moments of a store are before a write: each other kind of operation has its turn all the same. How often each comes in a
    // life that says a few hundred things bounds when it is fatal.
    static readonly (FaultOperations Operation, int Moments)[] Fatal =
    [
        (FaultOperations.Write, 200), (FaultOperations.Sync, 60), (FaultOperations.Open, 40), (FaultOperations.WriteBack, 60),
        (FaultOperations.SyncDirectory, 10), (FaultOperations.Delete, 10), (FaultOperations.Allocate, 5), (FaultOperations.SetLength, 5),
    ];

    // These come only when a store is created.
    static readonly FaultOperations[] FatalForNew = [FaultOperations.Rename, FaultOperations.CreateDirectory];

    readonly SeededRandom random = new(seed);
    readonly Dictionary<FaultOperations, int> killsBefore = Fatal.Select(each => each.Operation).Concat(FatalForNew)
        .ToDictionary(operation => operation, _ => 0);
    int fatalTurns;

    /// <summary>Lives that were judged.</summary>
    public int Lives { get; private set; }

    /// <summary>Kills that hit a process.</summary>
    public int Kills { get; private set; }

    /// <summary>Kills that hit a store while it recovered from the death before.</summary>
    public int KillsWhileRecovering { get; private set; }

    public int OrderlyCloses { get; private set; }

    public long Acknowledged { get; private set; }

    /// <summary>Kills of victims that had said that values were moved.</summary>
    public int KillsAfterMoves { get; private set; }

    public int BackupsJudged { get; private set; }

    /// <summary>Kills while a backup was being made.</summary>
    public int KillsDuringBackups { get; private set; }

    /// <summary>Kills right before each kind of operation on the disk.</summary>
    public IReadOnlyDictionary<FaultOperations, int> KillsBefore => killsBefore;

    /// <exception cref="LifeException">A life ended as none may.</exception>
    public void Run(int lives)
    {
        using var directory = new TemporaryDirectory();
        var before = new Dictionary<string, string>();
        var backups = new BackupJudge(seed, directory["restored"]);
        for (var life = 0; life < lives; life++)
        {
            if (life % LivesOfAStore == 0)
            {
                before = [];
                backups = new BackupJudge(seed, directory["restored"]);
            }

            var plan = Plan(directory[$"store-{life / LivesOfAStore}"], life);
            try
            {
                var history = Live(plan);
                var found = StoreCopy.Read(plan.Directory, directory["copy"], plan.Kind);
                Judges.Require(plan, before, history, Death.OfTheProcess, found);
                BackupsJudged += backups.Require(plan, before, history);
                before = found;
                Count(history, isNew: life % LivesOfAStore == 0);
            }
            catch (Exception cause)
            {
                throw new LifeException(seed, life, "", cause);
            }
        }
    }

    VictimPlan Plan(string store, int life)
    {
        var plan = new VictimPlan(store, seed, life) { Kind = (StoreKind)(life / LivesOfAStore % 3), Lie = lie, IsPortable = isPortable };
        // However slow the machine is: before the last death of a store everything has happened that it is there for.
        if (IsLast(life)) return plan;
        if (life % LivesOfAStore == 0)
            return plan with { EndBefore = FatalForNew[life / LivesOfAStore % FatalForNew.Length], EndAt = 1 };
        switch (random.Next(12))
        {
            case < 6:
                var (operation, moments) = Fatal[fatalTurns++ % Fatal.Length];
                return plan with { EndBefore = operation, EndAt = 1 + random.Next(moments) };
            case < 8: // A store changes the disk that often, and more, while it opens.
                return plan with { EndAt = 1 + random.Next(8) };
            case < 9:
                return plan with { CloseAfter = random.Next(10, 120) };
            default:
                return plan;
        }
    }

    static bool IsLast(int life) => life % LivesOfAStore == LivesOfAStore - 1;

    LifeHistory Live(VictimPlan plan)
    {
        var delay = TimeSpan.FromMilliseconds(random.Next(1, 100));
        var records = random.Next(1, 2000);
        using var victim = new VictimProcess(plan);
        victim.WaitUntilReady();
        victim.WaitUntilSaid(plan.EndAt > 0 ? MostRecords : records);
        if (plan is { EndAt: 0, CloseAfter: 0 }) victim.WaitUntilAllGoOn();
        if (plan.Kind == StoreKind.Collecting && IsLast(plan.Life)) victim.WaitUntilSaid(ReportKind.ValuesMoved, ReportKind.BackupDone);
        victim.WaitUntilEnded(delay);
        return victim.Kill();
    }

    void Count(LifeHistory history, bool isNew)
    {
        Lives++;
        Acknowledged += history.Acknowledged;
        if (history.ClosedAt is not null) OrderlyCloses++;
        if (!history.WasKilled) return;
        Kills++;
        if (history is { IsOpening: true, IsReady: false } && !isNew) KillsWhileRecovering++;
        if (history.MovedValueBytes > 0) KillsAfterMoves++;
        if (history.Backups is [.., { DoneAt: null }]) KillsDuringBackups++;
        if (history.EndedItselfAt is { } operation)
            killsBefore[(FaultOperations)operation] = killsBefore.GetValueOrDefault((FaultOperations)operation) + 1;
    }
}
