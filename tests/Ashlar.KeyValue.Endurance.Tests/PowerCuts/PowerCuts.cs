using Ashlar.KeyValue.Victim;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>Victims whose file system loses power while they write, and their judge.</summary>
sealed class PowerCuts(ulong seed, string mountOptions, Lie lie = Lie.None, bool isPortable = false)
{
    const int LivesOfAStore = 4;

    readonly SeededRandom random = new(seed);

    public int Cuts { get; private set; }

    /// <summary>Cuts under a store that recovered from the death before.</summary>
    public int CutsWhileRecovering { get; private set; }

    public long Acknowledged { get; private set; }

    /// <summary>Cuts under victims that had said that values were moved.</summary>
    public int CutsAfterMoves { get; private set; }

    public int BackupsJudged { get; private set; }

    /// <summary>Cuts while a backup was being made.</summary>
    public int CutsDuringBackups { get; private set; }

    /// <summary>Calls that victims began without power, each of which was judged.</summary>
    public int BegunWithoutPower { get; private set; }

    /// <exception cref="LifeException">A life ended as none may.</exception>
    public void Run(int cuts)
    {
        using var volume = new LoopVolume(mountOptions);
        using var outside = new TemporaryDirectory();
        var before = new Dictionary<string, string>();
        var store = "";
        var backups = new BackupJudge(seed, outside["restored"]);
        for (var life = 0; life < cuts; life++)
        {
            var isNew = life % LivesOfAStore == 0;
            if (isNew)
            {
                foreach (var old in Directory.GetDirectories(volume.MountPoint, "store-*")) Directory.Delete(old, recursive: true);
                before = [];
                backups = new BackupJudge(seed, outside["restored"]);
                store = Path.Combine(volume.MountPoint, $"store-{life / LivesOfAStore}");
            }

            try
            {
                var plan = Plan(store, life);
                var history = LiveUntilPowerFails(volume, plan);
                var found = StoreCopy.Read(store, outside["copy"], plan.Kind);
                Judges.Require(plan, before, history, Death.OfTheMachine, found);
                BackupsJudged += backups.Require(plan, before, history);
                before = found;
                Count(history, isNew);
            }
            catch (Exception cause)
            {
                if (volume.WhyBroken is { } broken) throw new BrokenVolumeException(broken, cause);
                throw new LifeException(seed, life, $" on ext4 mounted with '{mountOptions}'", cause);
            }
        }
    }

    VictimPlan Plan(string store, int life)
    {
        var plan = new VictimPlan(store, seed, life) { Kind = (StoreKind)(life / LivesOfAStore % 3), Lie = lie, IsPortable = isPortable };
        return (life % LivesOfAStore) switch
        {
            // While it recovers from the cut before: a store changes the disk that often, and more, while it opens.
            2 => plan with { EndAt = 1 + random.Next(8), Pauses = true },
            1 when plan.Kind == StoreKind.Collecting => plan with { EndAt = 1 + random.Next(20), EndsInBackup = true, Pauses = true },
            1 when random.OneIn(2) => plan with { CloseAfter = random.Next(10, 120) },
            _ => plan,
        };
    }

    LifeHistory LiveUntilPowerFails(LoopVolume volume, VictimPlan plan)
    {
        // The first segment of a log is enough to lose what was promised; where later ones have lost something, the store does not open.
        var records = random.Next(2, lie == Lie.None ? 1000 : 120);
        using var victim = new VictimProcess(plan);
        if (plan.Pauses)
        {
            victim.WaitUntilSaid(ReportKind.EndsItself);
        }
        else
        {
            victim.WaitUntilReady();
            victim.WaitUntilSaid(records);
            // However slow the machine is: before the last death of a store everything has happened that it is there for.
            if (plan.Kind == StoreKind.Collecting && plan.Life % LivesOfAStore == LivesOfAStore - 1)
                victim.WaitUntilSaid(ReportKind.ValuesMoved, ReportKind.BackupDone);
        }

        // A flush that is under way when the file system is shut down may report success to a process that in a real power
        // cut would not be there any more. So nobody may be.
        var said = victim.Freeze();
        volume.CutPower();
        // Some live on to see their next writes fail, which they must not take for success.
        if (random.OneIn(2)) victim.Thaw(said);
        var history = victim.KillWithoutPower(said);
        volume.Remount();
        return history;
    }

    void Count(LifeHistory history, bool isNew)
    {
        Cuts++;
        Acknowledged += history.Acknowledged;
        BegunWithoutPower += history.BegunWithoutPower;
        if (history is { IsOpening: true, IsReady: false } && !isNew) CutsWhileRecovering++;
        if (history.MovedValueBytes > 0) CutsAfterMoves++;
        if (history.Backups is [.., { DoneAt: null }]) CutsDuringBackups++;
    }
}
