namespace Ashlar.KeyValue.Tests;

public sealed class ReadEpochTests
{
    [Fact]
    public void What_nobody_reads_is_freed_at_once()
    {
        var epoch = new ReadEpoch();
        var resource = new Tracked();
        epoch.Retire(resource);
        Assert.True(resource.IsFreed);
        Assert.Equal(0, epoch.Waiting);
    }

    [Fact]
    public void What_a_reader_may_use_is_freed_when_it_leaves()
    {
        var epoch = new ReadEpoch();
        var resource = new Tracked();
        var outer = epoch.Enter();
        var inner = epoch.Enter();
        Assert.NotEqual(outer, inner);
        epoch.Retire(resource);
        Assert.False(resource.IsFreed);
        epoch.Exit(inner);
        Assert.False(resource.IsFreed);
        epoch.Exit(outer);
        Assert.True(resource.IsFreed);
    }

    [Fact]
    public void A_reader_that_came_later_holds_nothing_back()
    {
        var epoch = new ReadEpoch();
        var (first, second) = (new Tracked(), new Tracked());
        var early = epoch.Enter();
        epoch.Retire(first);
        var late = epoch.Enter();
        epoch.Exit(early);
        Assert.True(first.IsFreed);
        epoch.Retire(second);
        Assert.False(second.IsFreed);
        epoch.Exit(late);
        Assert.True(second.IsFreed);
    }

    [Fact]
    public void More_readers_at_once_than_cores_find_a_slot()
    {
        var epoch = new ReadEpoch();
        var slots = Enumerable.Range(0, 200).Select(_ => epoch.Enter()).ToArray();
        Assert.Equal(200, slots.Distinct().Count());
        var resource = new Tracked();
        epoch.Retire(resource);
        foreach (var slot in slots)
        {
            Assert.False(resource.IsFreed);
            epoch.Exit(slot);
        }

        Assert.True(resource.IsFreed);
    }

    [Fact]
    public void Concurrent_readers_never_meet_what_was_freed() => Assert.Equal(0, CountUsesAfterFree(new ReadEpoch()));

    [Fact]
    public void Not_looking_for_readers_would_be_noticed()
    {
        Assert.False(IsFreedUnderReader());
        Assert.True(PlantedBugs.FreeWithoutLookingForReaders.Run(IsFreedUnderReader));
    }

    static bool IsFreedUnderReader()
    {
        var epoch = new ReadEpoch();
        var resource = new Tracked();
        epoch.Enter();
        epoch.Retire(resource);
        return resource.IsFreed;
    }

    static long CountUsesAfterFree(ReadEpoch epoch)
    {
        var current = new Tracked();
        var uses = 0L;
        var stop = false;
        var readers = Enumerable.Range(0, 3).Select(_ => new Thread(Read)).ToArray();
        foreach (var reader in readers) reader.Start();
        for (var round = 0; round < 30_000 && Volatile.Read(ref uses) == 0; round++)
        {
            var old = Interlocked.Exchange(ref current, new Tracked());
            epoch.Retire(old);
        }

        Volatile.Write(ref stop, true);
        foreach (var reader in readers) reader.Join();
        epoch.Retire(current);
        Assert.True(current.IsFreed);
        return uses;

        void Read()
        {
            while (!Volatile.Read(ref stop))
            {
                var slot = epoch.Enter();
                var seen = Volatile.Read(ref current);
                for (var look = 0; look < 20; look++)
                {
                    if (seen.IsFreed) Interlocked.Increment(ref uses);
                }

                epoch.Exit(slot);
            }
        }
    }

    sealed class Tracked : SharedResource
    {
        bool isFreed;

        public bool IsFreed => Volatile.Read(ref isFreed);

        protected override void Free() => Volatile.Write(ref isFreed, true);
    }
}
