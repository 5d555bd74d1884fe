using Ashlar.Blocks;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;

namespace Ashlar.Nbd.Tests.Hostile;

/// <summary>Bad input once an export is open. Every case: an error of the protocol or a cut, nothing leaked, others unharmed.</summary>
public sealed class HostileTransmissionTests : IAsyncLifetime
{
    const ulong Size = 64 << 20;
    readonly NbdFixture fixture = new();

    [Fact]
    public void Request_magic_wrong()
    {
        using var client = fixture.Open();
        client.Send(new byte[RequestHeader.SizeBytes]);
        client.MustBeCutOff();
        OthersAreWell();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void READ_length_0(bool structured)
    {
        using var client = fixture.Open(structured: structured);
        Assert.Empty(client.Read(0, 0));
        Assert.Empty(client.Read(Size, 0));
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.Write, 0, 0));
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.Trim, 0, 0));
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.WriteZeroes, 0, 0));
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.Cache, 0, 0));
        client.MustStillWork();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void READ_of_32_MiB_works_and_longer_ones_are_refused(bool structured)
    {
        using var client = fixture.Open(structured: structured);
        Assert.Equal(1 << 25, client.Read(0, 1 << 25).Length);
        Assert.Equal(NbdError.Overflow, client.ErrorOf(CommandCode.Read, 0, (1 << 25) + 1));
        Assert.Equal(NbdError.Overflow, client.ErrorOf(CommandCode.Read, 0, uint.MaxValue));
        client.MustStillWork();
    }

    [Fact]
    public void Beyond_the_end_and_around_2_to_the_64()
    {
        using var client = fixture.Open(blockStatus: true);
        foreach (var (offset, length) in new (ulong, uint)[]
                 { (Size, 1), (Size - 511, 512), (Size + 1, 0), (ulong.MaxValue, 1), (ulong.MaxValue - 511, 512),
                     (ulong.MaxValue - 511, 1024), (1UL << 63, 512) })
        {
            Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.Read, offset, length));
            Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.Trim, offset, length));
            Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.Cache, offset, length));
            Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.BlockStatus, offset, length));
            Assert.Equal(NbdError.NoSpace, client.ErrorOf(CommandCode.WriteZeroes, offset, length));
            Assert.Equal(NbdError.NoSpace, client.ErrorOf(CommandCode.Write, offset, length, payload: new byte[length]));
        }
        Assert.Empty(fixture.Device.Calls);
        client.MustStillWork();
    }

    [Fact]
    public void Unaligned_requests_are_served_because_the_minimum_is_1()
    {
        using var client = fixture.Open();
        client.Write(511, [1, 2, 3]);
        Assert.Equal([0, 1, 2, 3, 0], client.Read(510, 5));
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.WriteZeroes, 512, 1));
        Assert.Equal([0, 1, 0, 3, 0], client.Read(510, 5));
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.Trim, 511, 3));
    }

    [Fact]
    public async Task WRITE_announces_32_MiB_and_sends_1_byte()
    {
        await using var impatient = new NbdFixture(transferTimeout: TimeSpan.FromMilliseconds(300));
        using var bystander = impatient.Open();
        using (var leaver = impatient.Open())
        {
            leaver.Request(CommandCode.Write, 0, 1 << 25, payload: [1]);
        }
        using var sitter = impatient.Open();
        sitter.Request(CommandCode.Write, 0, 1 << 25, payload: [1]);
        sitter.MustBeCutOff();
        bystander.MustStillWork();
        Assert.All(impatient.Device.Calls, call => Assert.Equal("read", call.Kind));
    }

    [Fact]
    public void WRITE_longer_than_allowed_is_skipped_or_cut_off()
    {
        using var client = fixture.Open();
        Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.Write, 0, (1 << 25) + 1, payload: new byte[(1 << 25) + 1]));
        client.MustStillWork();
        client.Request(CommandCode.Write, 0, uint.MaxValue);
        client.MustBeCutOff();
        OthersAreWell();
    }

    [Fact]
    public async Task WRITE_on_a_read_only_export()
    {
        await using var readOnly = new NbdFixture(new TestDevice { IsReadOnly = true });
        using var client = readOnly.Open();
        Assert.Equal(NbdError.NotPermitted, client.ErrorOf(CommandCode.Write, 0, 512, payload: new byte[512]));
        Assert.Equal(NbdError.NotPermitted, client.ErrorOf(CommandCode.WriteZeroes, 0, 512));
        Assert.Equal(NbdError.NotPermitted, client.ErrorOf(CommandCode.Trim, 0, 512));
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.Flush, 0, 0));
        client.MustStillWork();
    }

    [Fact]
    public void FUA_everywhere_unknown_flags_and_commands()
    {
        using var client = fixture.Open(blockStatus: true);
        foreach (var command in new[] { CommandCode.Read, CommandCode.Trim, CommandCode.WriteZeroes, CommandCode.Cache, CommandCode.BlockStatus })
        {
            Assert.Equal(NbdError.None, client.ErrorOf(command, 0, 512, CommandFlags.ForceUnitAccess));
            Assert.Equal(NbdError.Invalid, client.ErrorOf(command, 0, 512, (CommandFlags)0x8000));
        }
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.Flush, 0, 0, CommandFlags.ForceUnitAccess));
        Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.Flush, 0, 1));
        Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.Read, 0, 512, CommandFlags.NoHole));
        Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.Write, 0, 512, CommandFlags.FastZero, new byte[512]));
        Assert.Equal(NbdError.Invalid, client.ErrorOf((CommandCode)8, 0, 0));
        Assert.Equal(NbdError.Invalid, client.ErrorOf((CommandCode)0xffff, 0, 512));
        client.MustStillWork();

        using var plain = fixture.Open(structured: false);
        Assert.Equal(NbdError.Invalid, plain.ErrorOf(CommandCode.Read, 0, 512, CommandFlags.DontFragment));
        plain.MustStillWork();
    }

    [Fact]
    public async Task TRIM_and_WRITE_ZEROES_longer_than_the_payload_limit_allocate_nothing()
    {
        const uint Length = 3u << 30;
        var probe = new AllocationProbe(4, 40, sizeBytes: 8L << 30);
        await using var huge = new NbdFixture(probe);
        using var client = huge.Open();
        for (var i = 0; i < 22; i++)
        {
            Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.Trim, 4096, Length));
            Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.WriteZeroes, 4096, Length));
        }
        Assert.InRange(probe.AllocatedBytes, 0, 64 << 10);
    }

    [Fact]
    public void BLOCK_STATUS_without_context_or_over_a_huge_range()
    {
        using var without = fixture.Open();
        Assert.Equal(NbdError.Invalid, without.ErrorOf(CommandCode.BlockStatus, 0, 512));
        using var simple = fixture.Open(structured: false);
        Assert.Equal(NbdError.Invalid, simple.ErrorOf(CommandCode.BlockStatus, 0, 512));
        using var client = fixture.Open(blockStatus: true);
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.BlockStatus, 0, (uint)Size));
        Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.BlockStatus, 0, uint.MaxValue));
        Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.BlockStatus, 0, 0));
        client.MustStillWork();
    }

    [Fact]
    public async Task A_device_with_more_extents_than_fit_is_described_from_the_front()
    {
        await using var striped = new NbdFixture(new TestDevice
        {
            ExtentAt = block => new(block % 2 == 0 ? BlockExtentKind.Data : BlockExtentKind.Hole, 1),
        });
        using var client = striped.Open(blockStatus: true);
        var chunk = Assert.Single(client.Call(CommandCode.BlockStatus, 0, (uint)Size));
        Assert.Equal(4 + (512 * BlockDescriptor.SizeBytes), chunk.Payload.Length);
    }

    [Fact]
    public void The_same_cookie_twice_in_flight()
    {
        using var client = fixture.Open();
        var requests = new byte[2 * RequestHeader.SizeBytes];
        new RequestHeader(CommandFlags.None, CommandCode.Read, 7, 0, 512).Write(requests);
        new RequestHeader(CommandFlags.None, CommandCode.Read, 7, 512, 512).Write(requests.AsSpan(RequestHeader.SizeBytes));
        client.Send(requests);
        Assert.Equal(7u, client.ReceiveChunk().Cookie);
        Assert.Equal(7u, client.ReceiveChunk().Cookie);
        client.MustStillWork();
    }

    [Fact]
    public async Task Ten_thousand_reads_whose_replies_are_never_read()
    {
        await using var impatient = new NbdFixture(transferTimeout: TimeSpan.FromMilliseconds(300));
        using var bystander = impatient.Open();
        using var client = impatient.Open();
        client.Socket.SendTimeout = 5_000;
        try
        {
            for (var i = 0; i < 10_000; i++) client.Request(CommandCode.Read, 0, 64 << 10);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // The server stopped reading, or has hung up: its memory is bounded by what fits the socket and one batch.
        }
        bystander.MustStillWork();
        Assert.InRange(impatient.Device.Calls.Count, 1, 2_000);
    }

    [Fact]
    public async Task Disconnecting_with_reads_queued()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var slow = new NbdFixture(new TestDevice { Before = _ => gate.Task });
        for (var i = 0; i < 20; i++)
        {
            using var client = slow.Open();
            for (var read = 0; read < 50; read++) client.Request(CommandCode.Read, 0, 4096);
        }
        gate.SetResult();
        using var other = slow.Open();
        other.MustStillWork();
    }

    [Fact]
    public void An_export_that_grows_shrinks_or_goes_away_while_it_is_open()
    {
        using var client = fixture.Open();
        fixture.Device.Geometry = fixture.Device.Geometry with { BlockCount = 8 };
        Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.Read, 8 * 512, 512));
        Assert.Equal(NbdError.NoSpace, client.ErrorOf(CommandCode.Write, 8 * 512, 512, payload: new byte[512]));
        fixture.Device.Geometry = fixture.Device.Geometry with { BlockCount = 16 };
        client.Write(8 * 512, new byte[512]);
        fixture.Remove("disk");
        client.MustStillWork();
    }

    [Fact]
    public async Task FLUSH_on_one_connection_covers_writes_completed_on_another()
    {
        await using var disk = new NbdFixture();
        using var first = disk.Open();
        using var second = disk.Open();
        first.Write(0, [1]);
        Assert.Equal(NbdError.None, second.ErrorOf(CommandCode.Flush, 0, 0));
        Assert.Equal("flush", disk.Device.Calls[^1].Kind);
        Assert.True(first.Flags.HasFlag(TransmissionFlags.CanMultiConn));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await fixture.DisposeAsync();

    void OthersAreWell()
    {
        using var other = fixture.Open();
        other.MustStillWork();
    }
}
