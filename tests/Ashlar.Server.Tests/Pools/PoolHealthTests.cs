using System.Collections.Concurrent;
using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.Volumes;

namespace Ashlar.Server.Tests.Pools;

/// <summary>What is told of a pool that is not well: what, where, and what to do.</summary>
public sealed class PoolHealthTests
{
    const string Path = "/pools/main";
    const long Mebibyte = 1 << 20;

    readonly SimulatedFileSystem disk = new(isRecording: false);
    readonly ConcurrentQueue<string> lines = new();

    [Fact]
    public async Task A_pool_that_is_well_has_no_warnings()
    {
        await using var pool = await CreateAsync();
        var facts = Resources.Pool(pool);
        Assert.Equal(("ok", 0), (facts.Health, facts.Warnings.Count));
        Assert.Equal(facts.CapacityBytes, facts.FreeBytes);
        Assert.Null(facts.Check);
        Assert.Null(facts.Deletions);
    }

    [Fact]
    public async Task What_is_free_is_no_more_than_the_disk_below_has()
    {
        await using var pool = await CreateAsync();
        disk.CapacityBytes -= disk.GetFreeSpaceBytes("/") - (3 * Mebibyte);
        var facts = Resources.Pool(pool);
        Assert.Equal(3 * Mebibyte, facts.FreeBytes);
        Assert.Equal("degraded", facts.Health);
        Assert.Contains("but the file system below has 3 MiB free", Assert.Single(facts.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4096, 1023, true)] // Below 1 GiB.
    [InlineData(4096, 1025, false)]
    [InlineData(512, 511, true)] // A small pool promises more than there is.
    [InlineData(512, 513, false)] // Less than 1 GiB, but all that the pool can ever take.
    [InlineData(102_400, 5119, true)] // Below 5 % of what the pool could take.
    [InlineData(102_400, 5121, false)]
    public void A_disk_that_gets_low_is_short_of_space_before_writes_fail(long promisedMebibytes, long belowMebibytes, bool isShort)
    {
        var usage = new PoolUsage(promisedMebibytes * Mebibyte, 0, 0) { FreeSpaceBelowBytes = belowMebibytes * Mebibyte };
        Assert.Equal(isShort ? SpaceShortage.Hard : SpaceShortage.None, SpaceShortages.Of(usage, new()));
    }

    [Theory]
    [InlineData(100, 0, 0, 100, false)]
    [InlineData(100, 0, 0, 99, true)]
    [InlineData(100, 60, 0, 40, false)]
    [InlineData(100, 60, 0, 39, true)]
    [InlineData(100, 10, 50, 40, false)] // Of what it may take half is about to be given back.
    [InlineData(100, 10, 50, 39, true)]
    public void A_pool_that_can_take_more_than_the_disk_below_has_is_told_of(
        long capacity, long used, long reclaiming, long below, bool isTold)
    {
        var usage = new PoolUsage(capacity << 30, used << 30, 0) { ReclaimingBytes = reclaiming << 30, FreeSpaceBelowBytes = below << 30 };
        var warnings = PoolWarnings.Of("main", usage, new(), Well, NoDamage);
        Assert.Equal(isTold ? 1 : 0, warnings.Count);
        if (isTold)
        {
            Assert.StartsWith(
                $"pool main promises {capacity - used} GiB more, but the file system below has {below} GiB free; ",
                warnings[0],
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_pool_larger_than_the_disk_below_is_told_of_at_once_and_again_only_when_it_has_been_over()
    {
        var clock = new SimulatedClock();
        disk.CapacityBytes = 40 * Mebibyte;
        await using var pool = await CreateAsync(clock);
        Assert.StartsWith("pool main promises 64 MiB more, but the file system below has ", Assert.Single(lines), StringComparison.Ordinal);
        Assert.Equal("degraded", Resources.Pool(pool).Health);
        clock.Advance(10 * SpaceWatch.Interval);
        Assert.Single(lines);
        disk.CapacityBytes = 4096 * Mebibyte;
        clock.Advance(SpaceWatch.Interval);
        Assert.Equal("ok", Resources.Pool(pool).Health);
        var told = lines.Count; // And that it has room again.
        disk.CapacityBytes = 60 * Mebibyte;
        clock.Advance(SpaceWatch.Interval);
        Assert.Equal(told + 1, lines.Count);
    }

    [Fact]
    public async Task A_pool_that_grows_says_so_and_holds_what_it_is_called()
    {
        await using var pool = await CreateAsync();
        Assert.Equal(64 * Mebibyte, pool.Usage.CapacityBytes);
        await pool.CreateAsync(new() { Name = "all", SizeBytes = 64 * Mebibyte, IsThick = true });
        var full = await Assert.ThrowsAsync<DeviceFullException>(
            () => pool.CreateAsync(new() { Name = "more", SizeBytes = Mebibyte, IsThick = true }));
        Assert.Equal("main/more: no space left: it needs 1 MiB, of pool main 0 bytes of 64 MiB are free", full.Message);
        await pool.GrowAsync(96 * Mebibyte, "192.0.2.1:4711");
        Assert.Equal(96 * Mebibyte, pool.Usage.CapacityBytes);
        Assert.Equal("pool main: grown from 64 MiB to 96 MiB, by 192.0.2.1:4711", lines.Last());
        await pool.CreateAsync(new() { Name = "more", SizeBytes = 32 * Mebibyte, IsThick = true });
        var smaller = await Assert.ThrowsAsync<ApiException>(() => pool.GrowAsync(64 * Mebibyte, ""));
        Assert.Equal(ProblemKind.CannotShrink, smaller.Kind);
        Assert.Equal("pool main holds 96 MiB; 64 MiB are less, and pools cannot shrink", smaller.Message);
    }

    [Fact]
    public async Task A_pool_may_be_asked_a_second_time_for_the_size_that_was_rounded_up_for_it()
    {
        await using var pool = await CreateAsync();
        foreach (var asked in (long[])[(80 * Mebibyte) + 1, (80 * Mebibyte) + 1, (80 * Mebibyte) + 2])
            await pool.GrowAsync(asked, "192.0.2.1:4711");
        Assert.Equal((80 * Mebibyte) + (64 << 10), pool.Usage.CapacityBytes);
        Assert.Single(lines, line => line.Contains("grown", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(64L << 20, 64 << 20, true)]
    [InlineData((64L << 20) - 1, 64 << 20, true)] // In whole chunks.
    [InlineData((64L << 20) + 1, (64 << 20) + (64 << 10), true)]
    [InlineData((64L << 20) + (128 << 10), 64 << 20, true)] // Earlier programs took the superblocks off of it.
    [InlineData((64L << 20) + (64 << 10), 64 << 20, false)]
    [InlineData(65L << 20, 64 << 20, false)]
    [InlineData(0L, 64 << 20, false)]
    [InlineData(long.MaxValue, 64 << 20, false)]
    [InlineData(null, 64 << 20, true)]
    public void A_pool_has_the_size_that_is_asked_for_or_is_not_served(long? asked, long capacity, bool isSame)
    {
        Assert.Equal(!isSame, PoolSizes.Differs(asked, capacity));
        Assert.Equal(isSame, PoolSizes.WarningOf("main", asked, capacity) is null);
    }

    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "at least ")]
    public void Each_state_that_is_not_well_is_a_warning_of_its_own(bool isCut, string least)
    {
        var usage = new PoolUsage(100, 90, 0);
        var statistics = Well with
        {
            Failure = new IOException("flush failed"),
            IsMapDiskFull = true,
            UnverifiedBlocks = 4,
        };
        Assert.Collection(
            PoolWarnings.Of("main", usage, new(), statistics, new(2, 3, ["pool main: block 7"])
            {
                VolumesWithBlocks = ["vm1", "vm2"],
                VolumesWithMapPieces = ["vm3"],
                IsCut = isCut,
            }),
            each => Assert.Equal("pool main refuses writes until the server is started again: flush failed", each),
            each => Assert.Contains("no room for the pool's map", each, StringComparison.Ordinal),
            each => Assert.Equal("pool main: block 7", each),
            each => Assert.StartsWith($"pool main has {least}2 damaged blocks that requests have met, of volumes vm1, vm2; ", each),
            each => Assert.StartsWith($"pool main has {least}3 damaged pieces of its map that requests have met, of volume vm3; ", each),
            each => Assert.Contains("holds 4 unverified blocks", each, StringComparison.Ordinal),
            each => Assert.Contains("90 % full", each, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_check_that_runs_is_progress_and_no_warning()
    {
        await using var pool = await CreateAsync();
        Assert.Empty(PoolWarnings.Of("main", pool.Usage, new(), Well with { Recovery = new(true, 9, 4, 100, 0) }, NoDamage));
    }

    [Fact]
    public async Task A_damaged_block_is_named_by_the_status_until_it_is_written_anew_and_once_by_the_log()
    {
        await using (var healthy = await CreateAsync())
        {
            await healthy.CreateAsync(new() { Name = "vm1", SizeBytes = Mebibyte });
            await WriteAsync(healthy, "vm1");
        }
        FlipLastBit();
        var pool = await OpenAsync();
        for (var attempt = 0; attempt < 2; attempt++)
            await Assert.ThrowsAsync<CorruptDataException>(async () => await ReadAsync(pool, "vm1"));
        var facts = Resources.Pool(pool);
        Assert.Equal("degraded", facts.Health);
        Assert.Contains(facts.Warnings, warning => warning.Contains("volume main/vm1, block ", StringComparison.Ordinal));
        const string Sum = "has 1 damaged block that requests have met, of volume vm1; ";
        Assert.Contains(facts.Warnings, warning => warning.Contains(Sum, StringComparison.Ordinal));
        Assert.Equal(["vm1"], facts.DamagedVolumes);
        Assert.Equal((1, 0), (pool.Get("vm1").DamagedBlocks, pool.Get("vm1").DamagedMapPieces));
        Assert.Equal([new(Mebibyte - 4096, 4096)], VolumeRanges.Of(pool.ListDamage("vm1"))!);
        await WriteAsync(pool, "vm1");
        await ReadAsync(pool, "vm1");
        Assert.Equal(("ok", 0), (Resources.Pool(pool).Health, Resources.Pool(pool).Warnings.Count));
        Assert.Equal(0, pool.Get("vm1").DamagedBlocks);
        await pool.DisposeAsync();
        Assert.Single(lines, line => line.Contains("checksum mismatch", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains("   at ", StringComparison.Ordinal));
    }

    [Fact]
    public void Damage_without_end_fills_no_log()
    {
        var journal = new PoolJournal("main", Add, new SimulatedClock());
        for (var i = 0; i < 1000; i++) journal.Observe(new(PoolEventKind.DamagedBlock, PoolEventSeverity.Error, $"block {i}"));
        journal.Observe(new(PoolEventKind.Failed, PoolEventSeverity.Error, "failed")); // Other kinds have a limit of their own.
        Assert.Equal(51, lines.Count);
        Assert.Equal("failed", lines.Last());
        journal.Dispose();
        Assert.Equal("pool: 950 more lines like these were left out", lines.Last());
    }

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(3, 0, false)]
    [InlineData(4, 0, true)]
    [InlineData(3, 1, true)]
    public void A_list_of_ranges_says_that_there_is_more(long blocks, long mapPieces, bool isCut) =>
        Assert.Equal(isCut, VolumeRanges.AreCut(blocks == 0 ? null : [new(4096, 8192), new(20480, 4096)], blocks, mapPieces));

    // Where holes cannot be punched, what volumes let go of stays where it is, for the next.
    [Theory]
    [InlineData(40, false, 90)]
    [InlineData(39, true, 89)]
    public void What_could_not_be_given_back_below_is_no_reason_to_warn(long below, bool isTold, long free)
    {
        var usage = new PoolUsage(100L << 30, 10L << 30, 0) { UnpunchedBytes = 50L << 30, FreeSpaceBelowBytes = below << 30 };
        Assert.Equal(isTold ? 1 : 0, PoolWarnings.Of("main", usage, new(), Well, NoDamage).Count);
        Assert.Equal(free << 30, usage.FreeBytes);
    }

    [Fact]
    public void Neighbours_among_unverified_blocks_are_one_range()
    {
        UnverifiedBlock At(long offset) => new("vm1", offset) { VolumeId = Guid.Empty };
        Assert.Equal([new(4096, 8192), new(20480, 4096)], VolumeRanges.Of([At(20480), At(8192), At(4096)])!);
        Assert.Null(VolumeRanges.Of(Array.Empty<UnverifiedBlock>()));
    }

    static PoolDamage NoDamage => new(0, 0, []);

    static PoolStatistics Well => new()
    {
        Commits = 0,
        DataFlushes = 0,
        LeavesWritten = 0,
        MarkerSyncs = 0,
        MarkedLeaves = 0,
        MarkedBlocks = 0,
        UnverifiedBlocks = 0,
        Recovery = new(false, 0, 0, 0, 0),
        CorruptBlocks = 0,
        DamagedMapReads = 0,
        ChunksFreed = 0,
        PunchFailures = 0,
        MapCacheBytes = 0,
        MapLoads = 0,
        IsMapDiskFull = false,
        Deletions = new(0, 0, 0),
        Failure = null,
    };

    ServerOptions Options => new()
    {
        DataDirectory = "/",
        FileSystem = disk,
        TimeProvider = new SimulatedClock(),
        Entropy = new SeededEntropy(1),
    };

    void Add(LogEntry entry) => lines.Enqueue(entry.Message);

    async Task<ServedPool> CreateAsync(TimeProvider? clock = null)
    {
        disk.CreateDirectory("/pools");
        disk.CreateDirectory(Path);
        var journal = new PoolJournal("main", Add, Options.TimeProvider);
        var pool = await PoolFiles.CreateAsync(Path, "main", 64 * Mebibyte, Options, journal.Observe);
        return new(pool, Add, clock ?? Options.TimeProvider);
    }

    async Task<ServedPool> OpenAsync()
    {
        var journal = new PoolJournal("main", Add, Options.TimeProvider);
        return new(await PoolFiles.OpenAsync(Path, Options, journal.Observe), Add, Options.TimeProvider);
    }

    // Of what is not zero in the pool, the last is data: the superblocks come before.
    void FlipLastBit()
    {
        using var file = disk.Open($"{Path}/data", FileOpenMode.Existing);
        var chunk = new byte[Mebibyte];
        for (var offset = file.LengthBytes - chunk.Length; offset >= 0; offset -= chunk.Length)
        {
            file.Read(chunk, offset);
            var last = chunk.AsSpan().LastIndexOfAnyExcept((byte)0);
            if (last < 0) continue;
            file.Write([(byte)(chunk[last] ^ 1)], offset + last);
            return;
        }
    }

    static async Task WriteAsync(ServedPool pool, string name)
    {
        using var session = Attach(pool, name);
        await session.WriteAsync(0, new SeededRandom(1).Bytes((int)Mebibyte));
        await session.FlushAsync();
    }

    static async Task ReadAsync(ServedPool pool, string name)
    {
        using var session = Attach(pool, name);
        await session.ReadAsync(0, new byte[Mebibyte]);
    }

    static ClientSession Attach(ServedPool pool, string name)
    {
        Assert.True(pool.TryAttach(name, new(ClientProtocol.Nbd, "192.0.2.1:4711", "192.0.2.1:4711"), out _, out var session));
        return session;
    }
}
