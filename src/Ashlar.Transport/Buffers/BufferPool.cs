using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>
/// Pinned buffers of a few sizes, shared by all connections of a server. Renting and returning allocate nothing once a
/// size is warm.
/// </summary>
/// <remarks>
/// Buffers up to <see cref="SmallLimitBytes"/> are always granted: connections bound how many they hold. Larger ones come
/// out of a budget for the whole server; renting beyond it waits until another owner is done, so that many clients with
/// huge requests cannot exhaust memory. Whoever may wait must hold no large buffer.
/// </remarks>
public sealed class BufferPool
{
    /// <summary>Buffers up to this size never wait.</summary>
    public const int SmallLimitBytes = (1 << 20) + HeaderRoomBytes;

    // Room for protocol headers, so that a payload of a power of two and its header fit one buffer of the next class.
    const int HeaderRoomBytes = 512;
    static readonly int[] ClassBytes =
        [(4 << 10) + HeaderRoomBytes, (16 << 10) + HeaderRoomBytes, (64 << 10) + HeaderRoomBytes,
         (256 << 10) + HeaderRoomBytes, SmallLimitBytes, (4 << 20) + HeaderRoomBytes, (32 << 20) + HeaderRoomBytes];

    readonly IdleBuffers[] idle;
    readonly long largeBudgetBytes;
    readonly Lock largeLock = new();
    long largeRentedBytes;
    long rentedBytes;
    TaskCompletionSource largeReturned = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Creates an empty pool.</summary>
    /// <param name="idleBytesPerSize">How many bytes of each size are kept for the next owner.</param>
    /// <param name="largeBudgetBytes">How many bytes of large buffers may be rented at a time.</param>
    public BufferPool(long idleBytesPerSize = 32L << 20, long largeBudgetBytes = 256L << 20)
    {
        Invariant.Require(largeBudgetBytes >= MaxBytes);
        this.largeBudgetBytes = largeBudgetBytes;
        idle = [.. ClassBytes.Select(size => new IdleBuffers((int)Math.Max(1, idleBytesPerSize / size)))];
    }

    /// <summary>The largest buffer there is.</summary>
    public static int MaxBytes => ClassBytes[^1];

    /// <summary>Bytes rented now.</summary>
    public long RentedBytes => Interlocked.Read(ref rentedBytes);

    /// <summary>Rents a buffer of at least <paramref name="minimumBytes"/>.</summary>
    /// <param name="minimumBytes">At most <see cref="MaxBytes"/>.</param>
    /// <param name="cancellationToken">Gives up waiting for a large buffer.</param>
    public PooledBuffer Rent(int minimumBytes, CancellationToken cancellationToken = default)
    {
        var sizeClass = ClassOf(minimumBytes);
        if (ClassBytes[sizeClass] > SmallLimitBytes) TakeFromBudget(ClassBytes[sizeClass], cancellationToken);
        var buffer = idle[sizeClass].TryTake() ?? Allocate(sizeClass);
        buffer.MarkRented();
        Interlocked.Add(ref rentedBytes, buffer.Length);
        return buffer;
    }

    internal void Return(PooledBuffer buffer)
    {
        Interlocked.Add(ref rentedBytes, -buffer.Length);
        idle[buffer.SizeClass].Keep(buffer);
        if (buffer.Length > SmallLimitBytes) GiveToBudget(buffer.Length);
    }

    static int ClassOf(int minimumBytes)
    {
        Invariant.Require(minimumBytes >= 0 && minimumBytes <= MaxBytes);
        var sizeClass = 0;
        while (ClassBytes[sizeClass] < minimumBytes) sizeClass++;
        return sizeClass;
    }

    PooledBuffer Allocate(int sizeClass)
    {
        try
        {
            return new(this, sizeClass, ClassBytes[sizeClass]);
        }
        catch (OutOfMemoryException) when (ClassBytes[sizeClass] > SmallLimitBytes)
        {
            // Kept, its share would be missing for ever, and at last everybody would wait for it.
            GiveToBudget(ClassBytes[sizeClass]);
            throw;
        }
    }

    void TakeFromBudget(int bytes, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task returned;
            lock (largeLock)
            {
                if (largeRentedBytes + bytes <= largeBudgetBytes)
                {
                    largeRentedBytes += bytes;
                    return;
                }
                returned = largeReturned.Task;
            }
            returned.Wait(cancellationToken);
        }
    }

    void GiveToBudget(int bytes)
    {
        TaskCompletionSource wake;
        lock (largeLock)
        {
            largeRentedBytes -= bytes;
            wake = largeReturned;
            largeReturned = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        wake.SetResult();
    }

    sealed class IdleBuffers(int capacity)
    {
        readonly PooledBuffer?[] buffers = new PooledBuffer?[capacity];
        readonly Lock guard = new();
        int count;

        public PooledBuffer? TryTake()
        {
            lock (guard)
            {
                if (count == 0) return null;
                var buffer = buffers[--count];
                buffers[count] = null;
                return buffer;
            }
        }

        // Beyond the capacity the buffer is left to the garbage collector.
        public void Keep(PooledBuffer buffer)
        {
            lock (guard)
            {
                if (count < buffers.Length) buffers[count++] = buffer;
            }
        }
    }
}
