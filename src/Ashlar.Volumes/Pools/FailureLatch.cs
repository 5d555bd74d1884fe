using Ashlar.Blocks;

namespace Ashlar.Volumes;

/// <summary>
/// Keeps the first failure that leaves stable storage in doubt. A failed flush is never retried: the kernel may already
/// have dropped what it could not write. Writes and flushes fail from then on; reads go on.
/// </summary>
sealed class FailureLatch(string pool, PoolEvents? events = null)
{
    Exception? first;

    public Exception? First => Volatile.Read(ref first);

    public void Latch(Exception cause)
    {
        if (Interlocked.CompareExchange(ref first, cause, null) is not null) return;
        events?.Report(
            PoolEventKind.Failed,
            PoolEventSeverity.Error,
            $"writes are refused until the pool is opened again, because stable storage is in doubt: {cause.Message}",
            cause: cause);
    }

    /// <summary>Fails once a failure was latched.</summary>
    /// <exception cref="DeviceIOException">A failure was latched; it is the inner exception.</exception>
    public void ThrowIfLatched()
    {
        if (First is { } cause) throw ToError(cause);
    }

    public DeviceIOException ToError(Exception cause) => new(
        pool,
        $"the pool accepts no writes until it is opened again, because a commit failed: {cause.Message}",
        isTransient: false,
        cause);
}
