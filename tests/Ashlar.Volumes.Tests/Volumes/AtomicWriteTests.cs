using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>Atomic writes without a crash: what they write, what they take, and who has none.</summary>
public sealed class AtomicWriteTests
{
    const int Mebibyte = 1 << 20;

    [Theory]
    [InlineData(4096)]
    [InlineData(512)]
    public async Task What_is_written_is_read_wherever_it_begins_and_ends(int blockBytes)
    {
        await using var pool = await TestPool.CreateAsync(chunks: 400);
        var volume = await pool.CreateVolumeAsync("disk", 4 * Mebibyte, blockBytes);
        var expected = new byte[4 * Mebibyte];
        var random = new SeededRandom(7);
        for (var i = 0; i < 300; i++)
        {
            var length = (1 + random.Next(i % 10 == 0 ? Mebibyte / blockBytes : 40)) * blockBytes;
            var start = random.Next(((expected.Length - length) / blockBytes) + 1);
            if (i % 3 == 1) start = Math.Min(start, (Mebibyte / blockBytes) - 1); // Often over the first border.
            var data = random.Bytes(length);
            await volume.WriteAsync(new Lba(start), data, i % 4 == 0 ? WriteOptions.None : WriteOptions.Atomic);
            data.CopyTo(expected, start * blockBytes);
            if (i % 9 == 0) await volume.TrimAsync(new Lba(start), length / blockBytes);
            if (i % 9 == 0) expected.AsSpan(start * blockBytes, length).Clear();
            if (i % 7 == 0) await volume.FlushAsync();
            if (i % 50 == 49) await pool.Pool.CommitAsync();
        }

        await MustHoldAsync(volume, expected);
        await pool.ReopenAsync();
        await MustHoldAsync(pool.Pool.OpenVolume("disk")!, expected);
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    // The old place is free when the new one is committed: the same page, again and again, goes to and fro.
    [Fact]
    public async Task Overwriting_again_and_again_takes_no_more_than_twice_the_space()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 200);
        var volume = await pool.CreateVolumeAsync("disk", 2 * Mebibyte);
        var random = new SeededRandom(8);
        await volume.WriteAsync(Lba.Zero, random.Bytes(2 * Mebibyte));
        for (var i = 0; i < 2000; i++)
        {
            await volume.WriteAsync(new Lba(2 * random.Next(256)), random.Bytes(8192), WriteOptions.Atomic);
            if (i % 8 == 7) await volume.FlushAsync();
        }

