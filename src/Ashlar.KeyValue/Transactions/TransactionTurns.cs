using System.Diagnostics.CodeAnalysis;

namespace Ashlar.KeyValue.Transactions;

/// <summary>
/// Lets a transaction go alone that others have overtaken again and again: whoever begins one meanwhile waits until it is through. Of those
/// that want the same key one gets on each time, and it is often the same one, so another could lose for ever.
/// </summary>
/// <remarks>
/// A courtesy, on which nothing depends: conflicts are found as ever, and who waits does so for a moment only. So an action that begins
/// another transaction, or takes its time, holds nobody up for long.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore without a wait handle has nothing to dispose of.")]
sealed class TransactionTurns
{
    /// <summary>Attempts before a transaction asks for a turn of its own.</summary>
    public const int SharedAttempts = 8;

    static readonly TimeSpan Courtesy = TimeSpan.FromMilliseconds(100);

    readonly SemaphoreSlim turn = new(1, 1);
    int wanting;

    /// <summary>Waits to begin; true if the transaction has the turn until <see cref="Leave"/>.</summary>
    /// <param name="attempt">Which attempt it is, from 1 on.</param>
    public bool Enter(int attempt)
    {
        if (attempt <= SharedAttempts)
        {
            if (Volatile.Read(ref wanting) != 0 && turn.Wait(Courtesy)) turn.Release();
            return false;
        }

        var isMine = false;
        Interlocked.Increment(ref wanting);
        try
        {
            return isMine = turn.Wait(Courtesy);
        }
        finally
        {
            if (!isMine) Interlocked.Decrement(ref wanting);
        }
    }

    /// <summary>As <see cref="Enter"/>, without a thread that waits.</summary>
    public async ValueTask<bool> EnterAsync(int attempt, CancellationToken cancellationToken)
    {
        if (attempt <= SharedAttempts)
        {
            if (Volatile.Read(ref wanting) != 0 && await turn.WaitAsync(Courtesy, cancellationToken).ConfigureAwait(false)) turn.Release();
            return false;
        }

        var isMine = false;
        Interlocked.Increment(ref wanting);
        try
        {
            return isMine = await turn.WaitAsync(Courtesy, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (!isMine) Interlocked.Decrement(ref wanting);
        }
    }

    /// <summary>Gives the turn back.</summary>
    public void Leave()
    {
        Interlocked.Decrement(ref wanting);
        turn.Release();
    }
}
