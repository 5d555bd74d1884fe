using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Front;

public sealed class RangeLocksTests
{
    const long Region = 1 << 20;

    readonly RangeLocks locks = new();

    [Theory]
    [InlineData(0, 1, 0b1UL)]
    [InlineData(0, Region, 0b1UL)]
    [InlineData(Region - 1, Region + 1, 0b11UL)]
    [InlineData(Region, 2 * Region, 0b10UL)]
    [InlineData(63 * Region, 64 * Region + 1, 0x8000_0000_0000_0001UL)] // Shards are used again from the first.
    [InlineData(0, 64 * Region, ulong.MaxValue)]
    [InlineData(5, 1L << 50, ulong.MaxValue)]
    public void A_range_enters_the_shards_of_the_regions_that_it_touches(long start, long end, ulong shards) =>
        Assert.Equal(shards, RangeLocks.ShardsOf(new(start, end)));

    [Fact]
    public async Task Ranges_that_overlap_are_held_one_after_the_other_in_the_order_in_which_they_came()
    {
        await Enter(0, 100);
        var second = Enter(50, 150);
        var third = Enter(120, 200); // Meets the second only, and waits behind it all the same.
        Assert.False(second.IsCompleted || third.IsCompleted);
        locks.Exit(new(0, 100));
        await second;
        Assert.False(third.IsCompleted);
        locks.Exit(new(50, 150));
        await third;
        locks.Exit(new(120, 200));
        Assert.True(Enter(0, 200).IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Nobody_waits_for_a_range_that_it_does_not_meet()
    {
        await Enter(64 * Region, 1L << 50); // In every shard.
        Assert.True(Enter(0, 4096).IsCompletedSuccessfully);
        Assert.True(Enter(4096, 8192).IsCompletedSuccessfully);
        Assert.False(Enter(64 * Region, 64 * Region + 1).IsCompleted);
    }

    [Fact]
    public async Task Whoever_gives_up_waiting_holds_nothing_and_keeps_nobody_waiting()
    {
        await Enter(2 * Region, 2 * Region + 1);
        using var giveUp = new CancellationTokenSource();
        var second = locks.EnterAsync(new(0, 4 * Region), giveUp.Token).AsTask(); // Has the shards before, waits for this one.
        var third = Enter(3 * Region, 4 * Region);
        Assert.True(third.IsCompleted); // The second has not come to that shard.
        var fourth = Enter(2 * Region + 1, 2 * Region + 2); // Waits for the second only.
        Assert.False(second.IsCompleted || fourth.IsCompleted);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await fourth;
        Assert.True(Enter(0, Region).IsCompletedSuccessfully);
    }

    [Theory, Seeds(count: 3)]
    public async Task No_byte_is_ever_held_twice_and_nobody_waits_for_ever(ulong seed)
    {
        var holders = new int[200]; // One for each half region.
        await Task.WhenAll(Enumerable.Range(0, 6).Select(worker => Task.Run(async () =>
        {
            var random = SeededRandom.For(seed, $"worker {worker}");
            for (var round = 0; round < 1000; round++)
            {
                var first = random.Next(holders.Length);
                var last = random.OneIn(20) ? holders.Length - 1 : Math.Min(holders.Length - 1, first + random.Next(6));
                using var giveUp = new CancellationTokenSource();
                var range = new ByteRange(first * Region / 2, (last + 1) * Region / 2);
                var entering = locks.EnterAsync(range, giveUp.Token);
                if (random.OneIn(10)) await giveUp.CancelAsync();
                try
                {
                    await entering;
                }
                catch (OperationCanceledException)
                {
                    continue;
                }
                for (var i = first; i <= last; i++) Assert.Equal(1, Interlocked.Increment(ref holders[i]));
                if (random.OneIn(2)) await Task.Yield();
                for (var i = first; i <= last; i++) Interlocked.Decrement(ref holders[i]);
                locks.Exit(range);
            }
        })));
        Assert.True(Enter(0, 200 * Region).IsCompletedSuccessfully); // Nothing is left behind.
    }

    Task Enter(long start, long end) => locks.EnterAsync(new(start, end), CancellationToken.None).AsTask();
}
