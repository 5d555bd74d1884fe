using Ashlar.Storage;

namespace Ashlar.Transport.Tests.Buffers;

public sealed class BufferPoolTests
{
    const int MiB = 1 << 20;

    [Theory]
    [InlineData(0)]
    [InlineData(4096 + 28)]
    [InlineData((256 << 10) + 28)]
    [InlineData((4 << 20) + (512 * 48))] // The longest SCSI read, in the shortest usual segments.
    [InlineData((32 << 20) + 28)]
    public void A_buffer_is_at_least_as_long_as_asked_for_and_little_longer(int length)
    {
        var pool = new BufferPool();
        using var share = pool.OpenShare();
        using var buffer = Rent(share, length);
        Assert.InRange(buffer.Length, length, Math.Max(4096 + 512, length + (length / 64)));
        Assert.Equal(buffer.Length, pool.RentedBytes);
        Assert.Equal(buffer.Length, share.HeldBytes);
        buffer.Span.Fill(7);
        Assert.Equal(7, buffer.Memory.Span[^1]);
    }

    [Fact]
    public void A_buffer_comes_back_to_the_next_owner_and_never_to_two()
    {
        var pool = new BufferPool();
        using var share = pool.OpenShare();
        var first = Rent(share, 4096);
        var second = Rent(share, 4096);
        Assert.NotSame(first, second);
        first.Dispose();
        Assert.Same(first, Rent(share, 4096));
        second.Dispose();
        Assert.Throws<InvariantException>(second.Dispose);
        Assert.Throws<InvariantException>(() => share.TryRent(BufferPool.MaxBytes + 1));
        first.Dispose();
    }

    [Fact]
    public void One_client_gets_no_more_than_half_and_many_leave_room_for_one_more()
    {
        var pool = new BufferPool(64 * MiB);
        var held = new List<PooledBuffer>();
        var shares = Enumerable.Range(0, 8).Select(_ => pool.OpenShare()).ToList();
        foreach (var share in shares)
        {
            while (share.TryRent(256 << 10) is { } buffer) held.Add(buffer);
            Assert.InRange(share.HeldBytes, 1, pool.BudgetBytes / 2);
        }
        Assert.InRange(pool.RentedBytes, 0, pool.BudgetBytes);
        using (var late = pool.OpenShare()) Rent(late, 64 << 10).Dispose();
        foreach (var buffer in held) buffer.Dispose();
        foreach (var share in shares) share.Dispose();
        Assert.Equal(0, pool.RentedBytes);
    }

    [Fact]
    public void The_little_that_a_connection_needs_to_get_on_is_always_there()
    {
        var pool = new BufferPool(16 * MiB);
        using var share = pool.OpenShare();
        var held = new List<PooledBuffer>();
        while (share.TryRent(64 << 10) is { } buffer) held.Add(buffer);
        held.Add(share.RentAlways(BufferShare.AlwaysGrantedBytes));
        Assert.Throws<InvariantException>(() => share.RentAlways(2 * BufferShare.AlwaysGrantedBytes));
        foreach (var buffer in held) buffer.Dispose();
    }

    [Fact]
    public void Who_waits_goes_on_in_order_as_memory_comes_back_and_is_not_overtaken()
    {
        var pool = new BufferPool(16 * MiB);
        using var holding = pool.OpenShare();
        using var first = new Waiter(pool, "first", 6 * MiB);
        using var second = new Waiter(pool, "second", 6 * MiB);
        var held = new List<PooledBuffer>();
        while (holding.TryRent(2 * MiB) is { } buffer) held.Add(buffer);
        using var other = pool.OpenShare();
        while (other.TryRent(2 * MiB) is { } buffer) held.Add(buffer);

        first.Wait();
        second.Wait();
        Assert.False(first.HasMemory);
        held[0].Dispose();
        Assert.False(first.HasMemory);
        // What came back is kept for the first who waits, whoever else asks.
        Assert.Null(other.TryRent(1 * MiB));
        foreach (var buffer in held.Skip(1)) buffer.Dispose();
        Assert.True(first.HasMemory);
        Assert.False(second.HasMemory && !first.HasMemory);
        first.Dispose();
        Assert.True(second.HasMemory);
        second.Dispose();
        Assert.Equal(0, pool.RentedBytes);
    }

    [Fact]
    public void Memory_goes_back_to_the_kernel_when_the_last_client_has_left()
    {
        var pool = new BufferPool();
        var share = pool.OpenShare();
        Rent(share, 4 * MiB).Dispose();
        Assert.NotEqual(0, pool.IdleBytes);
        var staying = pool.OpenShare();
        share.Dispose();
        Assert.NotEqual(0, pool.IdleBytes);
        staying.Dispose();
        Assert.Equal(0, pool.IdleBytes);
    }

    [Fact]
    public void Little_is_kept_of_a_burst_while_clients_stay()
    {
        var pool = new BufferPool(64 * MiB);
        using var share = pool.OpenShare();
        var held = new List<PooledBuffer>();
        while (share.TryRent(1 * MiB) is { } buffer) held.Add(buffer);
        foreach (var buffer in held) buffer.Dispose();
        Assert.InRange(pool.IdleBytes, 1, pool.BudgetBytes / 8);
    }

    static PooledBuffer Rent(BufferShare share, int length) =>
        share.TryRent(length) ?? throw new Xunit.Sdk.XunitException($"no buffer of {length} bytes");

    sealed class Waiter(BufferPool pool, string name, int wantedBytes) : IBufferWaiter, IDisposable
    {
        readonly BufferShare share = pool.OpenShare();
        PooledBuffer? buffer;
        bool isDisposed;

        public int WantedBytes => wantedBytes;

        public bool HasMemory => buffer is not null;

        public void Wait() => share.Wait(this);

        public void TryGoOn()
        {
            if (buffer is not null) return;
            buffer = share.TryRentWaited(wantedBytes);
            if (buffer is not null) share.EndWait(this);
        }

        public void Dispose()
        {
            if (isDisposed) return;
            isDisposed = true;
            buffer?.Dispose();
            share.Dispose();
        }

        public override string ToString() => name;
    }
}
