using Ashlar.KeyValue.Victim;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>Victims whose file system loses power while they write, and their judge.</summary>
sealed class PowerCuts(ulong seed, string mountOptions, Lie lie = Lie.None)
{
    const int LivesOfAStore = 6;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly SeededRandom random = new(seed);

    public int Cuts { get; private set; }

    public int CutsWhileOpening { get; private set; }

    public long Acknowledged { get; private set; }

    /// <summary>Cuts under victims that had said that values were moved.</summary>
    public int CutsAfterMoves { get; private set; }

    public int BackupsJudged { get; private set; }

    /// <summary>Cuts while a backup was being made.</summary>
    public int CutsDuringBackups { get; private set; }

    public void Run(int cuts)
    {
        using var volume = new LoopVolume(mountOptions);
        using var outside = new TemporaryDirectory();
        var before = new Dictionary<string, string>();
        var store = "";
        var backups = new BackupJudge(seed, outside["restored"]);
        for (var life = 0; life < cuts; life++)
        {
            if (life % LivesOfAStore == 0)
            {
                foreach (var old in Directory.GetDirectories(volume.MountPoint, "store-*")) Directory.Delete(old, recursive: true);
                before = [];
                backups = new BackupJudge(seed, outside["restored"]);
                store = Path.Combine(volume.MountPoint, $"store-{life / LivesOfAStore}");
            }

            try
            {
                var plan = new VictimPlan(store, seed, life)
                {
                    CloseAfter = !IsLast(life) && random.OneIn(6) ? random.Next(10, 120) : 0,
                    Kind = (StoreKind)(life / LivesOfAStore % 3),
                    Lie = lie,
                };
                var history = LiveUntilPowerFails(volume, plan);
                var found = StoreCopy.Read(store, outside["copy"], plan.Kind);
                Judges.Require(plan, before, history, Death.OfTheMachine, found);
                BackupsJudged += backups.Require(plan, before, history);
                before = found;
                Cuts++;
                Acknowledged += history.Acknowledged;
                if (!history.IsReady) CutsWhileOpening++;
                if (history.MovedValueBytes > 0) CutsAfterMoves++;
                if (history.Backups is [.., { DoneAt: null }]) CutsDuringBackups++;
            }
            catch (Exception cause)
            {
                throw new InvalidOperationException($"Seed {seed}, life {life}, mount options '{mountOptions}': {cause.Message}", cause);
            }
        }
    }

    // However slow the machine is: before the last death of a store everything has happened that it is there for.
    static bool IsLast(int life) => life % LivesOfAStore == LivesOfAStore - 1;

    LifeHistory LiveUntilPowerFails(LoopVolume volume, VictimPlan plan)
    {
        var records = random.Next(2, 1000);
        var whileOpening = random.OneIn(6);
        using var victim = new VictimProcess(plan);
        if (whileOpening) victim.WaitUntilEnded(TimeSpan.FromMilliseconds(random.Next(50, 250)));
        else if (victim.WaitUntilReady(Patience)) victim.WaitUntilSaid(records, TimeSpan.FromSeconds(10));
        if (plan.Kind == StoreKind.Collecting && IsLast(plan.Life)) victim.WaitUntilSaid([ReportKind.ValuesMoved, ReportKind.BackupDone], Patience);
        // A flush that is under way when the file system is shut down may report success to a process that in a real power
        // cut would not be there any more. So nobody may be.
        var said = victim.Freeze();
        volume.CutPower();
        // Some live on to see their next writes fail, which they must not take for success.
        if (random.OneIn(3))
        {
            victim.Thaw();
            victim.WaitUntilEnded(TimeSpan.FromMilliseconds(20));
        }

        var history = victim.Kill(mayFail: true, powerCutAt: said);
        volume.Remount();
        return history;
    }
}
