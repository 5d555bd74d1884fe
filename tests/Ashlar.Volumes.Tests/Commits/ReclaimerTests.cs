using Ashlar.Blocks.Devices;

namespace Ashlar.Volumes.Tests;

/// <summary>Whoever waits for space waits for what was on its way when he came, and for no more.</summary>
public sealed class ReclaimerTests
{
    [Fact]
    public async Task Waiting_ends_with_what_was_there_though_commits_go_on_adding()
    {
        using var reclaimer = new RecordingReclaimer();
        reclaimer.AddsMore = true;
        reclaimer.Add([1, 2]);
        await reclaimer.DrainAsync();
        Assert.Subset(reclaimer.Freed, new HashSet<long> { 1, 2 });
        reclaimer.AddsMore = false;
        await reclaimer.WaitAsync();
    }

    [Fact]
    public async Task What_is_just_being_freed_is_waited_for()
    {
        using var reclaimer = new RecordingReclaimer();
        reclaimer.MayFree.Reset();
        reclaimer.Add([1]);
        reclaimer.FreeBegun.Wait();
        var early = reclaimer.DrainAsync().AsTask();
        reclaimer.Add([2]);
        var late = reclaimer.DrainAsync().AsTask();
        Assert.False(early.IsCompleted || late.IsCompleted);
        reclaimer.MayFree.Set();
        await early;
        Assert.Contains(1, reclaimer.Freed);
        await late;
        Assert.Contains(2, reclaimer.Freed);
        await reclaimer.DrainAsync();
    }

    sealed class RecordingReclaimer() : Reclaimer(
        new MemoryDevice(256, 4096), new ChunkSpace(100), new PoolEvents("main", null), new FailureLatch("main"), "main")
    {
        readonly HashSet<long> freed = [];
        long last = 10;

        public bool AddsMore { get; set; }

        public ManualResetEventSlim MayFree { get; } = new(initialState: true);

        public ManualResetEventSlim FreeBegun { get; } = new();

        public HashSet<long> Freed
        {
            get
            {
                lock (freed) return [.. freed];
            }
        }

        protected override void Free(long[] chunks)
        {
            FreeBegun.Set();
            MayFree.Wait();
            lock (freed) freed.UnionWith(chunks);
            if (AddsMore) Add([++last]);
        }
    }
}
