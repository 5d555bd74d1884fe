using System.Buffers.Binary;
using Ashlar.TestKit;

namespace Ashlar.Nvme.Tests;

/// <summary>Hosts that do not keep to the protocol: each is told, cut off, and does no harm to others.</summary>
public sealed class HostileInputTests
{
    public static TheoryData<string> Headers =>
    [
        "unknown type", "type of a controller", "header too short", "length below the header", "length of 4 GiB",
        "data before the header's end", "data at an odd place", "more than the capsule takes",
        "a digest that was not agreed on", "a data digest without data",
    ];

    [Theory, MemberData(nameof(Headers))]
    public async Task A_header_that_lies_ends_the_connection(string what)
    {
        await using var target = new TestTarget();
        using var host = target.Dial();
        const PduFlags None = PduFlags.None;
        var (header, status, field) = what switch
        {
            "unknown type" => (new PduHeader((PduType)0x33, None, 72, 0, 72), FatalStatus.InvalidHeaderField, 0),
            "type of a controller" => (new PduHeader(PduType.ResponseCapsule, None, 24, 0, 24), FatalStatus.InvalidHeaderField, 0),
            "header too short" => (new PduHeader(PduType.CommandCapsule, None, 8, 0, 72), FatalStatus.InvalidHeaderField, 2),
            "length below the header" => (new PduHeader(PduType.CommandCapsule, None, 72, 0, 71), FatalStatus.InvalidHeaderField, 4),
            "length of 4 GiB" => (new PduHeader(PduType.CommandCapsule, None, 72, 72, uint.MaxValue), FatalStatus.DataLimitExceeded, 4),
            "data before the header's end" => (new PduHeader(PduType.CommandCapsule, None, 72, 8, 584), FatalStatus.InvalidHeaderField, 3),
            "data at an odd place" => (new PduHeader(PduType.CommandCapsule, None, 72, 73, 585), FatalStatus.InvalidHeaderField, 3),
            "more than the capsule takes" =>
                (new PduHeader(PduType.CommandCapsule, None, 72, 72, 72 + 8193), FatalStatus.DataLimitExceeded, 4),
            "a digest that was not agreed on" =>
                (new PduHeader(PduType.CommandCapsule, PduFlags.HeaderDigest, 72, 0, 76), FatalStatus.InvalidHeaderField, 1),
            _ => (new PduHeader(PduType.CommandCapsule, PduFlags.DataDigest, 72, 0, 72), FatalStatus.InvalidHeaderField, 1),
        };
        var bytes = new byte[PduHeader.SizeBytes];
        header.Write(bytes);
        host.SendRaw(bytes);
        var termination = host.ReceiveTermination();
        Assert.Equal((status, (uint)field), (termination.Status, termination.Information));
        target.MustServe();
    }

    [Theory]
    [InlineData("version")]
    [InlineData("alignment")]
    [InlineData("command first")]
    [InlineData("twice")]
    public async Task A_connection_begins_as_it_must(string what)
    {
        await using var target = new TestTarget();
        using var host = what == "twice" ? target.Dial() : NvmeHost.DialRaw(target.EndPoint);
        var pdu = new byte[InitializeRequest.SizeBytes];
        new InitializeRequest((ushort)(what == "version" ? 1 : 0), (byte)(what == "alignment" ? 32 : 0), default, 0).Write(pdu);
        if (what == "command first") host.SendCapsule(host.Entry(0, 1));
        else host.SendRaw(pdu);
        Assert.Equal(
            what switch
            {
                "version" => FatalStatus.UnsupportedParameter,
                "alignment" => FatalStatus.InvalidHeaderField,
                _ => FatalStatus.PduSequenceError,
            },
            host.ReceiveTermination().Status);
        target.MustServe();
    }

    [Fact]
    public async Task A_damaged_header_ends_the_connection()
    {
        var digests = new Digests(Header: true, Data: true);
        await using var target = new TestTarget();
        using var admin = target.Associate(digests);
        using var queue = target.Join(admin, digests: digests);
        var pdu = new byte[CommandCapsule.HeaderBytes + 4];
        new PduHeader(PduType.CommandCapsule, PduFlags.HeaderDigest, CommandCapsule.HeaderBytes, 0, (uint)pdu.Length).Write(pdu);
        queue.SendRaw(pdu);
        Assert.Equal(FatalStatus.HeaderDigestError, queue.ReceiveTermination().Status);
        target.MustServe();
    }

