using System.Collections.Concurrent;
using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>The disk begins with what a streaming writer writes before anybody asks for a flush.</summary>
public sealed class WriteBackTests
{
    const int RegionBytes = 4 << 20;
    const int Regions = 8;

    readonly BegunFile file = new();
    readonly SimulatedClock clock = new();
    readonly WriteBack writeBack;

    public WriteBackTests() => writeBack = new WriteBack(file, clock);

    [Theory]
    [InlineData(4 << 10)]
    [InlineData(96 << 10)]
    [InlineData(1 << 20)]
    [InlineData(6 << 20)]
    public void Every_region_of_a_stream_is_begun_with_once_and_in_order(int writeBytes)
    {
        Stream(0, Regions * RegionBytes, writeBytes);
        file.WaitFor(Regions * RegionBytes);
        Assert.Equal(0, file.Begun[0].Offset);
        for (var i = 1; i < file.Begun.Count; i++)
            Assert.Equal(file.Begun[i - 1].Offset + file.Begun[i - 1].Length, file.Begun[i].Offset);
    }

    [Theory, Seeds(count: 5)]
    public void Writes_that_overtake_each_other_count_like_writes_in_order(ulong seed)
    {
        const int Window = 32, WriteBytes = 16 << 10;
        var random = new SeededRandom(seed);
        var outstanding = new List<int>();
        for (var next = 0; next < Regions * RegionBytes / WriteBytes || outstanding.Count > 0;)
        {
            while (outstanding.Count < Window && next < Regions * RegionBytes / WriteBytes) outstanding.Add(next++);
            var index = random.Next(outstanding.Count);
            writeBack.NoteWrite((long)outstanding[index] * WriteBytes, WriteBytes);
            outstanding.RemoveAt(index);
        }

        file.WaitFor(Regions * RegionBytes);
    }

    [Fact]
    public async Task A_device_leaves_streams_to_the_next_flush_where_that_is_wanted()
    {
        await using var device = new FileDevice(file);
        Assert.Equal(TimeSpan.Zero, device.FlushInterval);
        device.FlushInterval = TimeSpan.FromSeconds(10);
        await device.WriteAsync(Lba.Zero, new byte[2 * RegionBytes]);
        device.FlushInterval = TimeSpan.FromSeconds(5);
        await device.WriteAsync(new Lba(2 * RegionBytes / 4096), new byte[RegionBytes]);
        file.WaitFor(RegionBytes);
        Assert.Equal(2 * RegionBytes, Assert.Single(file.Begun).Offset);
    }

    [Fact]
    public void Several_streams_are_told_apart()
    {
        const long Apart = 1L << 33;
        for (var position = 0; position < 2 * RegionBytes; position += 256 << 10)
        {
            for (var stream = 0; stream < 16; stream++) writeBack.NoteWrite(stream * (Apart + RegionBytes * 2) + position, 256 << 10);
        }

        file.WaitFor(16 * 2 * RegionBytes);
    }

    [Theory, Seeds(count: 3)]
    public void Small_writes_here_and_there_begin_nothing(ulong seed)
    {
        var random = new SeededRandom(seed);
        for (var i = 0; i < 20_000; i++) writeBack.NoteWrite((long)random.Next(1 << 18) * 4096, 4096);
        Assert.Empty(file.Begun);
    }

    [Fact]
    public void One_call_is_under_way_at_a_time_and_neighbours_that_wait_become_one()
    {
        file.Gate.Reset();
        Stream(0, RegionBytes, 1 << 20);
        file.Entered.Wait();
        Stream(RegionBytes, 5 * RegionBytes, 1 << 20);
        Stream(10L * RegionBytes, RegionBytes, 1 << 20);
        Assert.Single(file.Begun);
        file.Gate.Set();
        file.WaitFor(7 * RegionBytes);
        Assert.Equal(
            [(0L, (long)RegionBytes), (RegionBytes, 5 * RegionBytes), (10L * RegionBytes, RegionBytes)],
            file.Begun);
    }

