using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Victim;

/// <summary>Opens the store and writes from several threads, until somebody ends it.</summary>
sealed partial class VictimLife(VictimPlan plan, VictimReport report)
{
    // Nobody lives for ever: a victim whose killer died ends by itself.
    static readonly TimeSpan LongestLife = TimeSpan.FromMinutes(5);

    const int BackupsKept = 3;
    const int StopSignal = 19, KillSignal = 9;

    int operations;
    VictimStore? store;

    public int Run()
    {
        var disk = plan.Disk(Count);
        report.Say(ReportKind.Opening);
        store = VictimStore.Open(plan.Directory, plan.Kind, disk, new SeededEntropy(plan.Seed + (ulong)plan.Life));
        report.Say(ReportKind.Ready);
        var threads = Enumerable.Range(0, VictimWorkload.Threads).Select(number => Start(number, WriterOf(number))).ToList();
        if (plan.Kind == StoreKind.Collecting) threads.Add(Start(VictimWorkload.Threads, _ => BackUp(disk)));
        if (plan.CloseAfter > 0)
        {
            Thread.Sleep(plan.CloseAfter);
            report.Say(ReportKind.Closing);
            store.Dispose();
            report.Say(ReportKind.Closed);
        }

        var deadline = Stopwatch.GetTimestamp() + (long)(LongestLife.TotalSeconds * Stopwatch.Frequency);
        foreach (var thread in threads) thread.Join(Math.Max(1, (int)((deadline - Stopwatch.GetTimestamp()) * 1000 / Stopwatch.Frequency)));
        return 0;
    }

    Thread Start(int number, Action<int> work)
    {
        var thread = new Thread(() => Run(number, work)) { IsBackground = true };
        thread.Start();
        return thread;
    }

    void Run(int thread, Action<int> work)
    {
        try
        {
            work(thread);
        }
        catch (Exception error) when (error is ObjectDisposedException or AshlarException)
        {
            report.Say(ReportKind.Failed, thread);
        }
    }

    Action<int> WriterOf(int thread) => thread == VictimWorkload.AsynchronousThread ? WriteOutstanding : WriteOneByOne;

    void WriteOneByOne(int thread)
    {
        var own = new Dictionary<string, string?>();
        var batch = new WriteBatch();
        for (var index = 0; ; index++)
        {
            var operation = VictimWorkload.Operation(plan.Seed, plan.Life, thread, index);
            report.Say(ReportKind.Begun, thread, index);
            if (operation.IsSync) store!.Sync();
            else if (operation.Changes is [var change]) WriteOne(change, operation.Durability);
            else store!.Write(Fill(batch, operation), operation.Durability);
            report.Say(ReportKind.Acknowledged, thread, index);
            CheckOwn(own, operation, thread, index);
            if (thread != 1) continue;
            if (index % 16 == 15 && store!.GetStatistics().MovedValueBytes is > 0 and var moved)
                report.Say(ReportKind.ValuesMoved, thread, (int)moved);
            if (index % 300 == 299) store!.Flush();
            if (index % 900 == 899) store!.Compact();
        }
    }

    void WriteOne(Change change, Durability durability)
    {
        if (change.Value is { } value) store!.Put(change.Key, value, durability);
        else store!.Delete(change.Key, durability);
    }

    // Only what is new is copied, so this goes on all the time; old backups go, and with them files that no other one needs.
    void BackUp(IFileSystem disk)
    {
        var backups = new KeyValueBackups(plan.BackupDirectory, new() { FileSystem = disk });
        while (true)
        {
            report.Say(ReportKind.BackupBegun, VictimWorkload.Threads);
            var made = (int)store!.BackUp(plan.BackupDirectory).Number;
            report.Say(ReportKind.BackupDone, VictimWorkload.Threads, made);
            foreach (var old in backups.List().SkipLast(BackupsKept).Select(backup => backup.Number))
            {
                report.Say(ReportKind.BackupDeleted, VictimWorkload.Threads, (int)old);
                backups.Delete(old);
            }
        }
    }

    void WriteOutstanding(int thread)
    {
        var outstanding = new Queue<(Task Write, WriteBatch Batch, int Index)>();
        for (var index = 0; ; index++)
        {
            var operation = VictimWorkload.Operation(plan.Seed, plan.Life, thread, index);
            var batch = outstanding.Count < VictimWorkload.Outstanding ? new WriteBatch() : Complete(outstanding.Dequeue());
            report.Say(ReportKind.Begun, thread, index);
            outstanding.Enqueue((store!.WriteAsync(Fill(batch, operation), operation.Durability), batch, index));
            // Outstanding writes keep their order, but those with salted keys queue apart.
            if (plan.Kind == StoreKind.Sharded
                && operation.Changes.Any(change => change.Key.StartsWith(VictimWorkload.SharedPrefix, StringComparison.Ordinal)))
            {
                while (outstanding.TryDequeue(out var write)) Complete(write);
            }
        }

        WriteBatch Complete((Task Write, WriteBatch Batch, int Index) oldest)
        {
            oldest.Write.GetAwaiter().GetResult();
            report.Say(ReportKind.Acknowledged, thread, oldest.Index);
            return oldest.Batch;
        }
    }

    WriteBatch Fill(WriteBatch batch, VictimOperation operation)
    {
        batch.Clear();
        foreach (var (key, value) in operation.Changes)
        {
            var bytes = Encoding.UTF8.GetBytes(key);
            // What has expired when it is written deletes, and what expires late does not expire: the judge needs no clock. Salted
            // keys cannot expire.
            var mayExpire = plan.Kind != StoreKind.Sharded || !key.StartsWith(VictimWorkload.SharedPrefix, StringComparison.Ordinal);
            if (value is null && mayExpire && key[^1] % 3 == 0) batch.Put(bytes, "expired"u8, DateTimeOffset.UnixEpoch.AddDays(1));
            else if (value is null) batch.Delete(bytes);
            else if (mayExpire && value.Length % 4 == 0) batch.Put(bytes, Encoding.UTF8.GetBytes(value), DateTimeOffset.MaxValue);
            else batch.Put(bytes, Encoding.UTF8.GetBytes(value));
        }

        return batch;
    }

    void CheckOwn(Dictionary<string, string?> own, VictimOperation operation, int thread, int index)
    {
        foreach (var (key, value) in operation.Changes)
        {
            if (key.StartsWith(VictimWorkload.SharedPrefix, StringComparison.Ordinal)) continue;
            own[key] = value;
            if (index % 7 != 0) continue;
            var found = store!.Get(key);
            if ((found is null ? null : Encoding.UTF8.GetString(found)) != value) report.Say(ReportKind.WrongRead, thread, index);
        }
    }

    void Count(FaultOperations operation, string path)
    {
        if (plan.EndAt == 0 || !plan.EndBefore.HasFlag(operation)) return;
        if (plan.EndsInBackup && !path.StartsWith(plan.BackupDirectory, StringComparison.Ordinal)) return;
        if (Interlocked.Increment(ref operations) != plan.EndAt) return;
        report.Say(ReportKind.EndsItself, 0, (int)operation);
        _ = Signal(Environment.ProcessId, plan.Pauses ? StopSignal : KillSignal);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int processId, int signal);
}
