using Ashlar.Blocks;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;

namespace Ashlar.Nbd.Tests.Transmission;

/// <summary>Requests with lengths of 64 bits, and what they are answered by.</summary>
public sealed class ExtendedHeaderTests
{
    const string Monday = "ashlar:dirty-since:monday";

    [Fact]
    public async Task Every_command_is_answered_in_chunks_that_name_the_offset_of_the_request()
    {
        await using var fixture = new NbdFixture();
        using var client = Open(fixture);
        var data = Pattern.Of(70_000);
        foreach (var length in (int[])[512, 70_000])
        {
            client.Write(4096, data[..length], CommandFlags.ForceUnitAccess);
            Assert.Equal(4096ul, client.LastOffset);
            Assert.Equal(data[..length], client.Read(4096, (uint)length));
            Assert.Equal(4096ul, client.LastOffset);
        }
        foreach (var command in (CommandCode[])[CommandCode.Flush, CommandCode.Trim, CommandCode.Cache, CommandCode.WriteZeroes])
        {
            var isFlush = command == CommandCode.Flush;
            var chunk = Assert.Single(client.Call(command, isFlush ? 0 : 8192ul, isFlush ? 0 : 4096ul));
            Assert.Equal((ChunkCode.None, NbdError.None), (chunk.Type, chunk.Error));
            Assert.Equal(isFlush ? 0 : 8192ul, client.LastOffset);
        }
        Assert.Equal(ChunkCode.None, Assert.Single(client.Call(CommandCode.Read, 0, 0)).Type);
    }

    [Fact]
    public async Task A_device_that_takes_its_time_is_answered_for_in_the_same_way()
    {
        var goOn = new TaskCompletionSource();
        await using var fixture = new NbdFixture(
            new TestDevice { Before = call => call.OffsetBytes >= 1 << 20 ? goOn.Task : Task.CompletedTask });
        using var client = Open(fixture);
        var cookies = (ulong[])
        [
            client.Request(CommandCode.Write, 1 << 20, 512, payload: new byte[512]),
            client.Request(CommandCode.Read, 2 << 20, 512),
        ];
        client.Write(0, new byte[512]);
        goOn.SetResult();
        var chunks = new[] { client.ReceiveChunk(), client.ReceiveChunk() };
        Assert.Equal(cookies, chunks.Select(chunk => chunk.Cookie).Order());
        Assert.All(chunks, chunk => Assert.True(chunk is { IsLast: true, Error: NbdError.None }));
    }

