namespace Ashlar.KeyValue.Errors;

/// <summary>
/// Doubt latches: after a failed write or flush of log or manifest nothing is written any more. A failed flush is never
/// retried, because the kernel may already have dropped the dirty pages and would report success. The first cause is kept.
/// </summary>
sealed class PoisonLatch(string directory)
{
    Exception? firstCause;

    public bool IsSet => Volatile.Read(ref firstCause) is not null;

    public void Set(Exception cause) => Interlocked.CompareExchange(ref firstCause, cause, null);

    public void ThrowIfSet()
    {
        if (Volatile.Read(ref firstCause) is { } cause) throw new StorePoisonedException(directory, cause);
    }

    public StorePoisonedException ToException() => new(directory, Volatile.Read(ref firstCause)!);
}
