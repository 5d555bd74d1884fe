using System.Diagnostics;
using Ashlar.Interop.Tests.Clients;
using Ashlar.Interop.Tests.Server;
using Ashlar.Simulation;

namespace Ashlar.Interop.Tests.Crashes;

/// <summary>
/// Writers over both protocols, the server dead at a random moment, started again on the same data, every block judged
/// over both protocols; again and again on one data directory. The choices come from one seed; the moment of a death also
/// depends on the machine's pace, so a replay repeats the choices, not the microsecond.
/// </summary>
sealed class CrashCycles(AshlarProcess server, Death death, ulong seed, long volumeSizeBytes)
{
    const string Volume = "crash";
    const int WriterCount = 6, BlocksEach = 512;
    const int ReadBlocks = 128;

    readonly Ledger ledger = new(seed, WriterCount * BlocksEach, death.LosesNothing);
    readonly BlockRange[] ranges = BlockRange.Split(WriterCount, BlocksEach, volumeSizeBytes);
    TimeSpan lastRecovery;

    /// <summary>What writers talk through; a lie makes it worthless.</summary>
    public Func<IBlockClient, IBlockClient> Through { get; init; } = client => client;

    /// <summary>Deaths of a server that was served from by all writers.</summary>
    public int Deaths { get; private set; }

    /// <summary>Deaths of a server that had its data and did not serve yet.</summary>
    public int DeathsWhileRecovering { get; private set; }

    /// <summary>Cycles in which each writer completed blocks and a flush, and went on to the end.</summary>
    public int FullCycles { get; private set; }

    /// <summary>Blocks that each writer was answered for, over all cycles.</summary>
    public long[] CompletedBlocks { get; } = new long[WriterCount];

    /// <summary>Flushes that each writer was answered, over all cycles.</summary>
    public long[] CompletedFlushes { get; } = new long[WriterCount];

