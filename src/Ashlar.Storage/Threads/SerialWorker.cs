using System.Diagnostics.CodeAnalysis;

namespace Ashlar.Storage;

/// <summary>
/// One action that runs whenever it was asked to, one run at a time, on a thread of a set or on that of whoever asks and may wait
/// (<see cref="InlineWaits"/>). Requests that arrive while it runs become one more run, which begins after they were made.
/// </summary>
/// <remarks>
/// Those who wait for a run go on on other threads. Only if nobody has asked for the next one, the last of them goes on on the thread
/// of the run, which spares a hand-over: by then the worker does without that thread, and whoever asks from now on gets another.
/// </remarks>
/// <param name="action">What is run. It may block, handles its own failures, and says whom to tell what.</param>
public sealed class SerialWorker(Func<SerialWorker.Outcome> action) : IThreadPoolWorkItem, IDisposable
{
    const int MaxThreads = 256; // One for each worker that has something to do.

    // Threads that no cold read can occupy.
    static readonly WorkerThreads Threads = new("ashlar-work", MaxThreads);

    readonly object gate = new(); // A monitor: it is waited on.
    bool isRunning;
    bool isWanted;
    bool isEnding;

    /// <summary>
    /// Runs an action once on a thread like those of workers, which no cold read can occupy. For callers who take turns, as runs do.
    /// </summary>
    public static ValueTask RunOnceAsync<T>(Action<T> once, T state) => Threads.RunAsync(once, state);

    /// <summary>Asks for a run on another thread.</summary>
    /// <exception cref="ObjectDisposedException">It has been disposed of.</exception>
    public void Wake() => Wake(mayRunHere: false);

    /// <summary>Asks for a run, on this thread if it may wait and nothing runs.</summary>
    /// <returns>Whether the caller has to call <see cref="RunHere"/>, as soon as it holds no lock.</returns>
    /// <exception cref="ObjectDisposedException">It has been disposed of.</exception>
    public bool WakeOrEnter() => Wake(InlineWaits.AreAllowed);

    /// <summary>Runs it on the caller's thread, which has entered. What is asked for meanwhile is run elsewhere.</summary>
    public void RunHere()
    {
        InlineWaits.Waiting();
        if (Run(waitersGoOnHere: false)) Threads.Post(this);
    }

    /// <summary>Does what was asked for before the call, and nothing after it.</summary>
    public void Dispose()
    {
        using (Uninterrupted.Enter(gate))
        {
            isEnding = true;
            while (isRunning) Uninterrupted.Wait(gate);
        }

        Uninterrupted.Restore();
    }

    void IThreadPoolWorkItem.Execute()
    {
        while (Run(waitersGoOnHere: true))
        {
        }
    }

    bool Wake(bool mayRunHere)
    {
        using (Uninterrupted.Enter(gate))
        {
            ObjectDisposedException.ThrowIf(isEnding, this);
            isWanted |= isRunning;
            if (isRunning) return false;
            if (!mayRunHere) Threads.Post(this); // May fail where the system has no threads; then nothing was asked for.
            isRunning = true;
            return mayRunHere;
        }
    }

    // Whether there is to be another run.
    bool Run(bool waitersGoOnHere)
    {
        var outcome = RunAction();
        bool again;
        using (Uninterrupted.Enter(gate))
        {
            Invariant.Require(isRunning); // Or two would run at a time.
            again = isRunning = isWanted;
            isWanted = false;
            if (!again) Monitor.PulseAll(gate);
        }

        outcome.Waiters?.Complete(outcome.Failure, lastGoesOnHere: waitersGoOnHere && !again);
        return again;
    }

    // Whatever escaped would leave waiters whom nobody tells, for ever: better no process than one that stands still.
    [SuppressMessage("Design", "CA1031", Justification = "It ends the process.")]
    Outcome RunAction()
    {
        try
        {
            using (InlineWaits.Allow()) return action();
        }
        catch (Exception bug)
        {
            Environment.FailFast($"The action of a worker threw: {bug.Message}", bug);
            throw;
        }
    }

    /// <summary>How a run ended.</summary>
    /// <param name="Waiters">Those who wait for it; null for nobody.</param>
    /// <param name="Failure">What they are told; null where it went well.</param>
    public readonly record struct Outcome(SharedCompletion? Waiters, Exception? Failure = null);
}
