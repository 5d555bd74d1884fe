using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding;

/// <summary>
/// Holds new writers back while a snapshot cannot find a moment between writes. Writers that passed are not waited for:
/// each of them passes but once, so there are few.
/// </summary>
sealed class WriteGate
{
    readonly Lock gate = new();
    TaskCompletionSource? closed;
    int closers;

    /// <summary>Costs one read unless the gate is closed.</summary>
    public void Pass()
    {
        if (Volatile.Read(ref closed) is { } until) until.Task.Wait();
    }

    /// <summary>What those wait for who must not block; complete while it is open.</summary>
    public Task UntilOpen => Volatile.Read(ref closed)?.Task ?? Task.CompletedTask;

    public void Close()
    {
        using (gate.Hold())
        {
            if (closers++ == 0) Volatile.Write(ref closed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
    }

    public void Open()
    {
        TaskCompletionSource? opened = null;
        using (gate.Hold())
        {
            if (--closers == 0)
            {
                opened = closed;
                Volatile.Write(ref closed, null);
            }
        }

        opened?.SetResult();
    }
}
