using System.Diagnostics;
using Ashlar.Interop.Tests.Clients;
using Ashlar.Interop.Tests.Server;
using Ashlar.Simulation;

namespace Ashlar.Interop.Tests.Crashes;

/// <summary>The writers of one life of the server, each on a thread of its own.</summary>
sealed class WriterCrew(int count) : IDisposable
{
    // A client without an answer for so long, although the server lives, has found a hang.
    static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(1);

    readonly List<Writer> writers = new(count);
    readonly List<IBlockClient> clients = new(count);
    readonly List<Thread> threads = new(count);
    readonly TaskCompletionSource<string> firstFault = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<Writer> Writers => writers;

    public long Answers => writers.Sum(writer => (long)writer.Answers);

    /// <summary>Whether a writer saw the server do something wrong.</summary>
    public bool HasFault => firstFault.Task.IsCompleted;

    public void Add(Writer writer, IBlockClient client, SeededRandom choices, int cycle, Func<bool> expectsEnd)
    {
        writers.Add(writer);
        clients.Add(client);
        threads.Add(new Thread(() =>
        {
            if (writer.Work(client, choices, cycle, expectsEnd) is { } wrong) firstFault.TrySetResult(wrong);
        })
        { IsBackground = true, Name = writer.Name });
    }

    public void Start()
    {
        foreach (var thread in threads) thread.Start();
    }

    /// <summary>Until each writer is so far, or one has found a fault.</summary>
    /// <exception cref="CrashCycleException">One of them hangs, or the server has ended.</exception>
    public void WaitUntilAll(AshlarProcess server, Func<Writer, bool> isSo)
    {
        var (answers, since) = (Answers, Stopwatch.GetTimestamp());
        while (!HasFault && writers.Find(writer => !isSo(writer)) is { } late)
        {
            if (!server.IsRunning) throw new CrashCycleException("the server ended by itself");
            if (late.Answers != answers) (answers, since) = (late.Answers, Stopwatch.GetTimestamp());
            if (Stopwatch.GetElapsedTime(since) > LongestSilence)
                throw new CrashCycleException(
                    $"{late.Name} has had no answer for {LongestSilence.TotalSeconds:0} s and the server lives: it hangs");
            Thread.Sleep(1);
        }
    }

    /// <summary>Until each writer has had another answer.</summary>
    public void WaitUntilAllGoOn(AshlarProcess server)
    {
        var before = writers.ToDictionary(writer => writer, writer => writer.Answers);
        WaitUntilAll(server, writer => writer.Answers > before[writer]);
    }

    /// <summary>Waits for the ends of all writers after the server's.</summary>
    /// <exception cref="CrashCycleException">One of them saw the server do something wrong, or hangs.</exception>
    public void Join()
    {
        foreach (var thread in threads)
            if (!thread.Join(LongestSilence)) throw new CrashCycleException($"{thread.Name} hangs although the server is dead");
        if (HasFault) throw new CrashCycleException(firstFault.Task.Result);
    }

    public void Dispose()
    {
        // A client whose thread hangs in it is left alone: closing it under the thread would crash the test.
        for (var index = 0; index < clients.Count; index++)
            if (!threads[index].IsAlive) clients[index].Dispose();
    }
}
