using Ashlar.Storage;

namespace Ashlar.S3;

/// <summary>Memory that the bodies of all requests share. Whoever finds none left is told to come again.</summary>
sealed class MemoryBudget(long all)
{
    static readonly S3Error SlowDown = new("SlowDown", 503, "Too much is being sent at this moment in large pieces. Try again.");

    readonly long all = all;
    long left = all;

    /// <summary>Takes some of it.</summary>
    /// <exception cref="S3Exception">So much is not left.</exception>
    public void Take(long bytes)
    {
        if (Interlocked.Add(ref left, -bytes) >= 0) return;
        Interlocked.Add(ref left, bytes);
        throw SlowDown.Exception();
    }

    public void Return(long bytes) => Invariant.Require(Interlocked.Add(ref left, bytes) <= all);
}
