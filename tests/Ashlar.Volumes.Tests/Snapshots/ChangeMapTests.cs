using System.Collections.Concurrent;
using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Volumes.Tests;

/// <summary>What has changed since a snapshot, asked while the volume is in use.</summary>
public sealed class ChangeMapTests
{
    const int Mebibyte = 1 << 20, Blocks = 4096;

    readonly SeededRandom random = new(TestSeeds.First(nameof(ChangeMapTests)));

    [Fact]
    public async Task Only_what_was_written_or_discarded_is_named_in_memory_in_the_store_and_after_a_restart()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 2000);
        var volume = await pool.CreateVolumeAsync("disk", 16 * Mebibyte);
        await WriteAsync(volume, 0, 3000);
        await pool.Pool.TakeSnapshotAsync("disk", "one");
        Assert.Empty(Changed(pool, null, "one"));
        await WriteAsync(volume, 3, 1);
        await WriteAsync(volume, 254, 4); // Over the end of a leaf.
        await volume.TrimAsync(new Lba(1024), 16);
        await WriteAsync(volume, 3500, 2); // Where nothing was.
        HashSet<long> expected = [3, 254, 255, 256, 257, .. Enumerable.Range(1024, 16), 3500, 3501];
        Assert.Equal(expected, Changed(pool, null, "one"));
        await pool.Pool.CommitAsync();
        Assert.Equal(expected, Changed(pool, null, "one"));
        await pool.ReopenAsync();
        Assert.Equal(expected, Changed(pool, null, "one"));

        await pool.Pool.TakeSnapshotAsync("disk", "two");
        volume = pool.Pool.OpenVolume("disk")!;
        await WriteAsync(volume, 3, 2);
        Assert.Equal(expected, Changed(pool, "two", "one"));
        Assert.Equal([3, 4], Changed(pool, null, "two"));
        Assert.Equal([.. expected, 4], Changed(pool, null, "one"));
        await volume.TrimAsync(new Lba(0), Blocks); // Leaves that are empty were changed as well.
        await pool.Pool.CommitAsync();
        var held = Enumerable.Range(0, 3000).Except(Enumerable.Range(1024, 16)).Append(3500).Append(3501);
        Assert.Equal(held.Select(block => (long)block), Changed(pool, null, "two").Order());
    }

    [Fact]
    public async Task A_snapshot_is_known_by_its_identity_and_asking_about_one_that_is_gone_is_an_error()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 2000);
        var volume = await pool.CreateVolumeAsync("disk", 16 * Mebibyte);
        await WriteAsync(volume, 0, 10);
        await pool.Pool.TakeSnapshotAsync("disk", "one");
        await pool.Pool.TakeSnapshotAsync("disk", "two");
        var map = pool.Pool.OpenChanges("disk", null, "one")!;
        var between = pool.Pool.OpenChanges("disk", "two", "one")!;
        foreach (var (snapshot, since) in ((string?, string)[])[("one", "two"), ("one", "one"), ("none", "one"), (null, "none")])
            Assert.Null(pool.Pool.OpenChanges("disk", snapshot, since));
        Assert.Null(pool.Pool.OpenChanges("none", null, "one"));

        await pool.Pool.RenameSnapshotAsync("disk", "one", "first");
        await WriteAsync(volume, 5, 1);
        Assert.Equal([5], ChangeCheck.Changed(map, Blocks));
        Assert.Empty(ChangeCheck.Changed(between, Blocks));
        await pool.Pool.DeleteSnapshotsAsync("disk", ["two"]);
        await Assert.ThrowsAsync<ChangesUnknownException>(() => AskAsync(between));
        Assert.Equal([5], ChangeCheck.Changed(map, Blocks));
        // One of the same name is another.
        await pool.Pool.DeleteSnapshotsAsync("disk", ["first"]);
        await pool.Pool.TakeSnapshotAsync("disk", "first");
        await Assert.ThrowsAsync<ChangesUnknownException>(() => AskAsync(map));
    }

    [Fact]
    public async Task A_clone_that_has_snapshots_and_a_volume_that_grows_tell_of_their_own_changes()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 2000);
        var volume = await pool.CreateVolumeAsync("disk", 16 * Mebibyte);
        await WriteAsync(volume, 0, 600);
        await pool.Pool.TakeSnapshotAsync("disk", "one");
        await pool.Pool.CloneAsync("disk", "one", "copy");
        await pool.Pool.TakeSnapshotAsync("copy", "mine");
        var copy = pool.Pool.OpenVolume("copy")!;
        await WriteAsync(copy, 300, 1);
        await copy.TrimAsync(new Lba(16), 16);
        Assert.Equal([.. Enumerable.Range(16, 16), 300], Changed(pool, null, "mine", "copy").Order());
        Assert.Empty(Changed(pool, null, "one"));

        await pool.Pool.ResizeVolumeAsync("disk", 20 * Mebibyte);
        volume = pool.Pool.OpenVolume("disk")!;
        await WriteAsync(volume, 4100, 1);
        Assert.Equal([4100], ChangeCheck.Changed(pool.Pool.OpenChanges("disk", null, "one")!, 5 * 1024));
    }

    [Fact]
    public async Task What_was_acknowledged_before_the_question_is_named_while_others_write_and_commits_run()
    {
        await using var pool = await TestPool.CreateAsync(
            chunks: 4000, options: TestPool.DefaultOptions() with { MapCacheBytes = 40_000 });
        var volume = await pool.CreateVolumeAsync("disk", 16 * Mebibyte);
        await WriteAsync(volume, 0, Blocks);
        await pool.Pool.TakeSnapshotAsync("disk", "one");
        var map = pool.Pool.OpenChanges("disk", null, "one")!;
        var acknowledged = new ConcurrentDictionary<long, bool>();
        using var ending = new CancellationTokenSource();
        var writing = Enumerable.Range(0, 3).Select(writer => Task.Run(async () =>
        {
            var chance = new SeededRandom((ulong)writer + 1);
            while (!ending.IsCancellationRequested)
            {
                var block = chance.Next(Blocks);
                await volume.WriteAsync(new Lba(block), new byte[4096]);
                acknowledged[block] = true;
                if (chance.OneIn(50)) await volume.FlushAsync();
            }
        })).ToArray();
        for (var round = 0; round < TestTier.Choose(60, 2000); round++)
        {
            long[] before = [.. acknowledged.Keys];
            Assert.Empty(before.Except(ChangeCheck.Changed(map, Blocks)));
        }

        await ending.CancelAsync();
        await Task.WhenAll(writing);
        Assert.Equal(acknowledged.Keys.Order(), ChangeCheck.Changed(map, Blocks).Order());
    }

    [Fact]
    public async Task A_map_that_does_not_look_into_memory_is_found_out()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 4000);
        var volume = await pool.CreateVolumeAsync("disk", 16 * Mebibyte);
        await pool.Pool.TakeSnapshotAsync("disk", "one");
        var (map, planted) = (pool.Pool.OpenChanges("disk", null, "one")!, new CommittedChanges(pool, "disk", "one"));
        var missed = false;
        for (var block = 0; !missed && block < 100; block++) // A commit may come between.
        {
            await WriteAsync(volume, block, 1);
            missed = !ChangeCheck.Changed(planted, Blocks).Contains(block);
            Assert.Contains(block, ChangeCheck.Changed(map, Blocks));
        }

        Assert.True(missed);
    }

    static HashSet<long> Changed(TestPool pool, string? snapshot, string since, string volume = "disk") =>
        ChangeCheck.Changed(pool.Pool.OpenChanges(volume, snapshot, since)!, Blocks);

    static Task AskAsync(IChangeMap map)
    {
        map.DescribeChanges(new Lba(0), 8, new BlockChange[4]);
        return Task.CompletedTask;
    }

    async Task WriteAsync(IBlockDevice volume, long block, int count) =>
        await volume.WriteAsync(new Lba(block), random.Bytes(count * 4096));

    /// <summary>A planted bug: what the store has says it all.</summary>
    sealed class CommittedChanges(TestPool pool, string volume, string since) : IChangeMap
    {
        public int DescribeChanges(Lba start, long blockCount, Span<BlockChange> runs)
        {
            var device = pool.Pool.Catalogue.Require(volume);
            var generation = device.FindSnapshot(since)!.Generation;
            var end = (start.Value + blockCount) * 4096;
            var changed = pool.Pool.Diff.FindUntilNow(device.Lineage, generation, end)
                .SelectMany(extent => Enumerable.Range((int)(extent.OffsetBytes / 4096), (int)(extent.LengthBytes / 4096)))
                .ToHashSet();
            var count = 0;
            for (var block = start.Value; block < start.Value + blockCount; block++)
            {
                var isChanged = changed.Contains((int)block);
                if (count > 0 && runs[count - 1].IsChanged == isChanged) runs[count - 1] = new(isChanged, runs[count - 1].BlockCount + 1);
                else if (count == runs.Length) break;
                else runs[count++] = new(isChanged, 1);
            }

            return count;
        }
    }
}
