using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>
/// Counts the requests of one session that are under way. It can be shut, for a while or for good; then nobody enters any
/// more, and it says when the last one has left.
/// </summary>
sealed class RequestGate
{
    /// <summary>Shut for a while: the device below is being exchanged.</summary>
    public const long Paused = 1L << 32;

    /// <summary>Shut for good.</summary>
    public const long Fenced = 1L << 33;

    const long CountMask = Paused - 1;

    readonly Lock gate = new();
    long state; // The count, plus why the gate is shut. One that finds it shut is counted for a moment, too.
    SharedCompletion? idle;

    public int Count => (int)(Volatile.Read(ref state) & CountMask);

    public bool IsFenced => (Volatile.Read(ref state) & Fenced) != 0;

    public bool TryEnter()
    {
        if (Interlocked.Increment(ref state) < Paused) return true;
        Leave();
        return false;
    }

    public void Leave()
    {
        var left = Interlocked.Decrement(ref state);
        if (left >= Paused && (left & CountMask) == 0) SayIdle();
    }

    /// <summary>Shuts the gate; the task ends when nobody is under way.</summary>
    public Task ShutAsync(long reason)
    {
        Task isIdle;
        lock (gate)
        {
            // Known before the gate is shut, so that the last to leave finds it.
            idle ??= new SharedCompletion();
            isIdle = idle.Task.AsTask();
            Interlocked.Or(ref state, reason);
        }
        SayIdle();
        return isIdle;
    }

    /// <summary>Opens the gate again unless it was shut for good meanwhile.</summary>
    public void Resume()
    {
        lock (gate)
            if ((Interlocked.And(ref state, ~Paused) & Fenced) == 0) idle = null;
    }

    // Looks again under the lock: what was seen without it may belong to a pause that is over.
    void SayIdle()
    {
        lock (gate)
        {
            var seen = Volatile.Read(ref state);
            if (seen >= Paused && (seen & CountMask) == 0 && !idle!.IsCompleted) idle.SetResult();
        }
    }
}
