using System.Diagnostics;
using Ashlar.Interop.Tests.Clients;
using Ashlar.Interop.Tests.Server;
using Ashlar.Interop.Tests.Tools;

namespace Ashlar.Interop.Tests.KillCycles;

/// <summary>
/// Writers over both protocols, the server killed at a random moment, started again on the same data, every block judged
/// over both protocols; again and again on one data directory. The choices come from one seed; the moment of a kill also
/// depends on the machine's pace, so a replay repeats the choices, not the microsecond.
/// </summary>
sealed class KillCycleRun(AshlarProcess server, ulong seed, Action<string> report)
{
    const string Volume = "kill";
    const long VolumeSizeBytes = 256L << 20;
    const int WriterCount = 6, BlocksEach = 512;
    const int ReadBlocks = 128;
    static readonly TimeSpan JoinDeadline = TimeSpan.FromSeconds(60);

    readonly Ledger ledger = new(seed, WriterCount * BlocksEach);
    readonly BlockRange[] ranges = BlockRange.Split(WriterCount, BlocksEach, VolumeSizeBytes);
    TimeSpan lastStart = TimeSpan.FromSeconds(1);
    int startKills;

    public void Run(int cycles)
    {
        var cycle = 0;
        try
        {
            CreateVolume();
            for (; cycle < cycles; cycle++) RunCycle(cycle);
            StopCleanlyAndVerify(cycles);
        }
        catch (Exception exception)
        {
            throw new KillCycleException(
                $"cycle {cycle} of {cycles}, replay with ASHLAR_SEED={seed}: {exception.Message}\n---- server\n{server.Log}", exception);
        }
        report($$"""{"line":"kill-cycles","cycles":{{cycles}},"kills_during_start":{{startKills}},"seed":{{seed}},"blocks_completed":{{ledger.CompletedCount}},"flushes":{{ledger.FlushCount}},"failures":0}""");
    }

    /// <summary>The very first start makes the pool, and may die anywhere, too. A volume, once acknowledged, stays.</summary>
    void CreateVolume()
    {
        KillDuringStart(Seed.Fork(seed, -1));
        Start();
        server.CreateVolume(Volume, $"{VolumeSizeBytes}");
        server.Kill();
    }

    void RunCycle(int cycle)
    {
        var random = Seed.Fork(seed, cycle);
        if (random.Next(4) == 0) KillDuringStart(random);
        Start();
        VerifyAfterCrash(random);

        var ending = 0; // 1 from the instant at which errors are expected.
        var firstWrong = new TaskCompletionSource<string>();
        var threads = new Thread[WriterCount];
        var clients = new IBlockClient[WriterCount];
        var names = new string[WriterCount];
        var completedBefore = ledger.CompletedCount;
        try
        {
            for (var index = 0; index < WriterCount; index++)
            {
                var overNbd = index / 2 % 2 == index % 2; // Both protocols in every pair of neighbours and on both sides of it.
                var client = clients[index] = overNbd ? server.ConnectNbd(Volume) : server.ConnectIscsi(Volume, index);
                var writer = new Writer(index, overNbd ? "NBD" : "iSCSI", ranges[index], ledger, seed);
                names[index] = writer.Name;
                var choices = Seed.Fork(seed, cycle, index + 1);
                threads[index] = new Thread(() =>
                {
                    if (writer.Work(client, choices, cycle, () => Volatile.Read(ref ending) == 1) is { } wrong) firstWrong.TrySetResult(wrong);
                })
                { IsBackground = true, Name = writer.Name };
            }
            foreach (var thread in threads) thread.Start();
            WaitForRandomMoment(random, completedBefore, firstWrong.Task);
            if (!server.IsRunning && !firstWrong.Task.IsCompleted) throw new KillCycleException("the server ended by itself");
            Volatile.Write(ref ending, 1);
            server.Kill();
            for (var index = 0; index < WriterCount; index++)
                if (!threads[index].Join(JoinDeadline)) throw new KillCycleException($"{names[index]} hangs after the kill");
        }
        finally
        {
            // A client whose thread hangs in it is left alone: closing it under the thread would crash the test.
            for (var index = 0; index < WriterCount; index++)
                if (threads[index] is null || !threads[index].IsAlive) clients[index]?.Dispose();
        }
        if (firstWrong.Task.IsCompleted) throw new KillCycleException(firstWrong.Task.Result);
    }

    void Start()
    {
        var watch = Stopwatch.StartNew();
        server.Start();
        lastStart = watch.Elapsed;
    }

    /// <summary>Recovery must survive its own death, at any point and more than once.</summary>
    void KillDuringStart(Random random)
    {
        for (var times = 1 + random.Next(2); times > 0; times--)
        {
            server.Launch();
            if (server.EndsWithin(lastStart * (random.NextDouble() * 1.1))) throw new KillCycleException("the server ended while it started");
            server.Kill();
            startKills++;
        }
    }

    /// <summary>Either a while after the start or after so many answers, whichever the dice say; at once when a writer found a fault.</summary>
    void WaitForRandomMoment(Random random, long completedBefore, Task fault)
    {
        if (random.Next(2) == 0)
        {
            fault.Wait(TimeSpan.FromMilliseconds(random.Next(20, 900)));
            return;
        }
        var answers = (long)Math.Exp(random.NextDouble() * Math.Log(20_000));
        var deadline = Stopwatch.StartNew();
        while (ledger.CompletedCount - completedBefore < answers && deadline.ElapsedMilliseconds < 2_000 && !fault.IsCompleted)
            Thread.Yield();
    }

    void VerifyAfterCrash(Random random)
    {
        using var nbd = server.ConnectNbd(Volume);
        using var iscsi = server.ConnectIscsi(Volume, session: WriterCount);
        var first = random.Next(2) == 0;
        JudgeAll(first ? nbd : iscsi, settle: true);
        // Nobody writes now: the other protocol sees the same versions, none of those just ruled out.
        JudgeAll(first ? iscsi : nbd, settle: false);
        if (random.Next(4) > 0)
        {
            var mark = ledger.BeginFlush();
            (random.Next(2) == 0 ? nbd : iscsi).Flush();
            ledger.CompleteFlush(mark);
        }
    }

    void JudgeAll(IBlockClient client, bool settle)
    {
        var content = new byte[ReadBlocks * BlockStamp.SizeBytes];
        foreach (var range in ranges)
        {
            for (var done = 0; done < range.Count; done += ReadBlocks)
            {
                client.Read(range.OffsetOf(range.First + done), content);
                for (var index = 0; index < ReadBlocks; index++)
                {
                    var block = range.First + done + index;
                    var bytes = content.AsSpan(index * BlockStamp.SizeBytes, BlockStamp.SizeBytes);
                    var verdict = settle ? ledger.JudgeAfterCrash(block, bytes) : ledger.JudgeLive(block, bytes);
                    if (verdict.Fault != Fault.None) throw new KillCycleException(verdict.Explanation);
                    if (settle) ledger.SettleAfterCrash(block, verdict);
                }
            }
        }
    }

    void StopCleanlyAndVerify(int cycles)
    {
        Start();
        VerifyAfterCrash(Seed.Fork(seed, cycles));
        server.Stop();
        Start();
        using (var nbd = server.ConnectNbd(Volume)) JudgeAll(nbd, settle: false);
        using (var iscsi = server.ConnectIscsi(Volume, session: 0)) JudgeAll(iscsi, settle: false);
        server.Stop();
    }
}

sealed class KillCycleException : Exception
{
    public KillCycleException(string message) : base(message)
    {
    }

    public KillCycleException(string message, Exception cause) : base(message, cause)
    {
    }
}
