using Ashlar.Blocks;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Volumes.Tests;

/// <summary>Snapshots that are taken while others write.</summary>
public sealed class SnapshotUnderWritersTests
{
    const int Blocks = 64, Writers = 4;

    [Fact]
    public async Task A_snapshot_has_what_was_acknowledged_before_it_and_nothing_that_began_after_it()
    {
        for (var round = 0; round < TestTier.Choose(3, 60); round++) Assert.Null(await RunAsync(PlantedBug.None, snapshots: 12));
    }

    [Fact]
    public async Task A_snapshot_waits_for_those_who_are_about_to_change_something()
    {
        Assert.True(await IsTheSameLaterAsync(PlantedBug.None, patience: TimeSpan.FromMilliseconds(100)));
        Assert.False(await IsTheSameLaterAsync(PlantedBug.CutWithoutWaiting, patience: TimeSpan.FromSeconds(20)));
    }

    // A block is about to be written, for the first time, when the snapshot is taken.
    static async Task<bool> IsTheSameLaterAsync(PlantedBug bug, TimeSpan patience)
    {
        var (reached, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(
            options: TestPool.DefaultOptions() with { Factory = bug.ToFactory() }, wrap: device => hooks = new HookedDevice(device));
        var volume = await pool.CreateVolumeAsync("a", 1 << 20);
        await volume.WriteAsync(new Lba(3), Content(1));
        await pool.Pool.CommitAsync();
        hooks.BeforeWrite = _ =>
        {
            reached.TrySetResult();
            return goOn.Task;
        };
        var writing = volume.WriteAsync(new Lba(5), Content(2)).AsTask();
        await reached.Task;
        var taking = pool.Pool.TakeSnapshotAsync("a", "s").AsTask();
        await Task.WhenAny(taking, Task.Delay(patience));
        var first = taking.IsCompleted ? await ReadAsync(pool.Pool.OpenSnapshot("a", "s")!, 5) : -1;
        goOn.SetResult();
        await writing;
        await taking;
        if (first < 0) first = await ReadAsync(pool.Pool.OpenSnapshot("a", "s")!, 5);
        await pool.ReopenAsync();
        return first == await ReadAsync(pool.Pool.OpenSnapshot("a", "s")!, 5);
    }

    // Each writer writes the same number to a block of the first volume and then of the second, and then the next number: the snapshot of
    // the first has what that of the second has, or the next.
    static async Task<string?> RunAsync(PlantedBug bug, int snapshots)
    {
        var options = TestPool.DefaultOptions() with { Factory = bug.ToFactory() };
        await using var pool = await TestPool.CreateAsync(chunks: 4000, options: options, wrap: device => new HookedDevice(device)
        {
            BeforeWrite = async _ => await Task.Yield(),
        });
        var (first, second) = (await pool.CreateVolumeAsync("a", 1 << 20), await pool.CreateVolumeAsync("b", 1 << 20));
        var acknowledged = new int[Blocks];
        var begun = new int[Blocks];
        using var ending = new CancellationTokenSource();
        var writing = Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            for (var number = 1; !ending.IsCancellationRequested; number++)
            {
                for (var block = writer; block < Blocks; block += Writers)
                {
                    Volatile.Write(ref begun[block], number);
                    await first.WriteAsync(new Lba(block), Content(number));
                    await second.WriteAsync(new Lba(block), Content(number));
                    Volatile.Write(ref acknowledged[block], number);
                }

                if (number % 5 == 0) await first.FlushAsync();
            }
        })).ToArray();
        string? problem = null;
        try
        {
            for (var i = 0; i < snapshots && problem is null; i++)
            {
                var before = Enumerable.Range(0, Blocks).Select(block => Volatile.Read(ref acknowledged[block])).ToArray();
                await pool.Pool.TakeSnapshotsAsync([("a", $"s{i}"), ("b", $"s{i}")]);
                var after = Enumerable.Range(0, Blocks).Select(block => Volatile.Read(ref begun[block])).ToArray();
                for (var block = 0; block < Blocks && problem is null; block++)
                    problem = await CheckAsync(pool.Pool, $"s{i}", block, before[block], after[block]);
                if (i % 3 == 2) await pool.Pool.DeleteSnapshotsAsync("a", [$"s{i - 1}"]);
            }
        }
        finally
        {
            await ending.CancelAsync();
            problem ??= (await Record.ExceptionAsync(() => Task.WhenAll(writing)))?.Message;
        }

        if (problem is not null) return problem;
        await pool.SettleAsync();
        return string.Join("\n", (await pool.Pool.VerifyAsync(readData: true)).Problems) is { Length: > 0 } problems ? problems : null;
    }

    static async Task<string?> CheckAsync(StoragePool pool, string snapshot, int block, int before, int after)
    {
        try
        {
            var a = await ReadAsync(pool.OpenSnapshot("a", snapshot)!, block);
            var b = await ReadAsync(pool.OpenSnapshot("b", snapshot)!, block);
            var isRight = b >= before && a >= b && a <= b + 1 && a <= after;
            return isRight ? null : $"{snapshot}, block {block}: {a} and {b}, between {before} and {after}";
        }
        catch (CorruptDataException damaged)
        {
            return damaged.Message;
        }
    }

    static byte[] Content(int number)
    {
        var content = new byte[4096];
        content.AsSpan().Fill((byte)number);
        BitConverter.TryWriteBytes(content, number);
        return content;
    }

    static async Task<int> ReadAsync(IBlockDevice device, int block)
    {
        var content = new byte[4096];
        await device.ReadAsync(new Lba(block), content);
        return BitConverter.ToInt32(content);
    }
}
