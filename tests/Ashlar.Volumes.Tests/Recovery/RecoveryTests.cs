using System.Buffers.Binary;
using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// After a crash: what was being overwritten is taken as it is and counted, when somebody comes to it; everything else is judged as
/// always; and nothing keeps the pool from opening.
/// </summary>
public sealed class RecoveryTests
{
    const int BlocksPerLeaf = MapLayout.BlocksPerLeaf, BlocksPerChunk = MapLayout.BlocksPerChunk;

    // The sweep looks at one leaf and then rests for hours: what is settled is settled by requests.
    static readonly PoolOptions Slow = TestPool.DefaultOptions(2) with { SweepBytesPerSecond = 1 };

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_block_that_was_being_overwritten_is_taken_as_it_is_counted_and_listed(int bySweep)
    {
        var disk = await CrashedInAnOverwriteAsync();
        var events = new List<PoolEvent>();
        await using var pool = await TestPool.OpenAsync(
            disk, (bySweep == 1 ? TestPool.DefaultOptions(2) : Slow) with { Observer = Locked(events) });
        if (bySweep == 1) await pool.Pool.WaitForBackgroundAsync();
        Assert.Equal(CrashedPool.Content(3), await CrashedPool.ReadAsync(pool.Pool.OpenVolume("disk")!, 1));
        Assert.Equal(1, pool.Pool.GetStatistics().UnverifiedBlocks);
        Assert.Equal([("disk", 4096)], pool.Pool.ListUnverifiedBlocks().Select(block => (block.Volume, block.OffsetBytes)));
        Assert.Equal(1, pool.Pool.FindVolume("disk")!.UnverifiedBlocks);
        Assert.Equal(0, pool.Pool.GetStatistics().CorruptBlocks);
        await pool.HearAsync();
        lock (events) Assert.Contains("bytes 4096 to 8191", Assert.Single(events, each => each.Kind == PoolEventKind.Unverified).Message, StringComparison.Ordinal);
    }

