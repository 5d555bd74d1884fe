using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>What one client holds of a <see cref="BufferPool"/>. Any thread.</summary>
public sealed class BufferShare : IDisposable
{
    /// <summary>
    /// Buffers up to this size a client gets even beyond the budget, as many as its own thread needs to get on: one for what
    /// it receives and one for what it replies.
    /// </summary>
    public const int AlwaysGrantedBytes = 64 << 10;

    readonly BufferPool pool;
    long heldBytes;

    internal BufferShare(BufferPool pool) => this.pool = pool;

    /// <summary>Bytes held now.</summary>
    public long HeldBytes => Interlocked.Read(ref heldBytes);

    /// <summary>Rents a buffer, if the client may hold as much more.</summary>
    /// <param name="minimumBytes">At most <see cref="BufferPool.MaxBytes"/>.</param>
    public PooledBuffer? TryRent(int minimumBytes) => pool.TryRent(this, minimumBytes, isWaiter: false, always: false);

    /// <summary>Rents a small buffer in any case. For a connection's own thread, when it has nothing else running.</summary>
    /// <param name="minimumBytes">At most <see cref="AlwaysGrantedBytes"/>, and headers.</param>
    public PooledBuffer RentAlways(int minimumBytes)
    {
        Invariant.Require(minimumBytes <= BufferPool.SizeOf(AlwaysGrantedBytes));
        return pool.TryRent(this, minimumBytes, isWaiter: false, always: true)!;
    }

    /// <summary>Rents for one that has waited.</summary>
    public PooledBuffer? TryRentWaited(int minimumBytes) => pool.TryRent(this, minimumBytes, isWaiter: true, always: false);

    /// <summary>Waits in the order of all clients; <see cref="IBufferWaiter.TryGoOn"/> is called when there may be room.</summary>
    public void Wait(IBufferWaiter waiter) => pool.Wait(waiter);

    /// <summary>Waits no longer. A call may still be under way.</summary>
    public void EndWait(IBufferWaiter waiter) => pool.EndWait(waiter);

    /// <summary>The client has left, and given everything back.</summary>
    public void Dispose() => pool.Close(this);

    internal void Rented(int bytes) => Invariant.Require(Interlocked.Add(ref heldBytes, bytes) >= 0);

    internal void Return(PooledBuffer buffer) => pool.Return(this, buffer);
}

/// <summary>Somebody that can go on only with memory, and holds none for it yet.</summary>
public interface IBufferWaiter
{
    /// <summary>What the next step needs.</summary>
    int WantedBytes { get; }

    /// <summary>There may be room: rent and go on, or keep waiting. Called from any thread, which must not be held up.</summary>
    void TryGoOn();
}
