namespace Ashlar.Nvme.Tests;

/// <summary>PDUs byte by byte, as the specification draws them.</summary>
public sealed class PduFormatTests
{
    static readonly Digests Both = new(Header: true, Data: true);

    [Fact]
    public void The_response_to_the_first_PDU_is_as_specified()
    {
        var pdu = new byte[InitializeResponse.SizeBytes];
        new InitializeResponse(0, 0, new Digests(true, true), 0x0010_0000).Write(pdu);
        Assert.Equal("01008000" + "80000000" + "0000" + "00" + "03" + "00001000", Convert.ToHexString(pdu.AsSpan(0, 16)));
        Assert.False(pdu.AsSpan(16).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void A_command_capsule_is_as_specified()
    {
        var entry = new SubmissionEntry(1, 0x40, 0x1234, 1, new(0, 4096, SglDescriptor.Transport), 0x11, 0x22, 0x33, 0x44, 0x55, 0x66);
        var bytes = new byte[SubmissionEntry.SizeBytes];
        entry.Write(bytes);
        Assert.Equal(
            "01403412" + "01000000" + "0000000000000000" + "0000000000000000" + "0000000000000000" + "00100000" + "0000005A"
            + "11000000" + "22000000" + "33000000" + "44000000" + "55000000" + "66000000",
            Convert.ToHexString(bytes));
        Assert.Equal(entry, SubmissionEntry.Read(bytes));
    }

    [Fact]
    public void A_response_capsule_has_the_status_above_the_phase_bit()
    {
        var pdu = new byte[ResponseCapsule.MaxBytes];
        var response = new ResponseCapsule(0x0102030405060708, 5, 0x1234, NvmeStatus.LbaOutOfRange | NvmeStatus.DoNotRetry);
        Assert.Equal(24, response.Write(pdu, default));
        Assert.Equal(
            "05001800" + "18000000" + "0807060504030201" + "0500" + "0000" + "3412" + "0081", Convert.ToHexString(pdu.AsSpan(0, 24)));
        Assert.Equal(response, ResponseCapsule.Read(pdu));
    }

    [Fact]
    public void A_request_for_data_is_as_specified()
    {
        var pdu = new byte[ReadyToTransferPdu.MaxBytes];
        var request = new ReadyToTransferPdu(0x1234, 0x5678, 0x1000, 0x2000);
        Assert.Equal(28, request.Write(pdu, Both));
        Assert.Equal(
            "09011800" + "1C000000" + "3412" + "7856" + "00100000" + "00200000" + "00000000", Convert.ToHexString(pdu.AsSpan(0, 24)));
        Assert.Equal(request, ReadyToTransferPdu.Read(pdu));
    }

    [Theory]
    [InlineData(false, 4, 24)]
    [InlineData(true, 4, 28)]
    [InlineData(true, 16, 32)]
    [InlineData(true, 128, 128)]
    public void Data_begin_where_the_host_wants_them(bool digest, int alignment, int expected)
    {
        var digests = new Digests(digest, digest);
        Assert.Equal(expected, DataPdu.DataAt(digests, alignment));
        var pdu = new byte[expected];
        new DataPdu(7, 0, 512, 1024).Write(pdu, PduType.ControllerData, PduFlags.LastPdu, digests, expected);
        var header = PduHeader.Read(pdu);
        Assert.Equal(expected, header.DataOffset);
        Assert.Equal((uint)(expected + 1024 + (digest ? 4 : 0)), header.LengthBytes);
    }

    [Fact]
    public void A_termination_shows_the_header_that_was_wrong()
    {
        var pdu = new byte[TerminationPdu.MaxBytes];
        var length = new TerminationPdu(FatalStatus.InvalidHeaderField, 4)
            .Write(pdu, PduType.ControllerTermination, [4, 0, 72, 0, 1, 0, 0, 0]);
        Assert.Equal("03001800" + "20000000" + "0100" + "04000000" + "00000000000000000000" + "0400480001000000",
            Convert.ToHexString(pdu.AsSpan(0, length)));
    }
}
