using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi.Tests;

/// <summary>What a target makes of single headers and texts, without a socket.</summary>
public sealed class ParserFuzzTests(ITestOutputHelper output)
{
    static readonly int Inputs = TestTier.Choose(50_000, 2_000_000);

    static readonly string[] Texts =
    [
        Initiator.Names(),
        Initiator.Names() + "HeaderDigest=CRC32C,None\0DataDigest=None\0InitialR2T=No\0ImmediateData=Yes\0MaxBurstLength=262144\0",
        Initiator.Names() + "FirstBurstLength=65536\0MaxRecvDataSegmentLength=0x2000\0MaxOutstandingR2T=8\0"
            + "DefaultTime2Wait=2\0ErrorRecoveryLevel=0\0",
        "InitiatorName=iqn.2026-11.test:one\0SessionType=Discovery\0AuthMethod=CHAP,None\0",
        Initiator.Names() + "X-com.example.key=value\0OFMarker=No\0IFMarkInt=Irrelevant\0MaxConnections=1\0DataPDUInOrder=Yes\0",
    ];

    [Fact]
    public void No_text_of_a_login_makes_it_throw_but_to_refuse()
    {
        var seed = TestSeeds.First(nameof(No_text_of_a_login_makes_it_throw_but_to_refuse));
        var request = new LoginRequestPdu(true, false, LoginStage.Operational, LoginStage.FullFeature, 0, 0, 1, 0, 1, 0, 1, 1);
        var result = ParserFuzz.Run([.. Texts.Select(Encoding.ASCII.GetBytes)], Inputs, seed, allowedBytes: 64 << 10, text =>
        {
            try
            {
                var login = new LoginNegotiation(_ => true, _ => null, SystemEntropy.Instance, portalGroupTag: 1);
                login.Step(request, text);
                Assert.True(login.IsComplete);
                Assert.InRange(login.Parameters.InitiatorName.Length, 1, text.Length);
                return true;
            }
            catch (NegotiationException)
            {
                return false;
            }
        });
        Assert.InRange(result.Accepted, Inputs / 20, Inputs * 19 / 20);
        output.WriteLine(result.ToJson("iscsi login texts", seed));
    }

    // Each field of a header has a range of its own, so that every 48 bytes are some header: what it says must be what was written.
    [Fact]
    public void Every_header_is_read_as_what_would_be_written()
    {
        var seed = TestSeeds.First(nameof(Every_header_is_read_as_what_would_be_written));
        var corpus = new List<byte[]>();
        void Add(Action<byte[]> write)
        {
            var header = new byte[Bhs.SizeBytes];
            write(header);
            corpus.Add(header);
        }
        Add(
            header =>
                new ScsiCommandPdu(false, true, true, false, TaskAttribute.Simple, 7, 4096, 100, 1).Write(
                    header, new byte[8], new byte[16], 0));
        Add(header => new DataOutPdu(true, 7, 8, 1, 2, 4096).Write(header, 512));
        Add(
            header =>
                new LoginRequestPdu(true, false, LoginStage.Security, LoginStage.Operational, 0, 0, 1, 0, 1, 0, 1, 1).Write(header, 64));
        Add(header => new TextRequestPdu(true, true, false, 7, Bhs.NoTag, 100, 1).Write(header, 16));
        Add(header => new NopOutPdu(true, 7, Bhs.NoTag, 100, 1).Write(header, 4));
        Add(header => new LogoutRequestPdu(true, LogoutRequestPdu.CloseSession, 7, 0, 100, 1).Write(header));
        Add(header => new TaskManagementRequestPdu(true, TaskManagementFunction.AbortTask, 7, 6, 100, 1, 99).Write(header, new byte[8]));
        var result = ParserFuzz.Run(corpus, Inputs, seed, allowedBytes: 4096, message =>
        {
            var header = new byte[Bhs.SizeBytes];
            message.AsSpan(0, Math.Min(message.Length, header.Length)).CopyTo(header);
            Assert.InRange(Bhs.ReadDataSegmentLength(header), 0, Bhs.MaxDataSegmentBytes);
            Assert.InRange(Bhs.ReadAhsLength(header), 0, 255 * 4);
            return IsReadBack(header);
        });
        Assert.InRange(result.Accepted, Inputs / 2, Inputs);
        output.WriteLine(result.ToJson("iscsi headers", seed));
    }

    static bool IsReadBack(byte[] header)
    {
        var again = new byte[Bhs.SizeBytes];
        var length = Bhs.ReadDataSegmentLength(header);
        switch (Bhs.ReadOpcode(header))
        {
            case Opcode.ScsiCommand:
                var command = ScsiCommandPdu.Read(header);
                command.Write(again, header.AsSpan(8, 8), header.AsSpan(32, 16), length);
                Assert.Equal(command, ScsiCommandPdu.Read(again));
                return true;
            case Opcode.DataOut:
                var dataOut = DataOutPdu.Read(header);
                dataOut.Write(again, length);
                Assert.Equal(dataOut, DataOutPdu.Read(again));
                return true;
            case Opcode.LoginRequest:
                var login = LoginRequestPdu.Read(header);
                login.Write(again, length);
                Assert.Equal(login, LoginRequestPdu.Read(again));
                return true;
            case Opcode.TextRequest:
                var text = TextRequestPdu.Read(header);
                text.Write(again, length);
                Assert.Equal(text, TextRequestPdu.Read(again));
                return true;
            case Opcode.NopOut:
                var ping = NopOutPdu.Read(header);
                ping.Write(again, length);
                Assert.Equal(ping, NopOutPdu.Read(again));
                return true;
            case Opcode.LogoutRequest:
                var logout = LogoutRequestPdu.Read(header);
                logout.Write(again);
                Assert.Equal(logout, LogoutRequestPdu.Read(again));
                return true;
            case Opcode.TaskManagementRequest:
                var management = TaskManagementRequestPdu.Read(header);
                management.Write(again, header.AsSpan(8, 8));
                Assert.Equal(management, TaskManagementRequestPdu.Read(again));
                return true;
            default:
                return false;
        }
    }
}
