using Ashlar.Blocks;

namespace Ashlar.Volumes.Tests;

/// <summary>A volume that is shrunk while somebody writes beyond its new end.</summary>
public sealed class ShrinkUnderWritersTests
{
    [Fact]
    public async Task A_write_beyond_the_end_that_had_to_wait_while_the_volume_shrank_is_refused()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));
        var volume = await pool.CreateVolumeAsync("disk", 4 << 20);
        var (isWriting, mayWrite) = (new TaskCompletionSource(), new TaskCompletionSource());
        hooks.BeforeWrite = async _ =>
        {
            hooks.BeforeWrite = _ => Task.CompletedTask;
            isWriting.SetResult();
            await mayWrite.Task;
        };
        var block = new Lba(2 * MapLayout.BlocksPerLeaf);
        var first = Task.Run(() => volume.WriteAsync(block, new byte[4096]).AsTask()); // Holds the MiB.
        await isWriting.Task;
        var second = volume.WriteAsync(block + 1, CrashedPool.Content(1)).AsTask(); // Waits for it.
        var shrinking = pool.Pool.ResizeVolumeAsync("disk", 1 << 20, allowShrink: true).AsTask();
        while (volume.Geometry.SizeBytes != 1 << 20) await Task.Delay(1).WaitAsync(TimeSpan.FromMinutes(1));
        mayWrite.SetResult();
        await first;
        await Assert.ThrowsAsync<BlockRangeException>(() => second);
        await shrinking;
        Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
        await pool.Pool.ResizeVolumeAsync("disk", 4 << 20);
        Assert.Equal(new byte[4096], await CrashedPool.ReadAsync(volume, block.Value + 1));
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }
}
