using Ashlar.Storage;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>Which size a pool gets, and whether one that is asked for is the one that it has.</summary>
static class PoolSizes
{
    const long Gibibyte = 1L << 30;

    /// <summary>90 % of what is free, in whole GiB: a full pool should be the pool's error, not the file system's.</summary>
    public static long Default(long freeBytes) => Math.Max(Gibibyte, freeBytes / 10 * 9 / Gibibyte * Gibibyte);

    /// <summary>What a new pool is to hold.</summary>
    /// <exception cref="ServerStartException">No pool is that large.</exception>
    public static long ForCreation(long? asked, long freeBytes)
    {
        var capacity = asked ?? Math.Min(Default(freeBytes), StoragePool.MaxCapacityBytes);
        return IsPossible(capacity)
            ? capacity
            : throw new ServerStartException(
                StartProblem.PoolTooLarge, $"a pool of {BinarySize.FormatExact(Math.Max(0, capacity))} is not possible: 1 PiB at most");
    }

    /// <summary>Fails unless a pool has the size that is asked for.</summary>
    /// <exception cref="ServerStartException">It has another one.</exception>
    public static void Require(long? asked, long capacityBytes)
    {
        if (!Differs(asked, capacityBytes)) return;
        throw new ServerStartException(
            StartProblem.PoolSize,
            $"pool {DataDirectory.MainPool} holds {BinarySize.FormatExact(capacityBytes)}, and is to be started with "
            + $"{BinarySize.FormatExact(Math.Max(0, asked!.Value))}");
    }

    /// <summary>That the next start is refused if it asks for the same size as this one; null when it is not.</summary>
    public static string? WarningOf(string pool, long? asked, long capacityBytes) => !Differs(asked, capacityBytes)
        ? null
        : $"pool {pool} holds {BinarySize.FormatExact(capacityBytes)}, and the server was started for one of "
            + $"{BinarySize.FormatExact(asked!.Value)}: with that in its options (--pool-size, poolSize, ASHLAR_POOL_SIZE) the next start "
            + "is refused; name the new size there, or leave it out";

    /// <summary>Whether a pool has another size than the one that is asked for.</summary>
    public static bool Differs(long? asked, long capacityBytes) => asked is { } wanted && !IsSame(wanted, capacityBytes);

    public static ServerStartException TooLarge(long capacityBytes, StorageException refusal) => new(
        StartProblem.PoolTooLarge,
        $"a pool of {BinarySize.FormatExact(capacityBytes)} does not fit into a file of the file system below: {refusal.Message}",
        refusal);

    // Of what is asked for in bytes a pool makes whole chunks. Earlier programs took the superblocks off of what was asked for.
    static bool IsSame(long wanted, long capacityBytes) => IsPossible(wanted)
        && (StoragePool.DeviceBytesFor(wanted) == StoragePool.DeviceBytesFor(capacityBytes)
            || wanted / StoragePool.ChunkBytes * StoragePool.ChunkBytes == StoragePool.DeviceBytesFor(capacityBytes));

    static bool IsPossible(long capacityBytes) => capacityBytes is >= 1 and <= StoragePool.MaxCapacityBytes;
}
