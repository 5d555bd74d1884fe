using Ashlar.KeyValue.Victim;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>The judge of backups is shown what it must not accept, and what it must.</summary>
public sealed class BackupJudgeTests : IDisposable
{
    const ulong Seed = 1;

    readonly TemporaryDirectory directory = new();
    readonly List<ReportRecord> records = [new(ReportKind.Ready, 0, 0)];

    VictimPlan Plan => new(directory["store"], Seed, 0) { Kind = StoreKind.Collecting };

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_backup_of_all_that_was_acknowledged_is_accepted_also_when_nobody_heard_of_its_end()
    {
        Write(6, BackUp);
        Assert.Equal(1, Judge().Require(Plan, NoKeys, new LifeHistory(records)));
        Assert.Equal(1, Judge().Require(Plan, NoKeys, new LifeHistory(records.Where(record => record.Kind != ReportKind.BackupDone))));
    }

    [Fact]
    public void A_backup_that_is_gone_is_noticed_unless_its_deletion_was_begun()
    {
        Write(6, BackUp);
        var judge = Judge();
        judge.Require(Plan, NoKeys, new LifeHistory(records));
        new KeyValueBackups(Plan.BackupDirectory).Delete(1);
        Assert.Throws<JudgeException>(() => judge.Require(Plan, NoKeys, new LifeHistory([])));
        Assert.Equal(0, judge.Require(Plan, NoKeys, new LifeHistory([new(ReportKind.BackupDeleted, 0, 1)])));
    }

    [Fact]
    public void A_backup_whose_deletion_died_may_be_there_for_ever_as_it_was()
    {
        Write(6, BackUp);
        var judge = Judge();
        Assert.Equal(1, judge.Require(Plan, NoKeys, new LifeHistory(records)));
        Assert.Equal(0, judge.Require(Plan, NoKeys, new LifeHistory([new(ReportKind.BackupDeleted, 0, 1)])));
        Assert.Equal(0, judge.Require(Plan, NoKeys, new LifeHistory([])));
    }

    [Fact]
    public void A_backup_without_a_write_that_was_acknowledged_before_it_began_is_noticed()
    {
        Write(6, BackUp);
        var begun = records.FindIndex(record => record.Kind == ReportKind.BackupBegun);
        var lost = Enumerable.Range(6, 20).SelectMany(index => new ReportRecord[] { new(ReportKind.Begun, 0, index), new(ReportKind.Acknowledged, 0, index) });
        records.InsertRange(begun, lost);
        Assert.Throws<JudgeException>(() => Judge().Require(Plan, NoKeys, new LifeHistory(records)));
    }

    [Fact]
    public void A_backup_with_a_write_that_began_after_its_end_is_noticed()
    {
        Write(30, BackUp);
        // As if it had ended before most of them began.
        var backup = records.Where(record => record.Kind is ReportKind.BackupBegun or ReportKind.BackupDone).ToArray();
        records.RemoveAll(backup.Contains);
        records.InsertRange(5, backup);
        Assert.Throws<JudgeException>(() => Judge().Require(Plan, NoKeys, new LifeHistory(records)));
    }

    [Fact]
    public void A_damaged_backup_is_noticed()
    {
        Write(30, BackUp);
        var log = Directory.GetFiles(Plan.BackupDirectory, "log-*").MaxBy(file => new FileInfo(file).Length)!;
        var bytes = File.ReadAllBytes(log);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(log, bytes);
        Assert.Throws<JudgeException>(() => Judge().Require(Plan, NoKeys, new LifeHistory(records)));
    }

    static readonly Dictionary<string, string> NoKeys = [];

    BackupJudge Judge() => new(Seed, directory["restored"]);

    void Write(int count, Action<VictimStore> then)
    {
        using var store = VictimStore.Open(Plan.Directory, Plan.Kind);
        for (var index = 0; index < count; index++)
        {
            records.Add(new(ReportKind.Begun, 0, index));
            var batch = new WriteBatch();
            foreach (var (key, value) in VictimWorkload.Operation(Seed, 0, 0, index).Changes)
            {
                if (value is null) batch.Delete(System.Text.Encoding.UTF8.GetBytes(key));
                else batch.Put(System.Text.Encoding.UTF8.GetBytes(key), System.Text.Encoding.UTF8.GetBytes(value));
            }

            store.Write(batch, Durability.Relaxed);
            records.Add(new(ReportKind.Acknowledged, 0, index));
        }

        then(store);
    }

    void BackUp(VictimStore store)
    {
        records.Add(new(ReportKind.BackupBegun, 0, 0));
        store.BackUp(Plan.BackupDirectory);
        records.Add(new(ReportKind.BackupDone, 0, 1));
    }
}
