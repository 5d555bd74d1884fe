using Ashlar.Storage;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>Which size a pool gets, and whether one that is asked for is the one that it has.</summary>
static class PoolSizes
{
    const long Gibibyte = 1L << 30;
    const long ChunkBytes = 64 << 10;

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

    /// <summary>Why a pool cannot be served as one of the size that is asked for; null when it can.</summary>
    public static ServerStartException? Differs(long? asked, long capacityBytes)
    {
        if (asked is not { } wanted || IsSame(wanted, capacityBytes)) return null;
        return new(
            StartProblem.PoolSize,
            $"pool {DataDirectory.MainPool} holds {BinarySize.FormatExact(capacityBytes)}, and is to be started with "
            + $"{BinarySize.FormatExact(Math.Max(0, wanted))}");
    }

    public static ServerStartException TooLarge(long capacityBytes, StorageException refusal) => new(
        StartProblem.PoolTooLarge,
        $"a pool of {BinarySize.FormatExact(capacityBytes)} does not fit into a file of the file system below: {refusal.Message}",
        refusal);

    // Of what is asked for in bytes a pool makes whole chunks. Earlier programs took the superblocks off of what was asked for.
    static bool IsSame(long wanted, long capacityBytes) => IsPossible(wanted)
        && (StoragePool.DeviceBytesFor(wanted) == StoragePool.DeviceBytesFor(capacityBytes)
            || wanted / ChunkBytes * ChunkBytes == StoragePool.DeviceBytesFor(capacityBytes));

    static bool IsPossible(long capacityBytes) => capacityBytes is >= 1 and <= StoragePool.MaxCapacityBytes;
}
