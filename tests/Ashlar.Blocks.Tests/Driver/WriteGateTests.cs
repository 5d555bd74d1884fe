using Ashlar.TestKit;
using Ashlar.Simulation;

namespace Ashlar.Blocks.Tests.Driver;

public sealed class WriteGateTests
{
    const int Region = 64 * 1024;

    [Theory]
    [InlineData(0, 1, 0b1UL)]
    [InlineData(0, Region, 0b1UL)]
    [InlineData(Region - 1, 2, 0b11UL)]
    [InlineData(Region, Region, 0b10UL)]
    [InlineData(63 * Region, Region + 1, 0x8000_0000_0000_0001UL)] // Stripes are used again from the first.
    [InlineData(0, 64 * Region, ulong.MaxValue)]
    [InlineData(5, 1L << 50, ulong.MaxValue)]
    public void A_range_has_the_stripes_of_the_regions_that_it_touches(long offset, long length, ulong stripes) =>
        Assert.Equal(stripes, WriteGate.StripesOf(offset, length));

    [Fact]
    public async Task Sharers_pass_together_and_whoever_is_alone_keeps_them_out()
    {
        var gate = new WriteGate();
        Assert.True(gate.TryEnterShared(0b11));
        Assert.True(gate.TryEnterShared(0b10));
        var alone = gate.EnterAsync(exclusive: 0b10, shared: 0, default).AsTask();
        Assert.False(alone.IsCompleted);
        Assert.False(gate.TryEnterShared(0b110)); // Nor may anybody pass the one who waits: he would wait for ever.
        gate.ExitShared(0b11);
        Assert.False(alone.IsCompleted);
        gate.ExitShared(0b10);
        await alone;
        Assert.False(gate.TryEnterShared(0b10));
        Assert.True(gate.TryEnterShared(0b101));
        gate.Exit(0b10, 0);
        Assert.True(gate.TryEnterShared(0b10));
    }

    [Theory, Seeds(count: 3)]
    public async Task Nobody_is_ever_in_a_stripe_with_one_who_is_alone_there_and_nobody_waits_for_ever(ulong seed)
    {
        var gate = new WriteGate();
        var alone = new int[4];
        var sharers = new int[4];
        var work = Task.WhenAll(Enumerable.Range(0, 6).Select(worker => Task.Run(async () =>
        {
            var random = SeededRandom.For(seed, $"worker {worker}");
            for (var round = 0; round < 1500; round++)
            {
                var mask = (ulong)random.Next(1, 16);
                var exclusive = random.OneIn(3) ? mask & (ulong)random.Next(16) : 0;
                var shared = mask & ~exclusive;
                if (exclusive != 0 || !gate.TryEnterShared(shared)) await gate.EnterAsync(exclusive, shared, default);
                for (var stripe = 0; stripe < 4; stripe++)
                {
                    if ((exclusive >> stripe & 1) != 0)
                    {
                        Assert.Equal(1, Interlocked.Increment(ref alone[stripe]));
                        Assert.Equal(0, Volatile.Read(ref sharers[stripe]));
                    }
                    else if ((shared >> stripe & 1) != 0)
                    {
                        Interlocked.Increment(ref sharers[stripe]);
                        Assert.Equal(0, Volatile.Read(ref alone[stripe]));
                    }
                }
                if (random.OneIn(2)) await Task.Yield();
                for (var stripe = 0; stripe < 4; stripe++)
                {
                    if ((exclusive >> stripe & 1) != 0) Interlocked.Decrement(ref alone[stripe]);
                    else if ((shared >> stripe & 1) != 0) Interlocked.Decrement(ref sharers[stripe]);
                }
                if (exclusive == 0) gate.ExitShared(shared);
                else gate.Exit(exclusive, shared);
            }
        })));
        await work.WaitAsync(TimeSpan.FromMinutes(2));
    }
}
