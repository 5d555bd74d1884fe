using Ashlar.Scsi;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi.Tests;

/// <summary>Bytes on the wire, written out by hand from the figures of RFC 7143, section 11.</summary>
public sealed class PduFormatTests
{
    static readonly TargetNumbers Numbers = new(0x0A0B0C0D, 0x11121314, 0x21222324);
    static readonly byte[] Lun = [0, 5, 0, 0, 0, 0, 0, 0];

    readonly byte[] header = new byte[Bhs.SizeBytes];

    void MustBe(string bytes) => Assert.Equal(bytes.Replace(" ", "", StringComparison.Ordinal), Convert.ToHexString(header));

    static string Zeros(int bytes) => new('0', 2 * bytes);

    [Fact]
    public void Scsi_command()
    {
        var pdu = new ScsiCommandPdu(true, true, true, false, TaskAttribute.Ordered, 0x01020304, 512, 7, 8);
        pdu.Write(header, Lun, [.. Enumerable.Range(0xA0, 16).Select(i => (byte)i)], 0);
        MustBe("41C20000 00000000 0005000000000000 01020304 00000200 00000007 00000008 A0A1A2A3A4A5A6A7A8A9AAABACADAEAF");
        Assert.Equal(pdu, ScsiCommandPdu.Read(header));
    }

    [Fact]
    public void Scsi_response()
    {
        var pdu = new ScsiResponsePdu(0x01020304, ScsiStatus.CheckCondition, new Residual(-512), 3);
        pdu.Write(header, Numbers, 20);
        MustBe($"21820002 00000014 {Zeros(8)} 01020304 00000000 0A0B0C0D 11121314 21222324 00000003 00000000 00000200");
        Assert.Equal(pdu, ScsiResponsePdu.Read(header));
        Assert.Equal(Numbers, TargetNumbers.Read(header));
    }

    [Fact]
    public void Data_in_with_status()
    {
        var pdu = new DataInPdu(0x01020304, true, true, ScsiStatus.Good, new Residual(100), 2, 0x400);
        pdu.Write(header, Numbers, 0x200);
        MustBe($"25850000 00000200 {Zeros(8)} 01020304 FFFFFFFF 0A0B0C0D 11121314 21222324 00000002 00000400 00000064");
        Assert.Equal(pdu, DataInPdu.Read(header));
    }

    [Fact]
    public void Data_in_without_status_carries_no_StatSN()
    {
        new DataInPdu(1, false, false, default, new Residual(100), 2, 0x400).Write(header, Numbers, 0x200);
        MustBe($"25000000 00000200 {Zeros(8)} 00000001 FFFFFFFF 00000000 11121314 21222324 00000002 00000400 00000000");
    }

    [Fact]
    public void Data_out()
    {
        var pdu = new DataOutPdu(true, 1, 2, 3, 4, 5);
        pdu.Write(header, 6);
        MustBe($"05800000 00000006 {Zeros(8)} 00000001 00000002 00000000 00000003 00000000 00000004 00000005 00000000");
        Assert.Equal(pdu, DataOutPdu.Read(header));
    }

    [Fact]
    public void Ready_to_transfer()
    {
        var pdu = new ReadyToTransferPdu(1, 2, 3, 4, 5);
        pdu.Write(header, Numbers, 0x0005_0000_0000_0000);
        MustBe("31800000 00000000 0005000000000000 00000001 00000002 0A0B0C0D 11121314 21222324 00000003 00000004 00000005");
        Assert.Equal(pdu, ReadyToTransferPdu.Read(header));
    }

    [Fact]
    public void Login_request()
    {
        var pdu = new LoginRequestPdu(true, false, LoginStage.Operational, LoginStage.FullFeature, 0, 0, 0x8012_3456_789A, 0x22, 1, 2, 3, 4);
        pdu.Write(header, 5);
        MustBe($"43870000 00000005 80123456789A 0022 00000001 00020000 00000003 00000004 {Zeros(16)}");
        Assert.Equal(pdu, LoginRequestPdu.Read(header));
    }

    [Fact]
    public void Login_response()
    {
        var pdu = new LoginResponsePdu(true, false, LoginStage.Security, LoginStage.Operational, 0x800000000001, 0x22, 1, LoginStatus.NotFound);
        pdu.Write(header, Numbers, 5);
        MustBe($"23810000 00000005 800000000001 0022 00000001 00000000 0A0B0C0D 11121314 21222324 02030000 {Zeros(8)}");
        Assert.Equal(pdu, LoginResponsePdu.Read(header));
    }

