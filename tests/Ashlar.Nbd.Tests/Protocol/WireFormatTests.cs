using Ashlar.Nbd.Protocol;

namespace Ashlar.Nbd.Tests.Protocol;

/// <summary>The bytes of every structure, as other implementations send and expect them.</summary>
public sealed class WireFormatTests
{
    [Fact]
    public void Greeting_is_pinned()
    {
        var bytes = new byte[Greeting.SizeBytes];
        new Greeting(HandshakeFlags.FixedNewstyle | HandshakeFlags.NoZeroes).Write(bytes);
        Assert.Equal("4e42444d41474943" + "49484156454f5054" + "0003", Hex(bytes));
        Assert.True(Greeting.TryRead(bytes, out var read));
        Assert.Equal(HandshakeFlags.FixedNewstyle | HandshakeFlags.NoZeroes, read.Flags);
        bytes[3] ^= 1;
        Assert.False(Greeting.TryRead(bytes, out _));
    }

    [Fact]
    public void Option_header_is_pinned()
    {
        var header = new OptionHeader(OptionCode.Go, 0x01020304);
        var bytes = new byte[OptionHeader.SizeBytes];
        header.Write(bytes);
        Assert.Equal("49484156454f5054" + "00000007" + "01020304", Hex(bytes));
        Assert.True(OptionHeader.TryRead(bytes, out var read));
        Assert.Equal(header, read);
        bytes[7] ^= 1;
        Assert.False(OptionHeader.TryRead(bytes, out _));
    }

    [Fact]
    public void Option_reply_header_is_pinned()
    {
        var header = new OptionReplyHeader(OptionCode.StartTls, OptionReplyCode.Policy, 5);
        var bytes = new byte[OptionReplyHeader.SizeBytes];
        header.Write(bytes);
        Assert.Equal("0003e889045565a9" + "00000005" + "80000002" + "00000005", Hex(bytes));
        Assert.True(OptionReplyHeader.TryRead(bytes, out var read));
        Assert.Equal(header, read);
    }

    [Fact]
    public void Export_summary_is_pinned()
    {
        var flags = TransmissionFlags.HasFlags | TransmissionFlags.SendFlush | TransmissionFlags.CanMultiConn;
        var summary = new ExportSummary(0x0000000140000000, flags);
        var bytes = new byte[ExportSummary.SizeBytes];
        summary.Write(bytes);
        Assert.Equal("0000000140000000" + "0105", Hex(bytes));
        Assert.Equal(summary, ExportSummary.Read(bytes));
    }

    [Fact]
    public void Block_sizes_are_pinned()
    {
        var bytes = new byte[BlockSizes.SizeBytes];
        BlockSizes.Offered.Write(bytes);
        Assert.Equal("00000001" + "00001000" + "02000000", Hex(bytes));
        Assert.Equal(BlockSizes.Offered, BlockSizes.Read(bytes));
    }

    [Fact]
    public void Request_header_is_pinned()
    {
        var header = new RequestHeader(
            CommandFlags.ForceUnitAccess | CommandFlags.FastZero, CommandCode.WriteZeroes,
            0x1122334455667788, 0x99aabbccddeeff00, 0x01020304);
        var bytes = new byte[RequestHeader.SizeBytes];
        header.Write(bytes);
        Assert.Equal("25609513" + "0011" + "0006" + "1122334455667788" + "99aabbccddeeff00" + "01020304", Hex(bytes));
        Assert.True(RequestHeader.TryRead(bytes, out var read));
        Assert.Equal(header, read);
        bytes[0] ^= 1;
        Assert.False(RequestHeader.TryRead(bytes, out _));
    }

    [Fact]
    public void Simple_reply_header_is_pinned()
    {
        var header = new SimpleReplyHeader(NbdError.NoSpace, 0x1122334455667788);
        var bytes = new byte[SimpleReplyHeader.SizeBytes];
        header.Write(bytes);
        Assert.Equal("67446698" + "0000001c" + "1122334455667788", Hex(bytes));
        Assert.True(SimpleReplyHeader.TryRead(bytes, out var read));
        Assert.Equal(header, read);
    }

    [Fact]
    public void Chunk_header_is_pinned()
    {
        var header = new ChunkHeader(ChunkFlags.Done, ChunkCode.Error, 0x1122334455667788, 6);
        var bytes = new byte[ChunkHeader.SizeBytes];
        header.Write(bytes);
        Assert.Equal("668e33ef" + "0001" + "8001" + "1122334455667788" + "00000006", Hex(bytes));
        Assert.True(ChunkHeader.TryRead(bytes, out var read));
        Assert.Equal(header, read);
    }

    [Fact]
    public void Extended_headers_are_pinned()
    {
        var request = new RequestHeader(
            CommandFlags.PayloadLength | CommandFlags.RequestOne, CommandCode.BlockStatus, 0x1122334455667788, 0x99aabbccddeeff00,
            0x0102030405060708);
        var bytes = new byte[ExtendedRequestHeader.SizeBytes];
        ExtendedRequestHeader.Write(request, bytes);
        Assert.Equal("21e41c71" + "0028" + "0007" + "1122334455667788" + "99aabbccddeeff00" + "0102030405060708", Hex(bytes));
        Assert.True(ExtendedRequestHeader.TryRead(bytes, out var read));
        Assert.Equal(request, read);
        bytes[0] ^= 1;
        Assert.False(ExtendedRequestHeader.TryRead(bytes, out _));

        var chunk = new ExtendedChunkHeader(ChunkFlags.Done, ChunkCode.BlockStatusWide, 0x1122334455667788, 0x99aabbccddeeff00, 24);
        chunk.Write(bytes);
        Assert.Equal("6e8a278c" + "0001" + "0006" + "1122334455667788" + "99aabbccddeeff00" + "0000000000000018", Hex(bytes));
        Assert.True(ExtendedChunkHeader.TryRead(bytes, out var readChunk));
        Assert.Equal(chunk, readChunk);

        var descriptor = new byte[BlockDescriptor.WideSizeBytes];
        new BlockDescriptor(0x0102030405060708, 3).WriteWide(descriptor);
        Assert.Equal("0102030405060708" + "0000000000000003", Hex(descriptor));
        Assert.Equal(new BlockDescriptor(0x0102030405060708, 3), BlockDescriptor.ReadWide(descriptor));
    }

    [Fact]
    public void Payloads_of_chunks_are_pinned()
    {
        var hole = new byte[OffsetHole.SizeBytes];
        new OffsetHole(0x0102030405060708, 0x1000).Write(hole);
        Assert.Equal("0102030405060708" + "00001000", Hex(hole));
        Assert.Equal(new OffsetHole(0x0102030405060708, 0x1000), OffsetHole.Read(hole));

        var descriptor = new byte[BlockDescriptor.SizeBytes];
        new BlockDescriptor(0x1000, 3).Write(descriptor);
        Assert.Equal("00001000" + "00000003", Hex(descriptor));
        Assert.Equal(new BlockDescriptor(0x1000, 3), BlockDescriptor.Read(descriptor));

        var error = new byte[ErrorPayload.SizeBytes];
        new ErrorPayload(NbdError.Overflow, 7).Write(error);
        Assert.Equal("0000004b" + "0007", Hex(error));
        Assert.Equal(new ErrorPayload(NbdError.Overflow, 7), ErrorPayload.Read(error));
    }

    static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
