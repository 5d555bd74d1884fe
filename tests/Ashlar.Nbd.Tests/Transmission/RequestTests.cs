using System.Buffers.Binary;
using Ashlar.Blocks;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;
using Ashlar.Storage;

namespace Ashlar.Nbd.Tests.Transmission;

/// <summary>What requests do and how they are answered.</summary>
public sealed class RequestTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_written_is_read(bool structured)
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Open(structured: structured);
        (ulong, int)[] ranges =
            [(0, 512), (4096, 4096), (100, 333), (1 << 20, 256 << 10), (3 << 20, (1 << 20) + 1), (8 << 20, 5 << 20), ((64 << 20) - 7, 7)];
        foreach (var (offset, length) in ranges)
        {
            var data = Pattern.Of(length);
            client.Write(offset, data);
            Assert.Equal(data, client.Read(offset, (uint)length));
        }
    }

    [Fact]
    public async Task A_structured_read_is_cut_into_chunks_of_256_KiB_of_which_only_the_last_is_marked()
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Open();
        var chunks = client.Call(CommandCode.Read, 0, (1 << 20) + 5);
        Assert.Equal([(256 << 10) + 8, (256 << 10) + 8, (256 << 10) + 8, (256 << 10) + 8, 13], chunks.Select(c => c.Payload.Length));
        Assert.Equal([false, false, false, false, true], chunks.Select(c => c.IsLast));
    }

    [Fact]
    public async Task Dont_fragment_gives_one_chunk_with_the_zeros_in_it()
    {
        var device = new TestDevice { ExtentAt = _ => new(BlockExtentKind.Hole, long.MaxValue / 2) };
        await using var fixture = new NbdFixture(device);
        using var client = fixture.Open();
        var chunk = Assert.Single(client.Call(CommandCode.Read, 512, 2 << 20, CommandFlags.DontFragment));
        Assert.Equal(ChunkCode.OffsetData, chunk.Type);
        Assert.Equal((2 << 20) + 8, chunk.Payload.Length);
    }

    [Fact]
    public async Task Holes_travel_as_holes_and_are_not_read()
    {
        // In 512-byte blocks: 64 KiB of data, then 192 KiB of hole, again and again.
        var device = new TestDevice
        {
            ExtentAt = block =>
                block % 512 < 128 ? new(BlockExtentKind.Data, 128 - (block % 512)) : new(BlockExtentKind.Hole, 512 - (block % 512)),
        };
        await using var fixture = new NbdFixture(device);
        using var client = fixture.Open();
        var chunks = client.Call(CommandCode.Read, 0, 512 << 10);
        Assert.Equal(
            [ChunkCode.OffsetData, ChunkCode.OffsetHole, ChunkCode.OffsetData, ChunkCode.OffsetHole], chunks.Select(c => c.Type));
        Assert.Equal(new OffsetHole(64 << 10, 192 << 10), OffsetHole.Read(chunks[1].Payload));
        Assert.Equal(new OffsetHole(320 << 10, 192 << 10), OffsetHole.Read(chunks[3].Payload));
        Assert.Equal(128 << 10, device.Calls.Sum(call => call.LengthBytes));
    }

    [Fact]
    public async Task Block_status_describes_holes_zeros_and_data_within_the_range()
    {
        var device = new TestDevice(blockSizeBytes: 4096)
        {
            ExtentAt = block => block switch
            {
                < 4 => new(BlockExtentKind.Data, 4 - block),
                < 8 => new(BlockExtentKind.Hole, 8 - block),
                < 12 => new(BlockExtentKind.Zero, 12 - block),
                _ => new(BlockExtentKind.Data, 1 << 20),
            },
        };
        await using var fixture = new NbdFixture(device);
        using var client = fixture.Open(blockStatus: true);

        Assert.Equal(
            [new(16384, 0), new(16384, 3), new(16384, 2), new(100, 0)],
            Descriptors(client.Call(CommandCode.BlockStatus, 0, 49152 + 100)));
        Assert.Equal(
            [new(6384, 0), new(1, 3)],
            Descriptors(client.Call(CommandCode.BlockStatus, 10000, 6385)));
        Assert.Equal(
            [new(6384, 0)], Descriptors(client.Call(CommandCode.BlockStatus, 10000, 60000, CommandFlags.RequestOne)));
    }

    [Fact]
    public async Task Neighbours_of_equal_kind_become_one_descriptor()
    {
        await using var fixture = new NbdFixture(new TestDevice { ExtentAt = _ => new(BlockExtentKind.Hole, 3) });
        using var client = fixture.Open(blockStatus: true);
        var status = Descriptors(client.Call(CommandCode.BlockStatus, 0, 30 * 512, CommandFlags.RequestOne));
        Assert.Equal([new(30 * 512, 3)], status);
    }

    [Fact]
    public async Task Zeroes_trim_flush_and_cache_reach_the_device_with_their_flags()
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Open();
        client.Write(0, Pattern.Of(8192), CommandFlags.ForceUnitAccess);
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.WriteZeroes, 0, 1024, CommandFlags.NoHole | CommandFlags.ForceUnitAccess));
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.WriteZeroes, 1024, 1024, CommandFlags.FastZero));
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.Trim, 2048, 1024, CommandFlags.ForceUnitAccess));
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.Flush, 0, 0));
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.Cache, 4096, 512));
        Assert.Equal(
            [
                new("write", 0, 8192, "ForceUnitAccess"), new("zero", 0, 1024, "ForceUnitAccess, KeepAllocated"),
                new("zero", 1024, 1024, "FastOnly"),
                new("trim", 2048, 1024), new("flush", 0, 0), new("flush", 0, 0), new("read", 4096, 512),
            ],
            fixture.Device.Calls);
        Assert.Equal([.. new byte[3072], .. Pattern.Of(8192)[3072..]], client.Read(0, 8192));
    }

    [Fact]
    public async Task A_durable_write_of_many_pieces_is_flushed_once_behind_them()
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Open();
        client.Write(0, Pattern.Of(3 << 20), CommandFlags.ForceUnitAccess);
        Assert.Equal("write write write flush", string.Join(' ', fixture.Device.Calls.Select(call => call.Kind)));
    }

    [Fact]
    public async Task Fast_zero_that_would_be_slow_is_not_supported()
    {
        var device = new TestDevice
        {
            Before = call => call.Options.Contains("FastOnly") ? throw new NotSupportedException() : Task.CompletedTask,
        };
        await using var fixture = new NbdFixture(device);
        using var client = fixture.Open();
        Assert.Equal(NbdError.NotSupported, client.ErrorOf(CommandCode.WriteZeroes, 0, 4096, CommandFlags.FastZero));
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.WriteZeroes, 0, 4096));
    }

    public static TheoryData<Exception, uint> DeviceErrors => new()
    {
        { new DeviceFullException("test", "the pool is full"), (uint)NbdError.NoSpace },
        { new DeviceReadOnlyException("test"), (uint)NbdError.NotPermitted },
        { new BadBlockException("test", Lba.Zero), (uint)NbdError.InputOutput },
        { new CorruptDataException("test", 0, "checksum"), (uint)NbdError.InputOutput },
        { new InvalidOperationException("a bug"), (uint)NbdError.InputOutput },
    };

    [Theory]
    [MemberData(nameof(DeviceErrors))]
    public async Task Errors_of_the_device_become_errors_of_the_protocol(Exception error, uint expected)
    {
        var failsLater = false;
        var device = new TestDevice { Before = _ => failsLater ? Task.FromException(error) : throw error };
        await using var fixture = new NbdFixture(device);
        foreach (var structured in new[] { true, false })
        {
            using var client = fixture.Open(structured: structured);
            foreach (var later in new[] { false, true })
            {
                // A read that fails has said nothing of success before.
                failsLater = later;
                var reply = Assert.Single(client.Call(CommandCode.Read, 0, 4096));
                Assert.Equal((NbdError)expected, reply.Error);
                Assert.Equal(structured, !reply.IsSimple);
                Assert.Equal((NbdError)expected, client.ErrorOf(CommandCode.Write, 0, 4096, payload: new byte[4096]));
                Assert.Equal((NbdError)expected, client.ErrorOf(CommandCode.Write, 0, 2 << 20, payload: new byte[2 << 20]));
                Assert.Equal((NbdError)expected, client.ErrorOf(CommandCode.Flush, 0, 0));
            }
        }
    }

    [Fact]
    public async Task A_failure_in_the_middle_of_a_chunked_read_follows_the_chunks_before_it()
    {
        var device = new TestDevice
        {
            Before = call => call.OffsetBytes == 256 << 10 ? throw new BadBlockException("test", new(512)) : Task.CompletedTask,
        };
        await using var fixture = new NbdFixture(device);
        using var client = fixture.Open();
        var chunks = client.Call(CommandCode.Read, 0, 1 << 20);
        Assert.Equal([ChunkCode.OffsetData, ChunkCode.Error], chunks.Select(c => c.Type));
        Assert.Equal(NbdError.InputOutput, chunks[1].Error);
        Assert.Equal(512, client.Read(0, 512).Length);
        Assert.Contains("BadBlockException: test: block 512 is bad", Assert.Single(fixture.Reports), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 4 << 10)]
    [InlineData(0, 128 << 10)]
    [InlineData(1, 4 << 10)]
    [InlineData(1, 64 << 10)]
    [InlineData(4, 64 << 10)]
    [InlineData(6, 64 << 10)]
    public async Task The_synchronous_path_allocates_nothing(ushort command, int length)
    {
        const int Warm = 1000, Measured = 2000;
        var probe = new AllocationProbe(Warm, Measured);
        await using var fixture = new NbdFixture(probe);
        using var client = fixture.Open();
        var payload = command == (ushort)CommandCode.Write ? new byte[length] : null;
        for (var i = 0; i < Warm + Measured; i++)
            Assert.Equal(NbdError.None, client.ErrorOf((CommandCode)command, 4096, (uint)length, payload: payload));
        Assert.Equal(Warm + Measured, probe.Calls);
        // A pool may have to grow once; garbage of a request comes with each of them.
        Assert.InRange(probe.AllocatedBytes, 0, Measured - 1);
    }

    static List<BlockDescriptor> Descriptors(List<ReplyChunk> reply)
    {
        var chunk = Assert.Single(reply);
        Assert.Equal(ChunkCode.BlockStatus, chunk.Type);
        Assert.Equal(1u, BinaryPrimitives.ReadUInt32BigEndian(chunk.Payload));
        return [.. chunk.Payload[4..].Chunk(BlockDescriptor.SizeBytes).Select(bytes => BlockDescriptor.Read(bytes))];
    }
}
