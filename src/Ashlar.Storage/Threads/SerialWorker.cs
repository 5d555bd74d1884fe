namespace Ashlar.Storage;

/// <summary>
/// One action with a thread of its own, which runs it whenever it was asked to. Requests that arrive while it runs become one more
/// run, which begins after they were made.
/// </summary>
/// <param name="name">What its thread is called.</param>
/// <param name="action">What is run. It may block, and handles its own failures.</param>
public sealed class SerialWorker(string name, Action action) : IDisposable
{
    readonly object gate = new(); // A monitor: it is waited on.
    Thread? thread;
    bool isWanted;
    bool isEnding;

    /// <summary>Asks for a run. The thread is started by the first request.</summary>
    /// <exception cref="ObjectDisposedException">It has been disposed of.</exception>
    public void Wake()
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isEnding, this);
            if (thread is null)
            {
                var starting = new Thread(Run) { IsBackground = true, Name = name };
                starting.UnsafeStart(); // May fail where the system has no threads; then nothing was asked for.
                thread = starting;
            }

            isWanted = true;
            Monitor.Pulse(gate);
        }
    }

    /// <summary>Does what was asked for before the call, then ends the thread.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            isEnding = true;
            Monitor.Pulse(gate);
        }

        if (thread != Thread.CurrentThread) thread?.Join();
    }

    void Run()
    {
        while (WaitForWork()) action();
    }

    bool WaitForWork()
    {
        lock (gate)
        {
            while (!isWanted && !isEnding) Monitor.Wait(gate);
            var wasWanted = isWanted;
            isWanted = false;
            return wasWanted;
        }
    }
}