    // Another block rots before the crash: one of the same chunk, another chunk or another MiB, beside a lone overwrite, in a chunk that
    // is marked as a whole after its second overwrite, or ahead of a sequential writer.
    [Theory]
    [InlineData(2, "1")]
    [InlineData(15, "1")]
    [InlineData(2, "1 5 9")]
    [InlineData(15, "0 1 14")]
    [InlineData(40, "1")]
    [InlineData(200, "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40")]
    [InlineData(BlocksPerLeaf + 7, "1 2 3")]
    public async Task Rot_from_before_the_crash_stays_an_error(int rotten, string overwritten)
    {
        var crashed = await CrashedPool.CreateAsync();
        for (var leaf = 0; leaf < 2; leaf++) await crashed.WriteAsync(leaf * BlocksPerLeaf, 100 + leaf, BlocksPerLeaf);
        await crashed.WriteAsync(rotten, 7);
        await crashed.CommitAsync();
        crashed.Rot(7);
        foreach (var block in overwritten.Split(' ')) await crashed.WriteAsync(int.Parse(block, null), 200);
        await crashed.Volume.FlushAsync();
        crashed.Kill();

        await using var pool = await TestPool.OpenAsync(crashed.Disk, TestPool.DefaultOptions(2));
        await pool.Pool.WaitForBackgroundAsync();
        await pool.Pool.CommitAsync();
        var volume = pool.Pool.OpenVolume("disk")!;
        await Assert.ThrowsAsync<CorruptDataException>(async () => await CrashedPool.ReadAsync(volume, rotten));
        foreach (var block in overwritten.Split(' '))
            Assert.Equal(CrashedPool.Content(200), await CrashedPool.ReadAsync(volume, int.Parse(block, null)));
        Assert.Single((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    // Rot that strikes a block that nobody was overwriting, while the machine is down.
    [Fact]
    public async Task Rot_during_the_crash_beside_an_overwritten_block_is_an_error()
    {
        var crashed = await CrashedPool.CreateAsync();
        await crashed.WriteAsync(0, 100, BlocksPerChunk);
        await crashed.WriteAsync(2, 7);
        await crashed.CommitAsync();
        await crashed.WriteAsync(1, 3);
        await crashed.Volume.FlushAsync();
        crashed.Kill();
        crashed.Rot(7);

        await using var pool = await TestPool.OpenAsync(crashed.Disk, TestPool.DefaultOptions(2));
        await pool.Pool.WaitForBackgroundAsync();
        await Assert.ThrowsAsync<CorruptDataException>(async () => await CrashedPool.ReadAsync(pool.Pool.OpenVolume("disk")!, 2));
        Assert.Equal(CrashedPool.Content(3), await CrashedPool.ReadAsync(pool.Pool.OpenVolume("disk")!, 1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_sector_that_cannot_be_read_costs_its_block_and_no_other(bool isBadBlock)
    {
        var crashed = await CrashedPool.CreateAsync();
        await crashed.WriteAsync(0, 1, 4);
        await crashed.CommitAsync();
        for (var block = 0; block < 4; block++) await crashed.WriteAsync(block, 10 + block);
        await crashed.Volume.FlushAsync();
        crashed.Kill();
        var sick = CrashedPool.Find(crashed.Disk, CrashedPool.Content(12)) / 4096;
        for (var life = 2; life < 4; life++)
        {
            await using var pool = await TestPool.OpenAsync(crashed.Disk, TestPool.DefaultOptions((ulong)life), wrap: device => new SickDevice(device, sick, isBadBlock));
            await pool.Pool.WaitForBackgroundAsync();
            var volume = pool.Pool.OpenVolume("disk")!;
            foreach (var block in new[] { 0, 1, 3 }) Assert.Equal(CrashedPool.Content(10 + block), await CrashedPool.ReadAsync(volume, block));
            await Assert.ThrowsAnyAsync<BlockDeviceException>(async () => await CrashedPool.ReadAsync(volume, 2));
        }

        // Once it can be read again it is what it is: it was being overwritten, and nobody has looked at it yet.
        await using var healed = await TestPool.OpenAsync(crashed.Disk, TestPool.DefaultOptions(5));
        Assert.Equal(CrashedPool.Content(12), await CrashedPool.ReadAsync(healed.Pool.OpenVolume("disk")!, 2));
    }

    [Fact]
    public async Task A_disk_that_fails_one_read_while_recovering_does_not_keep_the_pool_from_opening()
    {
        var disk = await CrashedInAnOverwriteAsync();
        var faulty = new FaultyFileSystem(
            disk, new FaultRule(FaultOperations.Read, FaultKind.InputOutputError) { PathPattern = "/pool.data", Nth = 2 });
        await using var pool = await TestPool.OpenAsync(faulty, TestPool.DefaultOptions(2));
        await pool.Pool.WaitForBackgroundAsync();
        Assert.Equal(1, faulty.FiredCount);
        Assert.Equal(CrashedPool.Content(3), await CrashedPool.ReadAsync(pool.Pool.OpenVolume("disk")!, 1));
    }

    [Fact]
    public async Task Opening_reads_no_data_however_much_was_being_overwritten()
    {
        var crashed = await CrashedPool.CreateAsync();
        for (var leaf = 0; leaf < 8; leaf++) await crashed.WriteAsync(leaf * BlocksPerLeaf, 1, BlocksPerLeaf);
        await crashed.CommitAsync();
        for (var leaf = 0; leaf < 8; leaf++) await crashed.WriteAsync(leaf * BlocksPerLeaf, 2, BlocksPerLeaf);
        await crashed.Volume.FlushAsync();
        crashed.Kill();

        var mayRead = new TaskCompletionSource();
        await using var pool = await TestPool.OpenAsync(crashed.Disk, TestPool.DefaultOptions(2), wrap: device => new HookedDevice(device)
        {
            BeforeRead = start => start.Value < 2 * MapLayout.ChunkBytes / 4096 ? Task.CompletedTask : mayRead.Task,
        });
        Assert.True(pool.Pool.GetStatistics().Recovery.IsRunning); // Open, while the first read of data still waits.
        mayRead.SetResult();
        await pool.Pool.WaitForBackgroundAsync();
        Assert.Equal((8, 8), (pool.Pool.GetStatistics().Recovery.TotalLeaves, pool.Pool.GetStatistics().Recovery.DoneLeaves));
        Assert.Equal(8 * BlocksPerLeaf, pool.Pool.GetStatistics().UnverifiedBlocks);
    }

    // Planted: the marker of a leaf in memory is cleared although one of its blocks was not looked at.
    [Theory]
    [InlineData(nameof(PlantedBug.None))]
    [InlineData(nameof(PlantedBug.ForgetSuspects))]
    public async Task What_nobody_has_looked_at_stays_in_doubt_over_commits_and_crashes(string planted)
    {
        var bug = Enum.Parse<PlantedBug>(planted);
        var crashed = await CrashedPool.CreateAsync();
        for (var leaf = 0; leaf < 3; leaf++) await crashed.WriteAsync(leaf * BlocksPerLeaf, 1, 2 * BlocksPerChunk);
        await crashed.CommitAsync();
        for (var leaf = 0; leaf < 3; leaf++) await crashed.WriteAsync(leaf * BlocksPerLeaf, 10 + leaf);
        await crashed.Volume.FlushAsync();
        crashed.Kill();
        for (var life = 2; life < 5; life++)
        {
            crashed = await CrashedPool.OpenAsync(crashed.Disk, Slow with { MarkerQuietTime = TimeSpan.Zero, Factory = bug.ToFactory() });
            for (var leaf = 0; leaf < 3; leaf++) await CrashedPool.ReadAsync(crashed.Volume, (leaf * BlocksPerLeaf) + 3); // Loads it, no more.
            await crashed.WriteAsync(BlocksPerLeaf + 20, 5); // Another block of the second one.
            await crashed.CommitAsync();
            await crashed.Pool.Pool.Parts.Markers.ClearAllAsync(); // What may be cleared is, before the process dies.
            crashed.Kill();
        }

        // With the same least length of leaves that have deltas.
        await using var pool = await TestPool.OpenAsync(crashed.Disk, Slow with { Factory = PlantedBug.None.ToFactory() });
        var volume = pool.Pool.OpenVolume("disk")!;
        var found = await Record.ExceptionAsync(async () =>
        {
            for (var leaf = 0; leaf < 3; leaf++)
                Assert.Equal(CrashedPool.Content(10 + leaf), await CrashedPool.ReadAsync(volume, leaf * BlocksPerLeaf));
        });
        if (bug == PlantedBug.None) Assert.Null(found);
        else Assert.IsType<CorruptDataException>(found);
    }

    // The pool went down by a flush that failed: the system's cache still shows what the disk never got, and counts it as written.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_only_the_cache_has_since_a_failed_flush_is_not_taken_for_what_the_disk_holds(bool bySweep)
    {
        var crashed = await CrashedPool.CreateAsync();
        await crashed.WriteAsync(0, 1, 16);
        await crashed.CommitAsync();
        await crashed.WriteAsync(3, 5);
        crashed.Kill();
        var place = CrashedPool.Find(crashed.Disk, CrashedPool.Content(5)) / 4096;
        StaleCache cache = null!;
        await using (var pool = await TestPool.OpenAsync(
            crashed.Disk,
            bySweep ? TestPool.DefaultOptions(2) : Slow,
            wrap: device => cache = new StaleCache(device, place, onMedium: CrashedPool.Content(1, 16)[(3 * 4096)..(4 * 4096)])))
        {
            if (bySweep) await pool.Pool.WaitForBackgroundAsync();
            await CrashedPool.ReadAsync(pool.Pool.OpenVolume("disk")!, 3);
            await pool.Pool.CommitAsync();
            cache.Forget();
            Assert.Equal(CrashedPool.Content(1, 16)[(3 * 4096)..(4 * 4096)], await CrashedPool.ReadAsync(pool.Pool.OpenVolume("disk")!, 3));
        }
    }

    [Fact]
    public async Task Writing_a_part_of_a_block_in_doubt_takes_the_rest_as_it_is()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var process = new MortalFileSystem(disk);
        var pool = await TestPool.CreateAsync(disk: process);
        var volume = await pool.CreateVolumeAsync("disk", 8 << 20, 512);
        await volume.WriteAsync(Lba.Zero, CrashedPool.Content(1));
        await volume.FlushAsync();
        await volume.WriteAsync(Lba.Zero, CrashedPool.Content(2));
        await volume.FlushAsync();
        process.Kill();
        await using var reopened = await TestPool.OpenAsync(disk, Slow);
        volume = reopened.Pool.OpenVolume("disk")!;
        await volume.WriteAsync(new Lba(3), new byte[512]);
        var expected = CrashedPool.Content(2);
        expected.AsSpan(3 * 512, 512).Clear();
        Assert.Equal(expected, await CrashedPool.ReadAsync(volume, 0));
    }

    // A pool that an earlier version left open: a bit for each of 64 MiB.
    [Fact]
    public async Task Markers_of_the_earlier_format_are_carried_over()
    {
        var disk = await CrashedInAnOverwriteAsync();
        using (var store = TestPool.OpenStore(disk))
        {
            store.Delete(MapKeys.Marker(1, 0));
            var key = MapKeys.Marker(1, 0);
            key[0] = (byte)'D';
            var mask = new byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(mask, 1);
            store.Put(key, mask);
        }

        await using var pool = await TestPool.OpenAsync(disk, TestPool.DefaultOptions(2));
        await pool.Pool.WaitForBackgroundAsync();
        Assert.Equal(CrashedPool.Content(3), await CrashedPool.ReadAsync(pool.Pool.OpenVolume("disk")!, 1));
        Assert.Equal(1, pool.Pool.GetStatistics().UnverifiedBlocks);
        Assert.Empty(Keys(pool, MapKeys.GroupMarkers));
    }

    static List<string> Keys(TestPool pool, ReadOnlySpan<byte> prefix)
    {
        var keys = new List<string>();
        using var cursor = pool.Pool.Store.Scan(KeyValue.KeyRange.Prefix(prefix));
        while (cursor.MoveNext()) keys.Add(Convert.ToHexString(cursor.Key));
        return keys;
    }

    // Blocks 0 and 1 are committed; 1 is overwritten and flushed; then the process is killed.
    static async Task<SimulatedFileSystem> CrashedInAnOverwriteAsync()
    {
        var crashed = await CrashedPool.CreateAsync();
        await crashed.WriteAsync(0, 1);
        await crashed.WriteAsync(1, 2);
        await crashed.CommitAsync();
        await crashed.WriteAsync(1, 3);
        await crashed.Volume.FlushAsync();
        crashed.Kill();
        return crashed.Disk;
    }

    // The medium has the old block, the cache still shows the new one after a flush that failed, and the checksum of the new one was
    // spilled: what the first reader is told must be what all later ones are.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_block_in_doubt_does_not_go_back_after_it_was_read_and_flushed(bool isPart)
    {
        var crashed = await CrashedPool.CreateAsync();
        await crashed.WriteAsync(0, 2);
        await crashed.WriteAsync(256, 1, 16);
        await crashed.CommitAsync();
        await crashed.WriteAsync(0, 3); // Keeps the sweep busy.
        await crashed.WriteAsync(259, 5);
        await crashed.Pool.Pool.Parts.Committer.RunAsync(CommitScope.Spill);
        crashed.Kill();
        var place = CrashedPool.Find(crashed.Disk, CrashedPool.Content(5)) / 4096;
        var old = CrashedPool.Content(1, 16)[(3 * 4096)..(4 * 4096)];
        await using var pool = await TestPool.OpenAsync(crashed.Disk, Slow, wrap: device => new StaleCache(device, place, onMedium: old));
        var volume = pool.Pool.OpenVolume("disk")!;
        if (isPart)
        {
            // The rest of a block that is written in part is read as well.
            await new BlockDriver(volume).WriteAsync((259 * 4096) + 512, new byte[512]);
            old.AsSpan(512, 512).Clear();
        }

        Assert.Equal(old, await CrashedPool.ReadAsync(volume, 259));
        await volume.WriteAsync(new Lba(270), CrashedPool.Content(9));
        await volume.FlushAsync();
        await ((VolumeDevice)volume).CheckSuspectsAsync(1); // What the sweep does when it gets there.
        Assert.Equal(old, await CrashedPool.ReadAsync(volume, 259));
        Assert.Equal(1, pool.Pool.GetStatistics().UnverifiedBlocks);
    }

    static Action<PoolEvent> Locked(List<PoolEvent> events) => each =>
    {
        lock (events) events.Add(each);
    };

    /// <summary>A cache that shows one block of which the medium holds something else.</summary>
    sealed class StaleCache(IBlockDevice inner, long block, byte[] onMedium) : PassingDevice(inner), ICachingDevice
    {
        bool isForgotten;

        public TimeSpan FlushInterval { get; set; }

        public bool IsFlushShort => true;

        public void Forget() => isForgotten = true;

        public void DropCached(Lba start, long blockCount)
        {
            if (start.Value <= block && block < start.Value + blockCount) isForgotten = true;
        }

        public override async ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
        {
            await base.ReadAsync(start, destination, cancellationToken);
            if (isForgotten && start.Value <= block && block < start.Value + (destination.Length / 4096))
                onMedium.CopyTo(destination[(int)((block - start.Value) * 4096)..]);
        }
    }

    /// <summary>Cannot read one block.</summary>
    sealed class SickDevice(IBlockDevice inner, long sickBlock, bool isBadBlock) : PassingDevice(inner)
    {
        public override ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
        {
            if (start.Value > sickBlock || start.Value + (destination.Length / 4096) <= sickBlock)
                return base.ReadAsync(start, destination, cancellationToken);
            return ValueTask.FromException(isBadBlock
                ? new BadBlockException(Name, new Lba(sickBlock))
                : new DeviceIOException(Name, "as told", isTransient: false));
        }
    }

    abstract class PassingDevice(IBlockDevice inner) : IBlockDevice
    {
        public string Name => inner.Name;

        public BlockGeometry Geometry => inner.Geometry;

        public bool IsReadOnly => inner.IsReadOnly;

        public virtual ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default) =>
            inner.ReadAsync(start, destination, cancellationToken);

        public ValueTask WriteAsync(Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default) =>
            inner.WriteAsync(start, source, options, cancellationToken);

        public ValueTask WriteZeroesAsync(Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default) =>
            inner.WriteZeroesAsync(start, blockCount, options, cancellationToken);

        public ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default) =>
            inner.TrimAsync(start, blockCount, cancellationToken);

        public ValueTask FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

        public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents) => inner.DescribeExtents(start, blockCount, extents);

        public DeviceStatistics GetStatistics() => inner.GetStatistics();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