    /// <exception cref="CrashCycleException">The server broke a promise, hung, or ended by itself.</exception>
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
            throw new CrashCycleException(
                $"cycle {cycle} of {cycles}, replay with ASHLAR_SEED={seed}: {exception.Message}\n---- server\n{server.Log}", exception);
        }
    }

    /// <summary>The very first start makes the pool, and may die anywhere, too. A volume, once acknowledged, stays.</summary>
    void CreateVolume()
    {
        DieWhileRecovering(Choices("first start"));
        Start();
        server.CreateVolume(Volume, $"{volumeSizeBytes}");
        Require(death.Strike(server), "the server ended by itself");
    }

    void RunCycle(int cycle)
    {
        var random = Choices($"cycle {cycle}");
        if (random.OneIn(3)) DieWhileRecovering(random);
        Start();
        VerifyAfterCrash(random);

        var ending = 0; // 1 from the instant at which errors are expected.
        var crew = new WriterCrew(WriterCount);
        try
        {
            for (var index = 0; index < WriterCount; index++)
            {
                var overNbd = index / 2 % 2 == index % 2; // Both protocols in every pair of neighbours and on both sides of it.
                var client = Through(overNbd ? server.ConnectNbd(Volume) : server.ConnectIscsi(Volume, index));
                var writer = new Writer(index, overNbd ? "NBD" : "iSCSI", ranges[index], ledger, seed);
                crew.Add(writer, client, Choices($"cycle {cycle}, writer {index}"), cycle, () => Volatile.Read(ref ending) == 1);
            }
            crew.Start();
            // Some die before much was done. The others must have done something, and go on: that one hangs is not seen once it is dead.
            var isShort = random.OneIn(6);
            if (!isShort) crew.WaitUntilAll(server, writer => writer is { CompletedBlocks: > 0, CompletedFlushes: > 0 });
            WaitForRandomMoment(random, crew);
            if (!isShort) crew.WaitUntilAllGoOn(server);
            if (!isShort && !crew.HasFault) FullCycles++;
            Volatile.Write(ref ending, 1);
            Require(death.Strike(server), "the server ended by itself");
            crew.Join();
            Deaths++;
        }
        finally
        {
            crew.Dispose();
        }
        for (var index = 0; index < WriterCount; index++)
        {
            CompletedBlocks[index] += crew.Writers[index].CompletedBlocks;
            CompletedFlushes[index] += crew.Writers[index].CompletedFlushes;
        }
    }

    void Start()
    {
        server.Launch();
        server.WaitUntilItHasTheData();
        var watch = Stopwatch.StartNew();
        server.WaitUntilItServes();
        lastRecovery = watch.Elapsed;
    }

    /// <summary>Recovery must survive its own death, at any point and more than once.</summary>
    void DieWhileRecovering(SeededRandom random)
    {
        for (var times = 1 + random.Next(2); times > 0; times--)
        {
            server.Launch();
            server.WaitUntilItHasTheData();
            // Half of them at once, whatever the machine's pace: the rest wherever it has got by then.
            var delay = random.OneIn(2) ? TimeSpan.Zero : lastRecovery * random.NextDouble();
            Require(!server.EndsWithin(delay), "the server ended while it started");
            var isRecovering = !server.IsServing;
            Require(death.Strike(server), "the server ended while it started");
            if (isRecovering) DeathsWhileRecovering++;
        }
    }

    /// <summary>
    /// Either a while after the start or after so many answers, whichever the dice say; at once when a writer found a fault.
    /// </summary>
    static void WaitForRandomMoment(SeededRandom random, WriterCrew crew)
    {
        var isByTime = random.OneIn(2);
        var longest = TimeSpan.FromMilliseconds(isByTime ? random.Next(20, 900) : 2_000);
        var answers = isByTime ? long.MaxValue : crew.Answers + (long)Math.Exp(random.NextDouble() * Math.Log(2_000));
        var watch = Stopwatch.StartNew();
        while (crew.Answers < answers && watch.Elapsed < longest && !crew.HasFault) Thread.Sleep(1);
    }

    void VerifyAfterCrash(SeededRandom random)
    {
        using var nbd = server.ConnectNbd(Volume);
        using var iscsi = server.ConnectIscsi(Volume, session: WriterCount);
        var isNbdFirst = random.OneIn(2);
        JudgeAll(isNbdFirst ? nbd : iscsi, settle: true);
        // Nobody writes now: the other protocol sees the same versions, none of those just ruled out.
        JudgeAll(isNbdFirst ? iscsi : nbd, settle: false);
        if (random.OneIn(4)) return;
        var mark = ledger.BeginFlush();
        Through(random.OneIn(2) ? nbd : iscsi).Flush();
        ledger.CompleteFlush(mark);
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
                    if (verdict.Fault != Fault.None) throw new FaultException(verdict);
                    if (settle) ledger.SettleAfterCrash(block, verdict);
                }
            }
        }
    }

    void StopCleanlyAndVerify(int cycles)
    {
        Start();
        VerifyAfterCrash(Choices($"cycle {cycles}"));
        server.Stop();
        Start();
        using (var nbd = server.ConnectNbd(Volume)) JudgeAll(nbd, settle: false);
        using (var iscsi = server.ConnectIscsi(Volume, session: 0)) JudgeAll(iscsi, settle: false);
        server.Stop();
    }

    /// <summary>One actor's choices do not depend on another's pace.</summary>
    SeededRandom Choices(string actor) => SeededRandom.For(seed, actor);

    static void Require(bool isSo, string problem)
    {
        if (!isSo) throw new CrashCycleException(problem);
    }
}

/// <summary>A block that was read holds what it must not.</summary>
sealed class FaultException(Verdict verdict) : Exception(verdict.Explanation)
{
    public Fault Fault => verdict.Fault;
}

sealed class CrashCycleException : Exception
{
    public CrashCycleException(string message) : base(message)
    {
    }

    public CrashCycleException(string message, Exception cause) : base(message, cause)
    {
    }
}