        await pool.Pool.CommitAsync();
        await pool.Pool.WaitForBackgroundAsync();
        Assert.InRange(pool.Pool.GetUsage().AllocatedBytes, 2 * Mebibyte, (4 * Mebibyte) + (Mebibyte / 4));
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task Snapshots_keep_what_atomic_writes_replace()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 400);
        var volume = await pool.CreateVolumeAsync("disk", 2 * Mebibyte);
        var random = new SeededRandom(9);
        var before = random.Bytes(2 * Mebibyte);
        await volume.WriteAsync(Lba.Zero, before);
        var after = before.ToArray();
        await pool.Pool.TakeSnapshotAsync("disk", "s");
        for (var i = 0; i < 60; i++)
        {
            var data = random.Bytes(4096 * (1 + random.Next(20)));
            var start = random.Next(512 - (data.Length / 4096));
            await volume.WriteAsync(new Lba(start), data, WriteOptions.Atomic);
            data.CopyTo(after, start * 4096);
        }

        await pool.Pool.CommitAsync();
        await pool.ReopenAsync();
        await MustHoldAsync(pool.Pool.OpenVolume("disk")!, after);
        await MustHoldAsync(pool.Pool.OpenSnapshot("disk", "s")!, before);
        await (await pool.Pool.DeleteSnapshotsAsync("disk", ["s"]));
        await MustHoldAsync(pool.Pool.OpenVolume("disk")!, after);
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task A_pool_without_room_for_new_places_refuses_and_changes_nothing()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 32);
        var volume = await pool.CreateVolumeAsync("disk", 2 * Mebibyte);
        var data = new SeededRandom(10).Bytes(2 * Mebibyte);
        await volume.WriteAsync(Lba.Zero, data);
        await volume.FlushAsync();
        foreach (var start in new[] { 5, 250 })
        {
            await Assert.ThrowsAsync<DeviceFullException>(
                async () => await volume.WriteAsync(new Lba(start), new byte[64 << 10], WriteOptions.Atomic));
        }

        await MustHoldAsync(volume, data);
        await volume.TrimAsync(new Lba(480), 32);
        await volume.WriteAsync(new Lba(250), new byte[64 << 10], WriteOptions.Atomic);
        data.AsSpan(480 * 4096).Clear();
        data.AsSpan(250 * 4096, 64 << 10).Clear();
        await MustHoldAsync(volume, data);
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task Writers_on_both_sides_of_a_border_and_over_it_do_not_stop_one_another()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 400);
        var volume = await pool.CreateVolumeAsync("disk", 2 * Mebibyte);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(writer => Task.Run(async () =>
        {
            var data = new byte[4 * 4096];
            data.AsSpan().Fill((byte)(writer + 1));
            for (var i = 0; i < 60; i++)
            {
                var start = writer < 3 ? 254 : writer == 3 ? 240 : 256;
                await volume.WriteAsync(new Lba(start), data, writer < 3 ? WriteOptions.Atomic : WriteOptions.None);
                if (i % 5 == writer % 5) await volume.FlushAsync();
            }
        })));
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task Commits_wait_neither_for_leaves_that_one_over_a_border_loads_nor_for_a_thread_of_its_own()
    {
        HookedDevice? device = null;
        await using var pool = await TestPool.CreateAsync(chunks: 400, wrap: inner => device = new HookedDevice(inner));
        await (await pool.CreateVolumeAsync("disk", 2 * Mebibyte)).WriteAsync(Lba.Zero, new SeededRandom(11).Bytes(2 * Mebibyte));
        await pool.ReopenAsync();
        var volume = pool.Pool.OpenVolume("disk")!;
        await using var turn = await HeldTurn.TakeAsync(pool);
        var before = pool.Pool.Parts.Cache.Loads;
        var writing = volume.WriteAsync(new Lba(255), new byte[8192], WriteOptions.Atomic).AsTask();
        Assert.True(SpinWait.SpinUntil(() => pool.Pool.Parts.Cache.Loads == before + 2, TimeSpan.FromSeconds(10)));
        string? thread = null;
        device!.BeforeFlush = () =>
        {
            thread = Thread.CurrentThread.Name;
            return Task.CompletedTask;
        };
        await turn.DisposeAsync();
        await writing;
        Assert.Equal("ashlar-work", thread); // That of commits, not of reads.
    }

    [Fact]
    public async Task One_that_is_given_up_while_a_commit_runs_changes_nothing()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 400);
        var volume = await pool.CreateVolumeAsync("disk", 2 * Mebibyte);
        var data = new SeededRandom(12).Bytes(2 * Mebibyte);
        await volume.WriteAsync(Lba.Zero, data);
        await using var turn = await HeldTurn.TakeAsync(pool);
        using var giveUp = new CancellationTokenSource();
        var writing = volume.WriteAsync(new Lba(255), new byte[8192], WriteOptions.Atomic, giveUp.Token).AsTask();
        await giveUp.CancelAsync();
        await turn.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
        await MustHoldAsync(volume, data);
    }

    [Fact]
    public async Task Thick_volumes_have_none_and_thin_ones_none_longer_than_they_say()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 400);
        var thick = await pool.CreateVolumeAsync("thick", 2 * Mebibyte, isThick: true);
        var thin = await pool.CreateVolumeAsync("thin", 4 * Mebibyte);
        Assert.Equal((0, Mebibyte), (thick.Geometry.MaxAtomicWriteBytes, thin.Geometry.MaxAtomicWriteBytes));
        await Assert.ThrowsAsync<AtomicWriteException>(async () => await thick.WriteAsync(Lba.Zero, new byte[4096], WriteOptions.Atomic));
        await Assert.ThrowsAsync<AtomicWriteException>(
            async () => await thin.WriteAsync(Lba.Zero, new byte[Mebibyte + 4096], WriteOptions.Atomic));
    }

    // As a commit that takes its time.
    sealed class HeldTurn(TaskCompletionSource end, Task held) : IAsyncDisposable
    {
        public static async Task<HeldTurn> TakeAsync(TestPool pool)
        {
            var (began, end) = (new TaskCompletionSource(), new TaskCompletionSource());
            var held = pool.Pool.Parts.Committer.ExcludeAsync(async () =>
            {
                began.SetResult();
                await end.Task;
                return true;
            }).AsTask();
            await began.Task;
            return new(end, held);
        }

        public async ValueTask DisposeAsync()
        {
            end.TrySetResult();
            await held;
        }
    }

    static async Task MustHoldAsync(IBlockDevice volume, byte[] expected)
    {
        var found = new byte[expected.Length];
        await volume.ReadAsync(Lba.Zero, found);
        Assert.Equal(expected, found);
    }
}
