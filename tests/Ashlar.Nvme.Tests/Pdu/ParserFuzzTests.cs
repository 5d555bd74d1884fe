using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Nvme.Tests;

/// <summary>What a controller makes of single headers and of what Connect carries, without a socket.</summary>
public sealed class ParserFuzzTests(ITestOutputHelper output)
{
    static readonly int Inputs = TestTier.Choose(50_000, 2_000_000);

    static readonly Digests Both = new(Header: true, Data: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_header_lays_out_more_than_its_length_or_than_is_allowed(bool digested)
    {
        var digests = digested ? Both : default;
        var seed = TestSeeds.First(nameof(No_header_lays_out_more_than_its_length_or_than_is_allowed));
        var result = ParserFuzz.Run(Headers(digests), Inputs, seed, allowedBytes: 1024, message =>
        {
            var header = new byte[PduHeader.SizeBytes];
            message.AsSpan(0, Math.Min(message.Length, header.Length)).CopyTo(header);
            if (!PduFrame.TryRead(header, digests, out var frame, out _)) return false;
            MustFit(frame);
            return true;
        });
        Assert.InRange(result.Accepted, Inputs / 50, Inputs);
        output.WriteLine(result.ToJson("nvme headers", seed));
    }

    // The bug for which the run above is there: a length that is believed.
    [Fact]
    public void A_layout_that_believes_what_a_header_says_is_found()
    {
        var seed = TestSeeds.First(nameof(A_layout_that_believes_what_a_header_says_is_found));
        Assert.ThrowsAny<Exception>(() => ParserFuzz.Run(Headers(default), Inputs, seed, allowedBytes: 1024, message =>
        {
            var bytes = new byte[PduHeader.SizeBytes];
            message.AsSpan(0, Math.Min(message.Length, bytes.Length)).CopyTo(bytes);
            var header = PduHeader.Read(bytes);
            MustFit(new(header, header.DataOffset - header.HeaderBytes, (int)header.LengthBytes - header.DataOffset));
            return true;
        }));
    }

    [Fact]
    public void No_data_of_Connect_make_it_throw_and_names_are_names()
    {
        var seed = TestSeeds.First(nameof(No_data_of_Connect_make_it_throw_and_names_are_names));
        var valid = new byte[ConnectData.SizeBytes];
        new ConnectData(NvmeHost.HostId, 1, TestTarget.Name, NvmeHost.HostName).Write(valid);
        var result = ParserFuzz.Run([valid], Inputs, seed, allowedBytes: 8192, message =>
        {
            var data = new byte[ConnectData.SizeBytes];
            message.AsSpan(0, Math.Min(message.Length, data.Length)).CopyTo(data);
            var read = ConnectData.Read(data);
            foreach (var name in new[] { read.SubsystemName, read.HostName })
            {
                if (name is null) continue;
                Assert.StartsWith("nqn.", name, StringComparison.Ordinal);
                Assert.InRange(name.Length, 4, 223);
                Assert.All(name, each => Assert.InRange(each, '!', '~'));
            }
            return read.SubsystemName is not null && read.HostName is not null;
        });
        output.WriteLine(result.ToJson("nvme connect", seed));
    }

    static void MustFit(in PduFrame frame)
    {
        var digests = (frame.HasHeaderDigest ? 4 : 0) + (frame.HasDataDigest ? 4 : 0);
        if (frame.PaddingBytes is < 0 or > 255) throw new InvalidOperationException($"{frame.PaddingBytes} bytes of padding");
        if (frame.DataBytes is < 0 or > PduFrame.MaxHostDataBytes) throw new InvalidOperationException($"{frame.DataBytes} bytes of data");
        if (frame.Header.HeaderBytes is < PduHeader.SizeBytes or > PduHeader.MaxHeaderBytes)
            throw new InvalidOperationException($"a header of {frame.Header.HeaderBytes} bytes");
        if (frame.Header.HeaderBytes + digests + frame.PaddingBytes + (long)frame.DataBytes != frame.Header.LengthBytes)
            throw new InvalidOperationException("parts that are not the whole");
    }

    static List<byte[]> Headers(Digests digests)
    {
        var flags = (digests.Header ? PduFlags.HeaderDigest : PduFlags.None) | (digests.Data ? PduFlags.DataDigest : PduFlags.None);
        uint digestBytes = digests.Header ? 4u : 0, dataDigestBytes = digests.Data ? 4u : 0;
        var headers = new List<byte[]>();
        void Add(PduHeader header)
        {
            var bytes = new byte[PduHeader.SizeBytes];
            header.Write(bytes);
            headers.Add(bytes);
        }
        Add(new(PduType.InitializeConnectionRequest, PduFlags.None, 128, 0, 128));
        Add(new(PduType.HostTermination, PduFlags.None, 24, 0, 48));
        Add(new(PduType.CommandCapsule, flags & PduFlags.HeaderDigest, 72, 0, 72 + digestBytes));
        Add(new(PduType.CommandCapsule, flags, 72, (byte)(72 + digestBytes), 72 + digestBytes + 4096 + dataDigestBytes));
        Add(new(PduType.HostData, flags | PduFlags.LastPdu, 24, (byte)(24 + digestBytes), 24 + digestBytes + 65536 + dataDigestBytes));
        return headers;
    }
}
