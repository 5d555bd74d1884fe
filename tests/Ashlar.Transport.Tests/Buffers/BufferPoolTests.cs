using Ashlar.Storage;

namespace Ashlar.Transport.Tests.Buffers;

public sealed class BufferPoolTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(4096 + 28)]
    [InlineData((256 << 10) + 28)]
    [InlineData((32 << 20) + 28)]
    public void A_buffer_is_at_least_as_long_as_asked_for(int length)
    {
        var pool = new BufferPool();
        using var buffer = pool.Rent(length);
        Assert.InRange(buffer.Length, length, BufferPool.MaxBytes);
        Assert.Equal(buffer.Length, pool.RentedBytes);
    }

    [Fact]
    public void A_buffer_comes_back_to_the_next_owner_and_never_to_two()
    {
        var pool = new BufferPool();
        var first = pool.Rent(4096);
        var second = pool.Rent(4096);
        Assert.NotSame(first, second);
        first.Dispose();
        Assert.Same(first, pool.Rent(4096));
        second.Dispose();
        Assert.Throws<InvariantException>(second.Dispose);
        Assert.Throws<InvariantException>(() => pool.Rent(BufferPool.MaxBytes + 1));
    }

    [Fact]
    public async Task A_large_buffer_waits_until_the_budget_has_room_and_a_small_one_does_not()
    {
        var pool = new BufferPool(largeBudgetBytes: BufferPool.MaxBytes);
        var first = pool.Rent(BufferPool.MaxBytes);
        var second = Task.Run(() => pool.Rent(BufferPool.MaxBytes));
        pool.Rent(BufferPool.SmallLimitBytes).Dispose();
        Assert.False(second.IsCompleted);
        first.Dispose();
        (await second.WaitAsync(TimeSpan.FromSeconds(20))).Dispose();

        using var held = pool.Rent(BufferPool.MaxBytes);
        using var cancelled = new CancellationTokenSource(TimeSpan.FromMilliseconds(1));
        Assert.ThrowsAny<OperationCanceledException>(() => pool.Rent(BufferPool.MaxBytes, cancelled.Token));
        Assert.Equal(held.Length, pool.RentedBytes);
    }
}
