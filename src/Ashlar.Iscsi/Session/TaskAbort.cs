namespace Ashlar.Iscsi;

/// <summary>
/// A task management function that has to outlast the commands it aborted: a write that runs cannot be called back, and must
/// not land after the initiator was told that it is gone.
/// </summary>
sealed class TaskAbort : IDisposable
{
    readonly CountdownEvent running = new(1);

    public void Add() => running.AddCount();

    public void Settled() => running.Signal();

    /// <summary>Waits until none of the aborted commands runs.</summary>
    public void Wait()
    {
        running.Signal();
        running.Wait();
    }

    public void Dispose() => running.Dispose();
}
