using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>
/// The memory for requests and replies of all clients of a server, of whatever protocol. Each client rents through a
/// <see cref="BufferShare"/> of its own; together they stay within a budget.
/// </summary>
/// <remarks>
/// <para>A client may hold as much as would still be free besides: one alone half of the budget, n that hold all they can an
/// n-plus-first part each, with as much left over. So clients that do not take their replies off leave room for everybody
/// else, and nobody ever waits for the memory of another: who gets none makes do with less at a time.</para>
/// <para>Only writes whose data would have to be asked for wait (<see cref="IBufferWaiter"/>), in the order in which they came.
/// They hold nothing while they wait, and whoever holds something has a deadline, so each gets its turn.</para>
/// <para>What is given back is kept for the next owner up to a small part of the budget, and returned to the kernel when
/// the last client leaves.</para>
/// </remarks>
public sealed class BufferPool
{
    /// <summary>How much clients may hold together unless it is told otherwise.</summary>
    public const long DefaultBudgetBytes = 256L << 20;

    const int SmallestBytes = 4 << 10, LargestBytes = 32 << 20;
    const int KeptPart = 8; // Of the budget.

    static readonly int[] ClassBytes = [.. ClassSizes()];

    readonly Stack<PooledBuffer>[] idle = [.. ClassBytes.Select(_ => new Stack<PooledBuffer>())];
    readonly LinkedList<IBufferWaiter> waiters = new();
    readonly Lock gate = new();
    long rentedBytes;
    long idleBytes;
    int shareCount;

    /// <summary>Creates a pool that has no memory yet.</summary>
    /// <param name="budgetBytes">How much clients may hold together; a client always gets a little more than that.</param>
    public BufferPool(long budgetBytes = DefaultBudgetBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(budgetBytes, MinBudgetBytes);
        BudgetBytes = budgetBytes;
    }

    /// <summary>The smallest budget with which the longest request can be served.</summary>
    public static long MinBudgetBytes => 16 << 20;

    /// <summary>The largest buffer there is.</summary>
    public static int MaxBytes => ClassBytes[^1];

    /// <summary>How much clients may hold together.</summary>
    public long BudgetBytes { get; }

    /// <summary>Bytes that clients hold now.</summary>
    public long RentedBytes => Interlocked.Read(ref rentedBytes);

    /// <summary>Bytes kept for the next owner.</summary>
    public long IdleBytes => Interlocked.Read(ref idleBytes);

    /// <summary>Opens the share of one client.</summary>
    public BufferShare OpenShare()
    {
        lock (gate) shareCount++;
        return new(this);
    }

    internal static int SizeOf(int minimumBytes) => ClassBytes[ClassOf(minimumBytes)];

    internal PooledBuffer? TryRent(BufferShare share, int minimumBytes, bool isWaiter, bool always)
    {
        var sizeClass = ClassOf(minimumBytes);
        var bytes = ClassBytes[sizeClass];
        PooledBuffer? buffer;
        lock (gate)
        {
            if (!always && !HasRoom(share, bytes, isWaiter)) return null;
            rentedBytes += bytes;
            share.Rented(bytes);
            if (idle[sizeClass].TryPop(out buffer)) idleBytes -= bytes;
            Invariant.Require(idleBytes >= 0);
        }
        try
        {
            buffer ??= new(sizeClass, bytes);
        }
        catch (StorageException)
        {
            // Kept, its part of the budget would be missing for ever.
            lock (gate)
            {
                rentedBytes -= bytes;
                share.Rented(-bytes);
            }
            if (always) throw;
            return null;
        }
        buffer.MarkRented(share);
        return buffer;
    }

    internal void Return(BufferShare share, PooledBuffer buffer)
    {
        lock (gate)
        {
            rentedBytes -= buffer.Length;
            Invariant.Require(rentedBytes >= 0);
            share.Rented(-buffer.Length);
            if (shareCount > 0 && idleBytes + buffer.Length <= BudgetBytes / KeptPart)
            {
                idle[buffer.SizeClass].Push(buffer);
                idleBytes += buffer.Length;
                buffer = null!;
            }
        }
        buffer?.Free();
        if (waiters.Count > 0) WakeWaiters();
    }

    internal void Wait(IBufferWaiter waiter)
    {
        lock (gate) waiters.AddLast(waiter);
        WakeWaiters(); // What was given back in between would wake nobody.
    }

    internal void EndWait(IBufferWaiter waiter)
    {
        lock (gate) waiters.Remove(waiter);
    }

    internal void Close(BufferShare share)
    {
        Invariant.Require(share.HeldBytes == 0);
        List<PooledBuffer> freed = [];
        lock (gate)
        {
            Invariant.Require(shareCount > 0);
            if (--shareCount > 0) return;
            foreach (var stack in idle)
            {
                freed.AddRange(stack);
                stack.Clear();
            }
            idleBytes = 0;
        }
        foreach (var buffer in freed) buffer.Free();
    }

    static int ClassOf(int minimumBytes)
    {
        Invariant.Require(minimumBytes >= 0 && minimumBytes <= MaxBytes);
        var sizeClass = 0;
        while (ClassBytes[sizeClass] < minimumBytes) sizeClass++;
        return sizeClass;
    }

    // A payload of a power of two fits together with its headers.
    static IEnumerable<int> ClassSizes()
    {
        for (var bytes = SmallestBytes; bytes <= LargestBytes; bytes *= bytes < (256 << 10) ? 4 : 2)
            yield return bytes + Math.Max(512, bytes / 128);
    }

    bool HasRoom(BufferShare share, int bytes, bool isWaiter)
    {
        var free = BudgetBytes - rentedBytes - bytes;
        if (isWaiter) return share.HeldBytes + bytes <= free || (share.HeldBytes == 0 && free >= 0);
        // Whoever cannot wait leaves the first of those who do its chance.
        if (waiters.First is { } first) free -= first.Value.WantedBytes;
        return share.HeldBytes + bytes <= free;
    }

    // In their order; one that has its share already does not hold up the others. No lock is held while they are called.
    void WakeWaiters()
    {
        IBufferWaiter[] woken;
        lock (gate) woken = [.. waiters];
        foreach (var waiter in woken)
        {
            waiter.TryGoOn();
            if (RentedBytes + waiter.WantedBytes > BudgetBytes) return;
        }
    }
}
