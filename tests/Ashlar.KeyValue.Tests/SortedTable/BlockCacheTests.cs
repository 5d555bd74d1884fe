namespace Ashlar.KeyValue.Tests;

public sealed class BlockCacheTests
{
    const byte Data = 1;
    readonly BlockCache cache = new(256 << 10);

    [Fact]
    public void What_was_added_is_found_until_it_goes()
    {
        Add(1, 0, 1000);
        Add(1, 4096, 1000);
        Assert.True(IsCached(1, 0));
        Assert.True(IsCached(1, 4096));
        Assert.False(IsCached(2, 0));
        Free();
    }

    [Fact]
    public void The_budget_holds_whatever_is_added()
    {
        var random = new Random(7);
        for (var i = 0; i < 5000; i++)
        {
            Add((ulong)random.Next(3), i * 64, random.Next(100, 9000));
            Assert.InRange(cache.UsedBytes, 0, 256 << 10);
        }

        Assert.True(cache.UsedBytes > 200 << 10, $"only {cache.UsedBytes} bytes are used");
        Free();
    }

    [Fact]
    public void What_is_used_stays_and_what_is_not_goes()
    {
        Add(1, 0, 1000);
        for (var i = 1; i < 2000; i++)
        {
            Assert.True(IsCached(1, 0));
            Add(1, i * 4096, 1000);
        }

        Assert.False(IsCached(1, 4096));
        Free();
    }

    [Fact]
    public void A_block_larger_than_the_budget_is_the_readers_alone()
    {
        var slot = cache.Epoch.Enter();
        var block = cache.Allocate(300 << 10, 1, 0, Data);
        Assert.False(cache.TryAdd(block));
        cache.ReleaseOnExit(slot, block);
        Assert.Equal(300 << 10, cache.AllocatedBytes);
        cache.Epoch.Exit(slot);
        Assert.Equal(0, cache.AllocatedBytes);
        Free();
    }

    [Fact]
    public void A_block_in_use_is_not_freed_when_it_is_evicted()
    {
        var slot = cache.Epoch.Enter();
        var block = New(1, 0, 1000, 0xAB);
        Assert.True(cache.TryAdd(block));
        cache.ReleaseBlock(block);
        Fill();
        var large = cache.Allocate(180 << 10, 9, 0, 3);
        Assert.False(cache.TryKeep(large)); // Room was made for it, but what went is still being read.
        cache.ReleaseBlock(large);
        Assert.False(IsCached(1, 0));
        Assert.Equal(-1, block.Bytes.IndexOfAnyExcept((byte)0xAB));
        cache.Epoch.Exit(slot);
        Free();
    }

    [Fact]
    public void A_block_that_is_held_stays_in_the_cache()
    {
        var slot = cache.Epoch.Enter();
        Add(1, 0, 1000, fill: 0xAB);
        var block = cache.Find(slot, 1, 0);
        BlockCache.AcquireBlock(block);
        cache.Epoch.Exit(slot);
        Fill();
        Assert.True(IsCached(1, 0));
        Assert.Equal(-1, block.Bytes.IndexOfAnyExcept((byte)0xAB));
        cache.ReleaseBlock(block);
        Free();
    }

    [Fact]
    public void What_tables_keep_takes_room_from_the_rest_up_to_three_quarters()
    {
        Fill();
        var kept = new List<Block>();
        while (true)
        {
            var block = cache.Allocate(4096, 9, kept.Count, 3);
            if (!cache.TryKeep(block))
            {
                cache.ReleaseBlock(block);
                break;
            }

            kept.Add(block);
            Assert.InRange(cache.UsedBytes, 0, 256 << 10);
        }

        Assert.InRange(kept.Count, 40, 48);
        Fill();
        Assert.InRange(cache.UsedBytes, 0, 256 << 10);
        foreach (var block in kept) cache.FreeKept(block);
        Free();
    }

    [Fact]
    public void Concurrent_readers_find_what_they_asked_for_while_blocks_come_and_go()
    {
        var wrong = 0;
        var most = 0L;
        Parallel.For(0, 4, worker =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 40_000; i++)
            {
                var number = (int)(random.NextDouble() * random.NextDouble() * 400);
                var slot = cache.Epoch.Enter();
                var block = cache.Find(slot, 1, number);
                if (block.IsNone)
                {
                    block = New(1, number, 1000 + number, (byte)number);
                    if (cache.TryAdd(block)) cache.ReleaseBlock(block);
                    else cache.ReleaseOnExit(slot, block);
                }

                if (block.Bytes.Length != 1000 + number || block.Bytes.IndexOfAnyExcept((byte)number) >= 0)
                    Interlocked.Increment(ref wrong);
                cache.Epoch.Exit(slot);
                most = Math.Max(most, cache.UsedBytes);
            }
        });
        Assert.Equal(0, wrong);
        Assert.InRange(most, 200 << 10, 256 << 10);
        Free();
    }

    Block New(ulong table, long offset, int size, byte fill)
    {
        var block = cache.Allocate(BlockMemory.Needed(size, 0), table, offset, Data);
        var bytes = new byte[size];
        bytes.AsSpan().Fill(fill);
        block.FillRaw(bytes);
        return block;
    }

    void Add(ulong table, long offset, int size, byte fill = 1)
    {
        var block = New(table, offset, size, fill);
        cache.TryAdd(block);
        cache.ReleaseBlock(block);
    }

    bool IsCached(ulong table, long offset)
    {
        var slot = cache.Epoch.Enter();
        var found = !cache.Find(slot, table, offset).IsNone;
        cache.Epoch.Exit(slot);
        return found;
    }

    void Fill()
    {
        for (var i = 0; i < 1000; i++) Add(77, i, 2000);
    }

    void Free()
    {
        cache.Release();
        Assert.Equal(0, cache.AllocatedBytes);
        Assert.InRange(cache.TakenBytes, 0, 8 << 10); // Of its table only.
    }
}