    [Fact]
    public void Text()
    {
        var request = new TextRequestPdu(true, false, true, 1, 2, 3, 4);
        request.Write(header, 5);
        MustBe($"44400000 00000005 {Zeros(8)} 00000001 00000002 00000003 00000004 {Zeros(16)}");
        Assert.Equal(request, TextRequestPdu.Read(header));
        var response = new TextResponsePdu(true, false, 1, Bhs.NoTag);
        response.Write(header, Numbers, 5);
        MustBe($"24800000 00000005 {Zeros(8)} 00000001 FFFFFFFF 0A0B0C0D 11121314 21222324 {Zeros(12)}");
        Assert.Equal(response, TextResponsePdu.Read(header));
    }

    [Fact]
    public void Nop()
    {
        var request = new NopOutPdu(true, 1, Bhs.NoTag, 3, 4);
        request.Write(header, 5);
        MustBe($"40800000 00000005 {Zeros(8)} 00000001 FFFFFFFF 00000003 00000004 {Zeros(16)}");
        Assert.Equal(request, NopOutPdu.Read(header));
        var response = new NopInPdu(1, Bhs.NoTag);
        response.Write(header, Numbers, 5);
        MustBe($"20800000 00000005 {Zeros(8)} 00000001 FFFFFFFF 0A0B0C0D 11121314 21222324 {Zeros(12)}");
        Assert.Equal(response, NopInPdu.Read(header));
    }

    [Fact]
    public void Task_management()
    {
        var request = new TaskManagementRequestPdu(true, TaskManagementFunction.LogicalUnitReset, 1, Bhs.NoTag, 3, 4, 5);
        request.Write(header, Lun);
        MustBe($"42850000 00000000 0005000000000000 00000001 FFFFFFFF 00000003 00000004 00000005 {Zeros(12)}");
        Assert.Equal(request, TaskManagementRequestPdu.Read(header));
        var response = new TaskManagementResponsePdu(1, TaskManagementResult.NotSupported);
        response.Write(header, Numbers);
        MustBe($"22800500 00000000 {Zeros(8)} 00000001 00000000 0A0B0C0D 11121314 21222324 {Zeros(12)}");
        Assert.Equal(response, TaskManagementResponsePdu.Read(header));
    }

    [Fact]
    public void Logout()
    {
        var request = new LogoutRequestPdu(true, LogoutRequestPdu.CloseConnection, 1, 2, 3, 4);
        request.Write(header);
        MustBe($"46810000 00000000 {Zeros(8)} 00000001 00020000 00000003 00000004 {Zeros(16)}");
        Assert.Equal(request, LogoutRequestPdu.Read(header));
        var response = new LogoutResponsePdu(1, LogoutResult.RecoveryNotSupported);
        response.Write(header, Numbers);
        MustBe($"26800200 00000000 {Zeros(8)} 00000001 00000000 0A0B0C0D 11121314 21222324 {Zeros(12)}");
        Assert.Equal(response, LogoutResponsePdu.Read(header));
    }

    [Fact]
    public void Reject_carries_the_header_that_it_rejects()
    {
        var pdu = new byte[RejectPdu.SizeBytes];
        var rejected = Enumerable.Range(1, 48).Select(i => (byte)i).ToArray();
        new RejectPdu(RejectReason.ProtocolError).Write(pdu, Numbers, rejected);
        Assert.Equal(RejectReason.ProtocolError, RejectPdu.Read(pdu).Reason);
        pdu.AsSpan(0, 48).CopyTo(header);
        MustBe($"3F800400 00000030 {Zeros(8)} FFFFFFFF 00000000 0A0B0C0D 11121314 21222324 {Zeros(12)}");
        Assert.Equal(rejected, pdu[48..]);
    }

    [Fact]
    public void Asynchronous_message()
    {
        new AsyncMessagePdu(AsyncMessagePdu.AllConnectionsAreDropped).Write(header, Numbers);
        MustBe($"32800000 00000000 {Zeros(8)} FFFFFFFF 00000000 0A0B0C0D 11121314 21222324 03000000 {Zeros(8)}");
        Assert.Equal(3, AsyncMessagePdu.Read(header).Event);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 3)]
    [InlineData(3, 1)]
    [InlineData(4, 0)]
    public void Data_is_padded_to_words(int bytes, int padding) => Assert.Equal(padding, Bhs.Padding(bytes));
}