    [Fact]
    public async Task Ranges_longer_than_32_bits_are_zeroed_trimmed_and_described_at_once()
    {
        const long size = 3L << 40;
        await using var fixture = new NbdFixture(new EndlessDevice(size));
        fixture.Origins["monday"] = new EndlessChanges();
        using var client = Open(fixture, "base:allocation", Monday);
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.WriteZeroes, 4096, size - 4096));
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.Trim, 0, size));
        Assert.Equal(NbdError.NoSpace, client.ErrorOf(CommandCode.WriteZeroes, 4096, size));
        Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.Trim, ulong.MaxValue - 4095, size));
        Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.BlockStatus, 0, ulong.MaxValue));
        Assert.Equal(NbdError.Overflow, client.ErrorOf(CommandCode.Read, 0, 1L << 32));

        // As far as the reply gets in its time, which is beyond 32 bits.
        var status = StatusReply.Read(client.Call(CommandCode.BlockStatus, 8192, size - 8192));
        Assert.Equal(3u, Assert.Single(status[1]).Status);
        Assert.Equal(1u, Assert.Single(status[2]).Status);
        Assert.InRange((long)status[1][0].LengthBytes, 1L << 33, size - 8192);
        Assert.InRange((long)status[2][0].LengthBytes, 1, size - 8192); // Of changes less is looked up in that time.
    }

    [Fact]
    public async Task A_payload_says_which_contexts_are_asked_for()
    {
        await using var fixture = new NbdFixture();
        fixture.Origins["monday"] = new ScriptedChanges(block => block == 1);
        using var client = Open(fixture, "base:allocation", Monday);
        Assert.True(client.Flags.HasFlag(TransmissionFlags.BlockStatusPayload));
        Assert.Equal([1u, 2u], StatusReply.Read(client.Call(CommandCode.BlockStatus, 512, 1024)).Keys);

        var status = StatusReply.Read(Filtered(client, 512, 1024, 2));
        Assert.Equal([new(512, 1), new(512, 0)], Assert.Single(status).Value);
        Assert.Equal([2u, 1u], StatusReply.Read(Filtered(client, 512, 1024, 2, 1)).Keys);

        // One that is not selected, one that is named twice, none, and ranges that there are not.
        (ulong, uint[])[] wrong = [(512, [3]), (512, [2, 2]), (512, []), (512, [1, 2, 1]), (0, [1]), (1ul << 40, [1])];
        foreach (var (length, ids) in wrong)
            Assert.Equal(NbdError.Invalid, Filtered(client, 0, length, ids)[^1].Error);
        Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.BlockStatus, 0, 11, payload: new byte[11]));
        Assert.Equal([1u, 2u], StatusReply.Read(client.Call(CommandCode.BlockStatus, 0, 512)).Keys);
    }

    [Fact]
    public async Task Payloads_where_none_belong_are_read_off_and_refused()
    {
        await using var fixture = new NbdFixture();
        using var client = Open(fixture);
        CommandCode[] without = [CommandCode.Read, CommandCode.Flush, CommandCode.Trim, CommandCode.WriteZeroes, (CommandCode)99];
        foreach (var command in without)
            Assert.Equal(NbdError.Invalid, client.ErrorOf(command, 0, 5000, payload: new byte[5000]));
        Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.BlockStatus, 0, 12, payload: new byte[12])); // No context was selected.
        // Without the flag nothing follows.
        Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.Write, 0, 512));
        Assert.Equal(NbdError.NoSpace, client.ErrorOf(CommandCode.Write, 1ul << 40, 512, payload: new byte[512]));
        client.MustStillWork();
        client.Request(CommandCode.Trim, 0, 1ul << 40, CommandFlags.PayloadLength);
        client.MustBeCutOff();
    }

    [Fact]
    public async Task What_is_negotiated_stays()
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Dial();
        client.Greet();
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.ExtendedHeaders, 1).Single().Code);
        client.RequestExtendedHeaders();
        Assert.Equal(OptionReplyCode.ExtendedHeadersRequired, client.Ask(OptionCode.StructuredReply).Single().Code);
        client.RequestExtendedHeaders();
        // Without contexts their status cannot be asked for.
        client.Go("disk");
        Assert.True(client.Flags.HasFlag(TransmissionFlags.SendDontFragment));
        Assert.False(client.Flags.HasFlag(TransmissionFlags.BlockStatusPayload));
        client.MustStillWork();

        using var compact = fixture.Open();
        compact.Request(CommandCode.Read, 0, 512, CommandFlags.PayloadLength);
        Assert.Equal(NbdError.Invalid, compact.ReceiveChunk().Error);

        using var old = fixture.Dial();
        old.Greet();
        old.RequestExtendedHeaders();
        old.SendOption(OptionCode.ExportName, "disk"u8.ToArray());
        old.MustBeCutOff();
    }

    [Fact]
    public async Task Compact_requests_are_no_extended_ones()
    {
        await using var fixture = new NbdFixture();
        using var client = Open(fixture);
        var bytes = new byte[64];
        new RequestHeader(CommandFlags.None, CommandCode.Read, 1, 0, 512).Write(bytes);
        client.Send(bytes);
        client.MustBeCutOff();
    }

    static NbdClient Open(NbdFixture fixture, params string[] contexts)
    {
        var client = fixture.Dial();
        client.Greet();
        client.RequestExtendedHeaders();
        if (contexts.Length > 0) client.SelectContexts("disk", contexts);
        client.Go("disk");
        return client;
    }

    static List<ReplyChunk> Filtered(NbdClient client, ulong offset, ulong length, params uint[] ids)
    {
        byte[] payload = [.. NbdClient.UInt64(length), .. ids.SelectMany(NbdClient.UInt32)];
        return client.Call(CommandCode.BlockStatus, offset, (ulong)payload.Length, payload: payload);
    }

    sealed class EndlessChanges : IChangeMap
    {
        public int DescribeChanges(Lba start, long blockCount, Span<BlockChange> runs)
        {
            runs[0] = new(true, blockCount);
            return 1;
        }
    }
}
