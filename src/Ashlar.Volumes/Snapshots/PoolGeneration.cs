using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Counts the cuts of a pool: everything that changes belongs to the current generation. One for all volumes, so that a cut across several
/// is one change of it.
/// </summary>
sealed class PoolGeneration(long current)
{
    long current = current;

    /// <summary>The generation of whatever changes now.</summary>
    public long Current => Volatile.Read(ref current);

    /// <summary>What changes from now on belongs to the next generation, for whoever takes the lock of a leaf from now on.</summary>
    public void Advance(long next)
    {
        Invariant.Require(next == Current + 1);
        Interlocked.Exchange(ref current, next);
    }
}
