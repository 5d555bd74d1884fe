using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Volumes.Tests;

/// <summary>What a crash leaves in chunks that nobody owns goes back to the file system below.</summary>
public sealed class LeftoverTests
{
    [Fact]
    public async Task Space_of_writes_that_were_never_committed_is_given_back_after_a_crash()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var process = new MortalFileSystem(disk);
        var pool = await TestPool.CreateAsync(disk: process, options: TestPool.DefaultOptions());
        var volume = await pool.CreateVolumeAsync("disk", 8 << 20);
        await volume.WriteAsync(Lba.Zero, Filled(MapLayout.ChunkBytes, 1));
        await volume.FlushAsync();
        var committedBytes = AllocatedBytes(disk);
        await volume.WriteAsync(new Lba(1024), Filled(8 * MapLayout.ChunkBytes, 2));
        Assert.True(AllocatedBytes(disk) >= committedBytes + (8 * MapLayout.ChunkBytes));
        process.Kill();

        await using var reopened = await TestPool.OpenAsync(disk, TestPool.DefaultOptions(2));
        await reopened.Pool.WaitForBackgroundAsync();
        Assert.Equal(committedBytes, AllocatedBytes(disk));
        Assert.Equal(MapLayout.ChunkBytes, reopened.Pool.GetUsage().AllocatedBytes);
        var found = new byte[MapLayout.ChunkBytes];
        await reopened.Pool.OpenVolume("disk")!.ReadAsync(Lba.Zero, found);
        Assert.Equal(Filled(MapLayout.ChunkBytes, 1), found);
    }

    [Fact]
    public async Task Nobody_gets_space_while_what_a_crash_left_in_it_is_punched()
    {
        var crashed = await CrashedPool.CreateAsync();
        await crashed.CommitAsync();
        crashed.Kill();
        var (isPunching, mayPunch) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var pool = await TestPool.OpenAsync(crashed.Disk, TestPool.DefaultOptions(2), wrap: device => new HookedDevice(device)
        {
            BeforeTrim = async _ =>
            {
                isPunching.TrySetResult();
                await mayPunch.Task;
            },
        });
        await isPunching.Task;
        var volume = pool.Pool.OpenVolume("disk")!;
        var writing = Task.Run(() => volume.WriteAsync(new Lba(3), CrashedPool.Content(1)).AsTask());
        await Waiting.UntilAsync(() => pool.Pool.Parts.Reclaimer.HasWaiters || writing.IsCompleted, "the write neither waits nor ends");
        mayPunch.SetResult();
        await writing;
        await pool.Pool.WaitForBackgroundAsync();
        Assert.Equal(CrashedPool.Content(1), await CrashedPool.ReadAsync(volume, 3));
        await volume.FlushAsync();
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public void Runs_of_free_chunks_are_found_across_words()
    {
        var space = new ChunkSpace(200);
        Assert.Equal((MapLayout.ReservedChunks, 200 - MapLayout.ReservedChunks), space.FindFreeRun(0));
        var cursor = 0L;
        Assert.Equal(130, space.Take(preferred: 130, slot: 0, ref cursor));
        Assert.Equal((MapLayout.ReservedChunks, 130 - MapLayout.ReservedChunks), space.FindFreeRun(0));
        Assert.Equal((131, 69), space.FindFreeRun(130));
        Assert.Equal((199, 1), space.FindFreeRun(199));
        Assert.Equal(0, space.FindFreeRun(200).Count);
    }

    static byte[] Filled(int length, byte value)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill(value);
        return bytes;
    }

    static long AllocatedBytes(SimulatedFileSystem disk)
    {
        using var file = disk.Open("/pool.data", FileOpenMode.ReadOnly);
        return file.AllocatedBytes;
    }
}
