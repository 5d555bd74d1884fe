using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// A device of a set. One that has missed a write is not used again before it is rebuilt: what it holds is old. One that is rebuilt is used
/// for the stripes that have been.
/// </summary>
/// <param name="number">Its place in the layout.</param>
/// <param name="device">The device; there is none for a member that is missing.</param>
/// <param name="dataAt">Where the set's data begins on it.</param>
/// <param name="keepsSpace">Whether what is zeroed keeps its space.</param>
/// <param name="usedBy">Counts who is at work on the device; null for a new one.</param>
sealed class RaidMember(int number, IBlockDevice? device, long dataAt = 0, bool keepsSpace = false, DeviceUse? usedBy = null)
{
    const int MaxAttempts = 3;

    readonly DeviceUse use = usedBy ?? new();
    Exception? failure;
    Func<long, bool>? isWanted;
    long rebuiltStripes = long.MaxValue;
    MemberTwin? twin;
    bool isFailureRecorded;
    int readsUnderWay;
    long lastReadEnd;

    /// <summary>Its place in the layout.</summary>
    public int Number => number;

    /// <summary>The device; there is none for a member that is missing.</summary>
    public IBlockDevice? Device => device;

    /// <summary>Whether it can be relied on for all that it should hold.</summary>
    public bool IsUsable => IsPresent && Volatile.Read(ref rebuiltStripes) == long.MaxValue;

    /// <summary>Whether there is a device that has failed nothing, though it may not hold all yet.</summary>
    public bool IsPresent => device is not null && Volatile.Read(ref failure) is null;

    /// <summary>Why it is not used any more.</summary>
    public Exception? Failure => Volatile.Read(ref failure);

    /// <summary>The device that is about to replace it, and is given all that it is given; null where there is none.</summary>
    public MemberTwin? Twin
    {
        get => Volatile.Read(ref twin);
        set => Volatile.Write(ref twin, value);
    }

    /// <summary>Whether all others know that it is not used any more.</summary>
    public bool IsFailureRecorded
    {
        get => Volatile.Read(ref isFailureRecorded);
        set => Volatile.Write(ref isFailureRecorded, value);
    }

    /// <summary>Held by whoever tells the others.</summary>
    public AsyncLock Recording { get; } = new();

    /// <summary>Stripes from the beginning that it holds; all while it is not being rebuilt.</summary>
    public long RebuiltStripes => Volatile.Read(ref rebuiltStripes);

    /// <summary>Of these, those that it does not hold.</summary>
    public SkippedStripes Skipped { get; } = new();

    /// <summary>Reads under way: of two copies the less busy one is asked.</summary>
    public int ReadsUnderWay => Volatile.Read(ref readsUnderWay);

    /// <summary>Byte behind the last read: who reads on is served by the same copy.</summary>
    public long LastReadEnd => Volatile.Read(ref lastReadEnd);

    /// <summary>Whether it can be relied on for a stripe. Under the stripe's lock it does not become so.</summary>
    public bool IsUsableAt(long stripe)
    {
        if (!IsPresent) return false;
        var rebuilt = Volatile.Read(ref rebuiltStripes);
        return (stripe < rebuilt && !Skipped.Contains(stripe)) || isWanted is { } wanted && !wanted(stripe);
    }

    /// <summary>It has missed something. False if that was known.</summary>
    public bool TryFail(Exception cause) => Interlocked.CompareExchange(ref failure, cause, null) is null;

    /// <summary>It does not hold all yet.</summary>
    /// <param name="fromStripe">Stripes before hold what they should.</param>
    /// <param name="wanted">Which of the others do not; null for all.</param>
    public void BeginRebuild(long fromStripe, Func<long, bool>? wanted)
    {
        isWanted = wanted;
        Volatile.Write(ref rebuiltStripes, fromStripe);
    }

    /// <summary>A stripe more is right; <see cref="long.MaxValue"/> when all are.</summary>
    public void Rebuilt(long stripes)
    {
        Invariant.Require(stripes > rebuiltStripes);
        Volatile.Write(ref rebuiltStripes, stripes);
    }

    /// <summary>Where data of the set lies on the device.</summary>
    public Lba LbaOf(long offsetBytes) => ToLba(dataAt + offsetBytes);

    /// <summary>Reads data of the set.</summary>
    public ValueTask ReadAsync(long offsetBytes, Memory<byte> destination) => ReadAreaAsync(dataAt + offsetBytes, destination);

    /// <summary>Writes data of the set.</summary>
    public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> source) =>
        Twin is null ? WriteAreaAsync(dataAt + offsetBytes, source) : WriteBothAsync(offsetBytes, source);

    /// <summary>Zeros data of the set.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ZeroAsync(long offsetBytes, long lengthBytes, ZeroOptions options)
    {
        var (start, blocks) = (ToLba(dataAt + offsetBytes), lengthBytes / device!.Geometry.BlockSizeBytes);
        if (keepsSpace) options |= ZeroOptions.KeepAllocated;
        use.Enter(device);
        try
        {
            await device.WriteZeroesAsync(start, blocks, options).ConfigureAwait(false);
        }
        finally
        {
            use.Exit();
        }

        if (Twin is { } twin) await twin.ZeroAsync(start, blocks, options).ConfigureAwait(false);
    }

    /// <summary>Makes durable what it has been given.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask FlushAsync()
    {
        use.Enter(device!);
        try
        {
            await device!.FlushAsync().ConfigureAwait(false);
        }
        finally
        {
            use.Exit();
        }

        if (Twin is { } twin) await twin.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>Forgets copies that something above the medium keeps of data of the set.</summary>
    public void DropCached(long offsetBytes, long lengthBytes)
    {
        if (!IsPresent || device is not ICachingDevice cached) return;
        use.Enter(device);
        try
        {
            cached.DropCached(ToLba(dataAt + offsetBytes), lengthBytes / device.Geometry.BlockSizeBytes);
        }
        finally
        {
            use.Exit();
        }
    }

    /// <summary>Reads from anywhere on the device.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ReadAreaAsync(long offsetBytes, Memory<byte> destination)
    {
        use.Enter(device!);
        Volatile.Write(ref lastReadEnd, offsetBytes - dataAt + destination.Length);
        Interlocked.Increment(ref readsUnderWay);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await device!.ReadAsync(ToLba(offsetBytes), destination).ConfigureAwait(false);
                    return;
                }
                catch (BlockDeviceException e) when (e.IsTransient && attempt < MaxAttempts)
                {
                    // Once more.
                }
            }
        }
        finally
        {
            Interlocked.Decrement(ref readsUnderWay);
            use.Exit();
        }
    }

    /// <summary>Writes anywhere on the device.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WriteAreaAsync(long offsetBytes, ReadOnlyMemory<byte> source)
    {
        use.Enter(device!);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await device!.WriteAsync(ToLba(offsetBytes), source).ConfigureAwait(false);
                    return;
                }
                catch (BlockDeviceException e) when (e.IsTransient && attempt < MaxAttempts)
                {
                    // Once more.
                }
            }
        }
        finally
        {
            use.Exit();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteBothAsync(long offsetBytes, ReadOnlyMemory<byte> source)
    {
        await WriteAreaAsync(dataAt + offsetBytes, source).ConfigureAwait(false);
        if (Twin is { } twin) await twin.WriteAsync(ToLba(dataAt + offsetBytes), source).ConfigureAwait(false);
    }

    Lba ToLba(long offsetBytes) => new(offsetBytes / device!.Geometry.BlockSizeBytes);
}