    [Fact]
    public async Task Damaged_data_are_not_written_and_the_host_may_try_again()
    {
        var digests = new Digests(Header: false, Data: true);
        await using var target = new TestTarget();
        using var admin = target.Associate(digests);
        using var queue = target.Join(admin, digests: digests);
        var header = new byte[CommandCapsule.HeaderBytes];
        var entry = queue.Io(NvmOpcode.Write, 0, 1) with { Data = new(0, 512, SglDescriptor.InCapsule) };
        entry.Write(header.AsSpan(CommandCapsule.EntryOffset));
        new PduHeader(PduType.CommandCapsule, PduFlags.DataDigest, 72, 72, 72 + 512 + 4).Write(header);
        queue.SendRaw(header);
        queue.SendRaw(new byte[512]);
        queue.SendRaw([1, 2, 3, 4]);
        Assert.Equal(NvmeStatus.TransientTransportError, queue.ReceiveResponse().Status);
        Assert.Empty(target.Device.Writes);
        queue.Write(0, NvmeHost.Pattern(512), inCapsule: true).MustSucceed();
    }

    public static TheoryData<string> Data =>
    [
        "of no command", "of another tag", "beyond the end", "not in order", "not marked as the last", "marked as the last too early",
        "of a lie",
    ];

    [Theory, MemberData(nameof(Data))]
    public async Task Data_that_nobody_asked_for_end_the_connection(string what)
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        var id = queue.Submit(queue.Io(NvmOpcode.Write, 0, 16), NvmeHost.Pattern(8192));
        var tag = queue.ReceiveRequest().TransferTag;
        var data = NvmeHost.Pattern(8192);
        var expected = FatalStatus.InvalidHeaderField;
        switch (what)
        {
            case "of no command":
                queue.SendData((ushort)(id + 1), (ushort)(tag + 1), 0, data, true);
                break;
            case "of another tag":
                queue.SendData(id, (ushort)(tag + 1), 0, data, true);
                break;
            case "beyond the end":
                queue.SendData(id, tag, 0, NvmeHost.Pattern(8196), true);
                expected = FatalStatus.DataOutOfRange;
                break;
            case "not in order":
                queue.SendData(id, tag, 4096, data.AsSpan(4096), true);
                expected = FatalStatus.DataOutOfRange;
                break;
            case "not marked as the last":
                queue.SendData(id, tag, 0, data, false);
                expected = FatalStatus.PduSequenceError;
                break;
            case "marked as the last too early":
                queue.SendData(id, tag, 0, data.AsSpan(0, 4096), true);
                expected = FatalStatus.PduSequenceError;
                break;
            default:
                var header = new byte[DataPdu.HeaderBytes];
                new DataPdu(id, tag, 0, 4096).Write(header, PduType.HostData, PduFlags.None, default, header.Length);
                queue.SendPdu(PduType.HostData, PduFlags.LastPdu, header, data);
                break;
        }
        Assert.Equal(expected, queue.ReceiveTermination().Status);
        Assert.Empty(target.Device.Writes);
        await Waiting.UntilAsync(() => target.Buffers.RentedBytes == 0, "the memory is given back");
        target.MustServe();
    }

    [Fact]
    public async Task More_commands_than_the_queue_has_end_the_connection()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin, size: 4);
        for (var i = 0; i < 5; i++) queue.Submit(queue.Io(NvmOpcode.Write, 0, 16), new byte[8192]);
        for (var i = 0; i < 4; i++) queue.ReceiveRequest();
        Assert.Equal(FatalStatus.PduSequenceError, queue.ReceiveTermination().Status);
        target.MustServe();
    }

    [Fact]
    public async Task An_identifier_that_is_in_use_is_refused_and_its_command_goes_on()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        var entry = queue.Io(NvmOpcode.Write, 0, 8);
        queue.Submit(entry, NvmeHost.Pattern(4096));
        var request = queue.ReceiveRequest();
        queue.Submit(entry, NvmeHost.Pattern(512), inCapsule: true);
        Assert.Equal(NvmeStatus.CommandIdConflict, queue.ReceiveResponse().Status);
        queue.AnswerRequest(request);
        queue.Finish(entry.CommandId).MustSucceed();
    }

    [Fact]
    public async Task Descriptors_that_do_not_fit_are_refused()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        var write = queue.Io(NvmOpcode.Write, 0, 1);
        Reply Send(SglDescriptor data, byte[]? inCapsule = null, byte flags = 0x40)
        {
            var entry = write with { Data = data, Flags = flags };
            queue.SendCapsule(entry, inCapsule);
            return queue.Finish(entry.CommandId);
        }

        Send(new(0, 1024, SglDescriptor.InCapsule), new byte[1024]).MustFail(NvmeStatus.DataSglLengthInvalid);
        Send(new(0, 512, SglDescriptor.InCapsule), new byte[1024]).MustFail(NvmeStatus.DataSglLengthInvalid);
        Send(new(0, 512, SglDescriptor.InCapsule)).MustFail(NvmeStatus.DataSglLengthInvalid);
        Send(new(4, 512, SglDescriptor.InCapsule), new byte[516]).MustFail(NvmeStatus.SglOffsetInvalid);
        Send(new(0, 512, SglDescriptor.Transport), new byte[512]).MustFail(NvmeStatus.DataSglLengthInvalid);
        Send(new(0, uint.MaxValue, SglDescriptor.Transport)).MustFail(NvmeStatus.DataSglLengthInvalid);
        Send(new(0, 512, 0x40)).MustFail(NvmeStatus.SglDescriptorTypeInvalid);
        Send(new(0, 512, SglDescriptor.InCapsule), new byte[512], flags: 0).MustFail(NvmeStatus.InvalidField);
        Send(new(0, 512, SglDescriptor.InCapsule), new byte[512], flags: 0x43).MustFail(NvmeStatus.InvalidField);

        var read = queue.Io(NvmOpcode.Read, 0, 1);
        queue.SendCapsule(read with { Data = new(0, 1024, SglDescriptor.Transport) });
        queue.Finish(read.CommandId).MustFail(NvmeStatus.DataSglLengthInvalid);
        queue.Run(queue.Entry((byte)NvmOpcode.Flush, 1), new byte[512], inCapsule: true).MustFail(NvmeStatus.InvalidField);
        queue.Run(queue.Entry(0x80, 1)).MustFail(NvmeStatus.InvalidOpcode);
        queue.Run(queue.Entry((byte)NvmOpcode.Flush, 2)).MustFail(NvmeStatus.InvalidNamespace);
        queue.Run(queue.Fabrics(FabricsType.PropertyGet, 0, 0x1C, 0)).MustFail(NvmeStatus.InvalidField);
        queue.Read(0, 1).MustSucceed();
        Assert.Empty(target.Device.Writes);
    }

    [Fact]
    public async Task Data_that_never_come_end_the_connection()
    {
        await using var target = new TestTarget(configure: options => options with { TransferTimeout = TimeSpan.FromMilliseconds(300) });
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        queue.Submit(queue.Io(NvmOpcode.Write, 0, 16), new byte[8192]);
        queue.ReceiveRequest();
        queue.MustBeClosed();
        // The connection goes before that is said.
        await Waiting.UntilAsync(
            () => target.Reports.Any(line => line.Contains("did not come", StringComparison.Ordinal)), "a report of what did not come");
        target.MustServe();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(128)]
    public async Task A_host_that_does_not_connect_is_cut_off(int bytes)
    {
        await using var target = new TestTarget(configure: options => options with { HandshakeTimeout = TimeSpan.FromSeconds(1) });
        using var host = NvmeHost.DialRaw(target.EndPoint);
        var pdu = new byte[InitializeRequest.SizeBytes];
        new InitializeRequest(0, 0, default, 0).Write(pdu);
        host.SendRaw(pdu.AsSpan(0, bytes));
        if (bytes == pdu.Length) host.Receive();
        host.MustBeClosed();
    }

    [Fact]
    public async Task A_host_may_end_the_connection_and_say_why()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        var pdu = new byte[TerminationPdu.MaxBytes];
        var length = new TerminationPdu(FatalStatus.DataOutOfRange, 12).Write(pdu, PduType.HostTermination, new byte[24]);
        admin.SendRaw(pdu.AsSpan(0, length));
        admin.MustBeClosed();
        await Waiting.UntilAsync(() => target.Associations == 0, "the end of the association");
        Assert.Contains(target.Reports, line => line.Contains("ended by the host: error 04h", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Noise_after_a_valid_beginning_harms_nobody()
    {
        var seed = TestSeeds.First(nameof(Noise_after_a_valid_beginning_harms_nobody));
        var random = new Random((int)seed);
        await using var target = new TestTarget();
        for (var round = 0; round < 60; round++)
        {
            using var admin = target.Associate();
            using var queue = target.Join(admin);
            var noise = new byte[random.Next(1, 600)];
            random.NextBytes(noise);
            // Mostly plausible headers, so that more than the first check is under test.
            if (round % 3 != 0)
            {
                noise = new byte[CommandCapsule.HeaderBytes];
                random.NextBytes(noise);
                const int length = CommandCapsule.HeaderBytes;
                new PduHeader(PduType.CommandCapsule, PduFlags.None, length, 0, length).Write(noise);
                noise[8] = (byte)random.Next(0, 0x20);
                noise[9] = 0x40;
                BinaryPrimitives.WriteUInt32LittleEndian(noise.AsSpan(12), 1);
            }
            queue.SendRaw(noise);
        }
        target.MustServe();
        await Waiting.UntilAsync(() => target.Associations == 0 && target.Buffers.RentedBytes == 0, "all have left");
    }
}
