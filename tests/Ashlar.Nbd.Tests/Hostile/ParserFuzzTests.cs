using System.Buffers.Binary;
using Ashlar.Nbd.Negotiation;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;
using Ashlar.Nbd.Transmission;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Nbd.Tests.Hostile;

/// <summary>What a server makes of single options and requests, without a socket.</summary>
public sealed class ParserFuzzTests(ITestOutputHelper output)
{
    static readonly int Inputs = TestTier.Choose(50_000, 2_000_000);

    [Fact]
    public void No_option_makes_the_negotiation_throw_or_allocate_by_lengths_that_are_not_there()
    {
        using var exports = new OneExport(new TestDevice(1 << 20));
        byte[][] corpus =
        [
            Option(OptionCode.StructuredReply),
            Option(OptionCode.List),
            Option(OptionCode.Info, NbdClient.InfoRequest("disk", InfoCode.BlockSize, InfoCode.Name, InfoCode.Description)),
            Option(OptionCode.Go, NbdClient.InfoRequest("disk", InfoCode.BlockSize)),
            Option(OptionCode.ExportName, "disk"u8.ToArray()),
            Option(OptionCode.ListMetaContext, NbdClient.ContextQuery("disk")),
            Option(OptionCode.ListMetaContext, NbdClient.ContextQuery("disk", "base:", "other:context")),
            Option(OptionCode.SetMetaContext, NbdClient.ContextQuery("disk", "base:allocation", "qemu:dirty-bitmap:x")),
            Option(OptionCode.Abort),
        ];
        var seed = TestSeeds.First(nameof(No_option_makes_the_negotiation_throw_or_allocate_by_lengths_that_are_not_there));
        // An export that is opened takes some of that, and the runtime when it compiles anew.
        var result = ParserFuzz.Run(corpus, Inputs, seed, allowedBytes: 32 << 10, message => Answer(exports, message));
        Assert.InRange(result.Accepted, Inputs / 50, Inputs * 19 / 20);
        output.WriteLine(result.ToJson("nbd options", seed));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_request_gets_past_its_checks_and_reaches_beyond_the_export(bool isExtended)
    {
        const long exportBytes = 1 << 20;
        using var exports = new OneExport(new TestDevice(1 << 20));
        using var session = new NegotiatedSession(
            ((INbdExports)exports).Open("disk", OneExport.Client)!,
            isExtended ? HeaderStyle.Extended : HeaderStyle.Structured,
            [new(1, null)]);
        var sizeBytes = isExtended ? ExtendedRequestHeader.SizeBytes : RequestHeader.SizeBytes;
        var corpus = new List<byte[]>();
        foreach (var command in Enum.GetValues<CommandCode>().Where(command => command != CommandCode.Disconnect))
        {
            var isFlush = command == CommandCode.Flush;
            var bytes = new byte[sizeBytes];
            var flags = isExtended && command == CommandCode.Write ? CommandFlags.PayloadLength : CommandFlags.None;
            var header = new RequestHeader(flags, command, 7, isFlush ? 0 : (ulong)exportBytes - 4096, isFlush ? 0 : 4096u);
            if (isExtended) ExtendedRequestHeader.Write(header, bytes);
            else header.Write(bytes);
            corpus.Add(bytes);
        }

        var seed = TestSeeds.First(nameof(No_request_gets_past_its_checks_and_reaches_beyond_the_export));
        var result = ParserFuzz.Run(corpus, Inputs, seed, allowedBytes: 4096, message =>
        {
            // A header has its size: it is received whole.
            Span<byte> header = stackalloc byte[sizeBytes];
            message.AsSpan(0, Math.Min(message.Length, header.Length)).CopyTo(header);
            if (!(isExtended ? ExtendedRequestHeader.TryRead(header, out var request) : RequestHeader.TryRead(header, out request)))
                return false;
            if (RequestRules.Check(request, session, exportBytes, isReadOnly: false) != NbdError.None) return false;
            // Its range stands in the payload.
            if (request.Command == CommandCode.BlockStatus && request.Flags.HasFlag(CommandFlags.PayloadLength)) return true;
            Assert.True((UInt128)request.OffsetBytes + request.LengthBytes <= exportBytes, $"{request}");
            return true;
        });
        Assert.InRange(result.Accepted, Inputs / 20, Inputs * 19 / 20);
        output.WriteLine(result.ToJson("nbd requests", seed));
    }

    static byte[] Option(OptionCode option, params byte[] data)
    {
        var bytes = new byte[OptionHeader.SizeBytes + data.Length];
        new OptionHeader(option, (uint)data.Length).Write(bytes);
        data.CopyTo(bytes, OptionHeader.SizeBytes);
        return bytes;
    }

    static bool Answer(INbdExports exports, byte[] message)
    {
        if (message.Length < OptionHeader.SizeBytes || !OptionHeader.TryRead(message, out var header)) return false;
        var replies = new OptionReplyWriter();
        var haggling = new OptionHaggling(exports, OneExport.Client, ClientFlags.Known, replies);
        haggling.Answer(OptionCode.StructuredReply, []);
        replies.Clear();
        var step = haggling.Answer(header.Option, message.AsSpan(OptionHeader.SizeBytes));
        haggling.Session?.Dispose();
        if (header.Option == OptionCode.ExportName) return step == HagglingStep.Transmission;
        // The last answer says how it ended.
        var last = replies.Written;
        while (OptionReplyHeader.TryRead(last, out var reply) && last.Length > OptionReplyHeader.SizeBytes + (int)reply.LengthBytes)
            last = last[(OptionReplyHeader.SizeBytes + (int)reply.LengthBytes)..];
        return (OptionReplyCode)BinaryPrimitives.ReadUInt32BigEndian(last[12..]) == OptionReplyCode.Ack;
    }
}