    [Fact]
    public void A_disk_that_refuses_is_not_asked_again()
    {
        file.Failure = ScriptedFile.Failure("sync_file_range", StorageErrorKind.InputOutput);
        Stream(0, RegionBytes, 1 << 20);
        file.Entered.Wait();
        SpinWait.SpinUntil(() =>
        {
            var before = file.Begun.Count;
            Stream(RegionBytes, RegionBytes, 1 << 20);
            return file.Begun.Count == before; // As soon as the refusal has been seen.
        });
    }

    [Fact]
    public void A_stream_that_goes_round_in_a_small_place_is_not_sent_to_the_disk_each_time()
    {
        writeBack.FlushInterval = TimeSpan.FromSeconds(5);
        for (var round = 0; round < 5; round++) Stream(0, 2 * RegionBytes, 1 << 20);
        Stream(7 * RegionBytes, RegionBytes, 1 << 20);
        file.WaitFor(3 * RegionBytes);
        clock.Advance(WriteBack.LongestRest);
        Stream(0, 2 * RegionBytes, 1 << 20);
        file.WaitFor(5 * RegionBytes);
    }

    [Fact]
    public void It_is_sent_as_often_as_somebody_flushes()
    {
        writeBack.FlushInterval = TimeSpan.FromMilliseconds(20);
        for (var round = 1; round <= 5; round++)
        {
            Stream(0, 2 * RegionBytes, 1 << 20);
            Stream(0, 2 * RegionBytes, 1 << 20);
            clock.Advance(TimeSpan.FromMilliseconds(20));
            file.WaitFor(round * 2 * RegionBytes);
        }
    }

    [Fact]
    public void Nothing_is_begun_with_after_the_end()
    {
        writeBack.Stop();
        Stream(0, Regions * RegionBytes, 1 << 20);
        Assert.Empty(file.Begun);
    }

    [Fact]
    public async Task A_device_begins_as_it_is_written()
    {
        var begun = new BegunFile();
        await using var device = new FileDevice(begun);
        for (var position = 0; position < begun.LengthBytes; position += 1 << 20)
            await device.WriteAsync(new Lba(position / 4096), new byte[1 << 20]);
        begun.WaitFor(Regions * RegionBytes);
    }

    [Fact]
    public void Noting_a_write_allocates_nothing()
    {
        var bytes = AllocationMeter.LeastBytes(() =>
        {
            for (var i = 0; i < 10_000; i++) writeBack.NoteWrite(i * 65536L % RegionBytes / 2, 65536);
        });
        Assert.Equal(0, bytes);
    }

    void Stream(long from, long lengthBytes, int writeBytes)
    {
        for (long position = 0; position < lengthBytes; position += writeBytes)
            writeBack.NoteWrite(from + position, Math.Min(writeBytes, lengthBytes - position));
    }

    // Remembers what was begun with, and does nothing else.
    sealed class BegunFile : IFile
    {
        readonly ConcurrentQueue<(long Offset, long Length)> begun = new();

        public ManualResetEventSlim Gate { get; } = new(initialState: true);

        public SemaphoreSlim Entered { get; } = new(0);

        public StorageException? Failure { get; set; }

        public IReadOnlyList<(long Offset, long Length)> Begun => [.. begun];

        public string Path => "/begun";

        public long LengthBytes => (long)Regions * RegionBytes;

        public long AllocatedBytes => LengthBytes;

        public void WaitFor(long bytes)
        {
            SpinWait.SpinUntil(() => begun.Sum(range => range.Length) >= bytes);
            Assert.Equal(bytes, begun.Sum(range => range.Length));
        }

        public void StartWriteBack(long offsetBytes, long lengthBytes)
        {
            begun.Enqueue((offsetBytes, lengthBytes));
            Entered.Release();
            Gate.Wait();
            if (Failure is { } failure) throw failure;
        }

        public int Read(Span<byte> destination, long offsetBytes) => destination.Length;

        public bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead)
        {
            bytesRead = destination.Length;
            return true;
        }

        public void Prefetch(long offsetBytes, long lengthBytes)
        {
        }

        public void Write(ReadOnlySpan<byte> source, long offsetBytes)
        {
        }

        public void SetLength(long lengthBytes)
        {
        }

        public void Allocate(long offsetBytes, long lengthBytes)
        {
        }

        public void PunchHole(long offsetBytes, long lengthBytes)
        {
        }

        public void Sync()
        {
        }

        public void Dispose()
        {
        }
    }
}
