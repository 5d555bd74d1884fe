using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.Devices;

public sealed class FileDeviceTests
{
    const int BlockSize = 4096;

    readonly ScriptedFile file = new(64 * BlockSize);
    readonly FileDevice device;

    public FileDeviceTests() => device = new FileDevice(file);

    [Fact]
    public void A_read_of_cached_bytes_completes_at_once()
    {
        var read = device.ReadAsync(new Lba(1), new byte[BlockSize]);
        Assert.True(read.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_read_that_must_wait_leaves_the_callers_thread_free()
    {
        await device.WriteAsync(new Lba(3), Filled(7));
        file.IsCached = false;
        file.Medium.Reset();
        var buffer = new byte[BlockSize];
        var read = device.ReadAsync(new Lba(3), buffer).AsTask();
        Assert.False(read.IsCompleted);
        file.Medium.Set();
        await read;
        Assert.Equal(Filled(7), buffer);
        Assert.NotEqual(0, file.ReaderThread);
    }

    [Fact]
    public async Task Reads_that_must_wait_run_side_by_side()
    {
        for (var block = 0; block < 8; block++) await device.WriteAsync(new Lba(block), Filled((byte)block));
        file.IsCached = false;
        file.Medium.Reset();
        var buffers = Enumerable.Range(0, 8).Select(_ => new byte[BlockSize]).ToArray();
        var reads = Enumerable.Range(0, 8).Select(block => device.ReadAsync(new Lba(block), buffers[block]).AsTask()).ToArray();
        file.Medium.Set();
        await Task.WhenAll(reads);
        for (var block = 0; block < 8; block++) Assert.Equal(Filled((byte)block), buffers[block]);
    }

    [Fact]
    public async Task A_flush_leaves_the_callers_thread_free()
    {
        file.Medium.Reset();
        var flush = device.FlushAsync().AsTask();
        Assert.True(await file.SyncBegun.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.False(flush.IsCompleted);
        Assert.True(device.ReadAsync(Lba.Zero, new byte[BlockSize]).AsTask().IsCompletedSuccessfully);
        Assert.True(device.WriteAsync(Lba.Zero, new byte[BlockSize]).AsTask().IsCompletedSuccessfully);
        file.Medium.Set();
        await flush;
    }

    [Fact]
    public async Task Flushes_asked_for_during_a_flush_share_the_next_one()
    {
        file.Medium.Reset();
        var first = device.FlushAsync().AsTask();
        Assert.True(await file.SyncBegun.WaitAsync(TimeSpan.FromSeconds(30)));
        await device.WriteAsync(Lba.Zero, Filled(1)); // The sync that runs may have missed it.
        var later = Enumerable.Range(0, 10).Select(_ => device.FlushAsync().AsTask()).ToArray();
        Assert.All(later, flush => Assert.False(flush.IsCompleted));
        file.Medium.Set();
        await first;
        await Task.WhenAll(later);
        Assert.Equal(2, file.Syncs);
        Assert.Equal(11, device.GetStatistics().Flushes);
    }

    [Fact]
    public async Task A_flush_with_nothing_to_do_costs_no_sync_but_the_first_one_after_opening_always_does()
    {
        await device.FlushAsync();
        await device.FlushAsync();
        Assert.Equal(1, file.Syncs);
        await device.WriteAsync(Lba.Zero, Filled(1));
        await device.FlushAsync();
        await device.FlushAsync();
        Assert.Equal(2, file.Syncs);
        await device.TrimAsync(Lba.Zero, 1);
        await device.FlushAsync();
        Assert.Equal(3, file.Syncs);
    }

    [Fact]
    public async Task A_write_with_forced_unit_access_is_on_the_disk_when_it_completes()
    {
        await device.WriteAsync(Lba.Zero, Filled(1), WriteOptions.ForceUnitAccess);
        Assert.Equal(1, file.Syncs);
        await device.WriteZeroesAsync(Lba.Zero, 1, ZeroOptions.ForceUnitAccess);
        Assert.Equal(2, file.Syncs);
    }

    [Fact]
    public async Task After_a_failed_flush_nothing_is_written_or_flushed_again_and_the_first_cause_is_named()
    {
        await device.WriteAsync(Lba.Zero, Filled(1));
        file.SyncFailure = ScriptedFile.Failure("fdatasync", StorageErrorKind.InputOutput);
        var first = await Assert.ThrowsAsync<DeviceIOException>(async () => await device.FlushAsync());
        file.SyncFailure = null; // What Linux does: the next fdatasync succeeds, although the pages are lost.

        var errors = new[]
        {
            await Assert.ThrowsAsync<DeviceIOException>(async () => await device.FlushAsync()),
            await Assert.ThrowsAsync<DeviceIOException>(async () => await device.WriteAsync(Lba.Zero, Filled(2))),
            await Assert.ThrowsAsync<DeviceIOException>(async () => await device.WriteZeroesAsync(Lba.Zero, 1)),
            await Assert.ThrowsAsync<DeviceIOException>(async () => await device.TrimAsync(Lba.Zero, 1)),
            await Assert.ThrowsAsync<DeviceIOException>(async () => await device.DisposeAsync()),
        };
        Assert.All(errors, error => Assert.Same(first.InnerException, error.InnerException));
        Assert.All(errors, error => Assert.False(error.IsTransient));
        Assert.Equal(1, file.Syncs);
        await device.ReadAsync(Lba.Zero, new byte[BlockSize]);
    }

    [Fact]
    public async Task Flushes_that_wait_for_their_turn_fail_with_the_one_before_them()
    {
        file.Medium.Reset();
        var first = device.FlushAsync().AsTask();
        Assert.True(await file.SyncBegun.WaitAsync(TimeSpan.FromSeconds(30)));
        await device.WriteAsync(Lba.Zero, Filled(1));
        var second = device.FlushAsync().AsTask();
        file.SyncFailure = ScriptedFile.Failure("fdatasync", StorageErrorKind.InputOutput);
        file.Medium.Set();
        await Assert.ThrowsAsync<DeviceIOException>(() => first);
        await Assert.ThrowsAsync<DeviceIOException>(() => second);
        Assert.Equal(1, file.Syncs);
    }

    [Fact]
    public async Task A_full_disk_is_a_full_device()
    {
        file.WriteFailure = ScriptedFile.Failure("pwrite", StorageErrorKind.NoSpace, Errno.NoSpace);
        await Assert.ThrowsAsync<DeviceFullException>(async () => await device.WriteAsync(Lba.Zero, Filled(1)));
        file.WriteFailure = null;
        await device.WriteAsync(Lba.Zero, Filled(1)); // Space has come back; a failed write is not in doubt.
    }

    [Theory]
    [InlineData(Errno.InputOutput, false)]
    [InlineData(Errno.WouldBlock, true)]
    public async Task A_failed_read_says_whether_trying_again_may_help(int errno, bool isTransient)
    {
        file.IsCached = false;
        file.ReadFailure = ScriptedFile.Failure("pread", StorageErrorKind.InputOutput, errno);
        var error = await Assert.ThrowsAsync<DeviceIOException>(async () => await device.ReadAsync(Lba.Zero, new byte[BlockSize]));
        Assert.Equal(isTransient, error.IsTransient);
        Assert.Equal(1, device.GetStatistics().Failures);
    }

    [Fact]
    public async Task Where_holes_cannot_be_punched_zeros_are_written_unless_only_fast_ones_will_do()
    {
        file.PunchHoleFailure = ScriptedFile.Failure("fallocate", StorageErrorKind.NotSupported, Errno.NotSupported);
        await device.WriteAsync(Lba.Zero, Enumerable.Repeat((byte)9, 40 * BlockSize).ToArray());
        await Assert.ThrowsAsync<NotSupportedException>(
            async () => await device.WriteZeroesAsync(new Lba(1), 33, ZeroOptions.FastOnly));
        await device.WriteZeroesAsync(new Lba(1), 33);
        var buffer = new byte[40 * BlockSize];
        await device.ReadAsync(Lba.Zero, buffer);
        Assert.Equal(33 * BlockSize, buffer.Count(value => value == 0));
        Assert.Equal(9, buffer[BlockSize - 1]);
        Assert.Equal(9, buffer[34 * BlockSize]);
    }

    [Fact]
    public async Task Trim_gives_space_back_to_the_file_system()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        await using var thin = FileDevice.Create(disk, "/disk", 1 << 20);
        using var observer = disk.Open("/disk", FileOpenMode.ReadOnly);
        await thin.WriteAsync(Lba.Zero, new byte[64 * BlockSize]);
        Assert.Equal(64 * BlockSize, observer.AllocatedBytes);
        await thin.TrimAsync(new Lba(16), 32);
        Assert.Equal(32 * BlockSize, observer.AllocatedBytes);
    }

    [Fact]
    public async Task A_read_only_device_refuses_changes_and_flushes_quietly()
    {
        await using var readOnly = new FileDevice(new ScriptedFile(2 * BlockSize), isReadOnly: true);
        await Assert.ThrowsAsync<DeviceReadOnlyException>(async () => await readOnly.WriteAsync(Lba.Zero, Filled(1)));
        await Assert.ThrowsAsync<DeviceReadOnlyException>(async () => await readOnly.TrimAsync(Lba.Zero, 1));
        await Assert.ThrowsAsync<DeviceReadOnlyException>(async () => await readOnly.WriteZeroesAsync(Lba.Zero, 1));
        await readOnly.FlushAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4095)]
    [InlineData(4097)]
    public void A_file_that_is_no_whole_number_of_blocks_is_refused(int length) =>
        Assert.Throws<UnsupportedFormatException>(() => new FileDevice(new ScriptedFile(length)));

    [Theory]
    [InlineData(true, FileOpenMode.ReadOnly)]
    [InlineData(false, FileOpenMode.Existing)]
    public async Task What_is_only_read_is_opened_for_reading(bool isReadOnly, FileOpenMode expected)
    {
        var disk = new NotingFileSystem(new SimulatedFileSystem(isRecording: false));
        await using (FileDevice.Create(disk, "/device", 2 * BlockSize)) disk.Modes.Clear();
        await using (FileDevice.Open(disk, "/device", isReadOnly: isReadOnly)) Assert.Equal([expected], disk.Modes);
    }

    [Fact]
    public void Creating_never_overwrites()
    {
        var disk = new SimulatedFileSystem();
        using (disk.Open("/disk", FileOpenMode.CreateNew))
        {
        }
        var error = Assert.Throws<StorageException>(() => FileDevice.Create(disk, "/disk", 1 << 20));
        Assert.Equal(StorageErrorKind.AlreadyExists, error.Kind);
    }

    static byte[] Filled(byte value) => Enumerable.Repeat(value, BlockSize).ToArray();

    sealed class NotingFileSystem(IFileSystem inner) : PassingFileSystem(inner)
    {
        public List<FileOpenMode> Modes { get; } = [];

        public override IFile Open(string path, FileOpenMode mode)
        {
            Modes.Add(mode);
            return base.Open(path, mode);
        }
    }
}
