using System.Buffers.Binary;
using System.Text;
using Ashlar.Blocks;
using Ashlar.Scsi;
using Ashlar.Scsi.Tests;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi.Tests;

/// <summary>Thirty bad inputs: each gets a clear end, and the server serves others afterwards.</summary>
public sealed class HostileInputTests : IAsyncLifetime
{
    readonly TestTarget target = new(configure: options => options with
    {
        HandshakeTimeout = TimeSpan.FromSeconds(3),
        TransferTimeout = TimeSpan.FromSeconds(5),
    });

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        target.MustServe();
        await target.DisposeAsync();
    }

    static byte[] Header(int opcode, int dataBytes = 0, int ahsWords = 0, uint tag = 99)
    {
        var header = new byte[Bhs.SizeBytes];
        Bhs.Write(header, (Opcode)opcode, 0x80, dataBytes, tag, immediate: true);
        header[4] = (byte)ahsWords;
        return header;
    }

    void MustEnd(ReadOnlySpan<byte> bytes)
    {
        using var initiator = target.Connect();
        initiator.SendRaw(bytes);
        Assert.True(initiator.IsClosed());
    }

    static RejectReason Rejected(Initiator initiator) => RejectPdu.Read(initiator.Receive(Opcode.Reject).Header).Reason;

    [Fact]
    public void I01_silence_is_cut_off_at_the_deadline() => MustEnd([]);

    [Fact]
    public void I02_text_of_HTTP_is_no_login() =>
        MustEnd(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: something\r\n\r\n"));

    [Fact]
    public void I03_a_header_without_its_last_byte_is_cut_off() => MustEnd(Header(0x03).AsSpan(0, 47));

    [Fact]
    public void I04_a_first_login_of_sixteen_megabytes_is_not_waited_for() => MustEnd(Header(0x03, dataBytes: 0xFFFFFF));

    [Fact]
    public void I05_more_data_than_settled_ends_the_session()
    {
        using var initiator = target.LogIn();
        initiator.SendRaw(Header(0x00, dataBytes: SessionParameters.OwnMaxRecvDataSegmentLength + 4));
        Assert.True(initiator.IsClosed());
    }

    [Fact]
    public void I06_an_additional_header_longer_than_what_comes_is_cut_off()
    {
        using var initiator = target.LogIn();
        initiator.SendRaw(Header(0x01, ahsWords: 255));
        initiator.SendRaw(new byte[100]);
        Assert.True(initiator.IsClosed());
    }

    [Fact]
    public void I07_reserved_opcodes_and_those_of_targets_are_rejected_with_their_header()
    {
        using var initiator = target.LogIn();
        foreach (var opcode in Enumerable.Range(0x07, 9).Concat(Enumerable.Range(0x10, 16)).Concat(Enumerable.Range(0x20, 32)))
        {
            var header = Header(opcode, dataBytes: 5);
            initiator.Send(header, new byte[5]);
            var pdu = initiator.Receive(Opcode.Reject);
            Assert.Equal(header, pdu.Data);
            Assert.Equal(opcode == 0x10 ? RejectReason.SnackReject : RejectReason.CommandNotSupported, RejectPdu.Read(pdu.Header).Reason);
        }
        initiator.Read(0, 1);
    }

    [Fact]
    public void I08_a_command_before_the_login_ends_the_connection() => MustEnd(Header(0x01));

    [Fact]
    public void I09_an_illegal_jump_of_stages_ends_the_login()
    {
        using var initiator = target.Connect();
        var response = initiator.Login(Initiator.Names(), LoginStage.Operational, LoginStage.Security);
        Assert.Equal(LoginStatus.InitiatorError, LoginResponsePdu.Read(response.Header).Status);
        Assert.True(initiator.IsClosed());
    }

    [Fact]
    public void I10_text_that_goes_on_for_ever_is_ended()
    {
        using var login = target.Connect();
        var part = new string('x', 8000);
        LoginStatus status;
        var count = 0;
        do
        {
            var answer = login.Login(part, LoginStage.Security, LoginStage.Security, transit: false, continues: true);
            status = LoginResponsePdu.Read(answer.Header).Status;
            count++;
        }
        while (status == LoginStatus.Success);
        Assert.Equal(LoginStatus.InitiatorError, status);
        Assert.InRange(count, 2, 10);

        using var session = target.LogIn();
        var ended = false;
        for (var i = 0; i < 20 && !ended; i++)
        {
            try
            {
                session.SendText(part, final: false, continues: true, transferTag: i == 0 ? Bhs.NoTag : 0x74657874);
            }
            catch (Exception e) when (e is EndOfStreamException or System.Net.Sockets.SocketException)
            {
                ended = true;
            }
        }
        Assert.True(ended);
    }

    [Fact]
    public void I11_text_that_goes_on_with_nothing_is_answered_with_nothing()
    {
        using var initiator = target.LogIn();
        for (var i = 0; i < 3; i++) Assert.Empty(initiator.SendText("", final: false, continues: true).Data);
        initiator.Read(0, 1);
    }

    [Theory]
    [InlineData("novalue\0")]
    [InlineData("SendTargets=All")]
    [InlineData("A=1\0A=1\0")]
    public void I12_text_that_is_no_list_of_pairs_is_rejected(string text)
    {
        using var initiator = target.LogIn();
        Assert.Equal(Opcode.Reject, initiator.SendText(text).Opcode);
        initiator.Read(0, 1);
    }

    [Theory]
    [InlineData("TargetName=" + TestTarget.Name + "\0", (int)LoginStatus.MissingParameter)]
    [InlineData("InitiatorName=iqn.*\0TargetName=" + TestTarget.Name + "\0", (int)LoginStatus.InitiatorError)]
    public void I13_an_initiator_without_a_proper_name_is_refused(string text, int status)
    {
        using var initiator = target.Connect();
        var response = initiator.Login(text.Replace("*", new string('a', 300), StringComparison.Ordinal));
        Assert.Equal((LoginStatus)status, LoginResponsePdu.Read(response.Header).Status);
    }

    [Fact]
    public void I14_a_target_that_is_not_there_is_not_found()
    {
        using var initiator = target.Connect();
        var response = initiator.Login(Initiator.Names(target: "iqn.2026-11.io.ashlar:main.secret"));
        Assert.Equal(LoginStatus.NotFound, LoginResponsePdu.Read(response.Header).Status);
        Assert.True(initiator.IsClosed());
    }

    [Fact]
    public void I15_numbers_out_of_range_are_rejected_and_change_nothing()
    {
        using var initiator = target.Connect();
        var response = initiator.LogIn(
            "iqn.2026-11.test:one", 1,
            keys: "MaxBurstLength=-5\0FirstBurstLength=99999999999\0MaxOutstandingR2T=0x\0InitialR2T=Maybe\0");
        Assert.Contains(
            "MaxBurstLength=Reject\0FirstBurstLength=Reject\0MaxOutstandingR2T=Reject\0InitialR2T=Reject\0",
            response.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void I16_to_I18_authentication_that_is_not_offered_is_refused_politely()
    {
        using var initiator = target.Connect();
        var response = initiator.Login(
            $"InitiatorName=iqn.a\0TargetName={TestTarget.Name}\0AuthMethod=CHAP\0", LoginStage.Security, LoginStage.Operational);
        Assert.Equal(LoginStatus.AuthenticationFailure, LoginResponsePdu.Read(response.Header).Status);

        using var other = target.Connect();
        response = other.Login(
            Initiator.Names() + $"CHAP_A=5\0CHAP_C=0x{new string('a', 2050)}\0CHAP_R=zz\0", LoginStage.Security, LoginStage.Operational);
        Assert.Contains("CHAP_A=NotUnderstood\0CHAP_C=NotUnderstood\0CHAP_R=NotUnderstood\0", response.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void I19_commands_outside_the_window_are_ignored_and_the_wrap_is_none()
    {
        using var initiator = target.Connect();
        initiator.CmdSN = 0xFFFFFFFE;
        initiator.LogIn("iqn.2026-11.test:one", 1);
        initiator.ClearAttention();
        for (var i = 0; i < 4; i++) initiator.Read(0, 1);
        var next = initiator.CmdSN;
        initiator.CmdSN = next - 1;
        initiator.SendCommand(new byte[16]);
        initiator.CmdSN = next + 128;
        initiator.SendCommand(Initiator.Cdb(0x2A, 0, 1), 512, writes: true, immediate: new byte[512]);
        initiator.MustHaveNothingButThePing();
        Assert.Empty(target.Device.Writes);
        initiator.CmdSN = next;
        initiator.Read(0, 1);
        initiator.CmdSN += 5; // Within the window, but the ones before will never come.
        initiator.SendCommand(new byte[16]);
        Assert.True(initiator.IsClosed());
    }

    [Fact]
    public void I20_a_tag_that_is_in_use_is_rejected()
    {
        using var initiator = target.LogIn();
        var tag = initiator.SendCommand(Initiator.Cdb(0x2A, 0, 1024), 524288, writes: true);
        var r2t = ReadyToTransferPdu.Read(initiator.Receive(Opcode.ReadyToTransfer).Header);
        initiator.SendCommand(Initiator.Cdb(0x28, 0, 1), 512, reads: true, tag: tag);
        Assert.Equal(RejectReason.TaskInProgress, Rejected(initiator));
        initiator.SendDataOut(tag, r2t.TargetTransferTag, 0, 0, new byte[262144], final: false);
        initiator.SendDataOut(tag, r2t.TargetTransferTag, 1, 262144, new byte[262144], final: true);
        Initiator.MustBeGood(initiator.ReceiveResult());
    }

    [Fact]
    public void I21_data_for_no_command_is_rejected()
    {
        using var initiator = target.LogIn();
        initiator.SendDataOut(4711, Bhs.NoTag, 0, 0, new byte[512], final: true);
        Assert.Equal(RejectReason.InvalidPduField, Rejected(initiator));
    }

    [Theory]
    [InlineData(1, 0u, 0u, 4096, "B/4B/00")]          // Wrong target transfer tag.
    [InlineData(0, 1u, 0u, 4096, "B/4B/00")]          // Wrong DataSN.
    [InlineData(0, 0u, 4096u, 4096, "B/4B/00")]       // A gap.
    [InlineData(0, 0u, 0xFFFFFE00u, 4096, "B/4B/00")] // An offset that overflows.
    [InlineData(0, 0u, 0u, 8192, "B/0C/0D")]          // More than asked for.
    [InlineData(0, 0u, 0u, 512, "B/0C/0D")]           // Less, and final.
    public void I21_data_that_does_not_fit_its_request_fails_the_command(int tagError, uint dataSN, uint offset, int bytes, string sense)
    {
        using var initiator = target.LogIn(keys: "InitialR2T=Yes\0ImmediateData=No\0MaxRecvDataSegmentLength=262144\0");
        var tag = initiator.SendCommand(Initiator.Cdb(0x2A, 0, 8), 4096, writes: true);
        var r2t = ReadyToTransferPdu.Read(initiator.Receive(Opcode.ReadyToTransfer).Header);
        initiator.SendDataOut(tag, r2t.TargetTransferTag + (uint)tagError, dataSN, offset, new byte[bytes], final: true);
        Assert.Equal(sense, initiator.ReceiveResult().Sense);
        initiator.SendDataOut(tag, r2t.TargetTransferTag, 0, 0, new byte[4096], final: true); // Too late: ignored.
        initiator.MustHaveNothingButThePing();
        Assert.Empty(target.Device.Writes);
    }

    [Fact]
    public void I22_more_data_than_the_first_burst_fails_the_command()
    {
        using var initiator = target.LogIn(
            keys: "InitialR2T=No\0ImmediateData=Yes\0FirstBurstLength=4096\0MaxRecvDataSegmentLength=262144\0");
        initiator.SendCommand(Initiator.Cdb(0x2A, 0, 16), 8192, writes: true, immediate: new byte[8192]);
        Assert.Equal("B/0C/0C", initiator.ReceiveResult().Sense);
        var tag = initiator.SendCommand(Initiator.Cdb(0x2A, 0, 16), 8192, writes: true, immediate: new byte[4096], final: false);
        initiator.SendDataOut(tag, Bhs.NoTag, 0, 4096, new byte[512], final: true);
        Assert.Equal("B/0C/0C", initiator.ReceiveResult().Sense);
        Assert.Empty(target.Device.Writes);

        using var strict = target.LogIn("iqn.2026-11.test:strict", 7, keys: "InitialR2T=Yes\0ImmediateData=No\0");
        strict.SendCommand(Initiator.Cdb(0x2A, 0, 1), 512, writes: true, immediate: new byte[512]);
        Assert.Equal("B/0C/0C", strict.ReceiveResult().Sense);
        strict.SendCommand(Initiator.Cdb(0x2A, 0, 1), 512, writes: true, final: false);
        Assert.Equal("B/0C/0C", strict.ReceiveResult().Sense);
    }

    [Theory]
    [InlineData(0xFFFFFFFFu, 1)]
    [InlineData(0x80000000u, 1)]
    [InlineData(0x7FFFFFFFu, 0xFFFF)]
    public void I23_an_expected_length_that_has_nothing_to_do_with_the_command_reserves_nothing(uint expected, int blocks)
    {
        using var initiator = target.LogIn();
        initiator.SendCommand(Initiator.Cdb(0x2A, 0, blocks), expected, writes: true, immediate: new byte[512]);
        var result = initiator.ReceiveResult();
        if (blocks == 1) Initiator.MustBeGood(result);
        else Assert.Equal("5/21/00", result.Sense);
    }

    [Fact]
    public void I23_a_write_that_calls_itself_a_read_is_refused()
    {
        using var initiator = target.LogIn();
        initiator.SendCommand(Initiator.Cdb(0x2A, 0, 1), 512, reads: true);
        Assert.Equal("5/0E/03", initiator.ReceiveResult().Sense);
    }

    [Fact]
    public void I24_addresses_that_wrap_are_out_of_range()
    {
        using var initiator = target.LogIn();
        var cdb = new byte[16];
        cdb[0] = 0x88;
        BinaryPrimitives.WriteUInt64BigEndian(cdb.AsSpan(2), ulong.MaxValue);
        BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(10), uint.MaxValue);
        Assert.Equal("5/21/00", initiator.Command(cdb, uint.MaxValue).Sense);
        BinaryPrimitives.WriteUInt64BigEndian(cdb.AsSpan(2), 1UL << 55); // 0 as a byte offset.
        BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(10), 1);
        Assert.Equal("5/21/00", initiator.Command(cdb, 512).Sense);
        BinaryPrimitives.WriteUInt64BigEndian(cdb.AsSpan(2), 0);
        BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(10), 0);
        Initiator.MustBeGood(initiator.Command(cdb));
    }

    [Fact]
    public void I25_units_of_other_targets_cannot_be_reached()
    {
        target.Add("iqn.2026-11.io.ashlar:main.other", new TestLun(5, Guid.Empty, new VolumeFront(new ScriptedDevice())));
        using var initiator = target.LogIn();
        byte[][] luns = [[0, 5, 0, 0, 0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 1, 0, 0, 0, 0]];
        foreach (var lun in luns)
        {
            initiator.SendCommand(Initiator.Cdb(0x28, 0, 1), 512, reads: true, lun: lun);
            Assert.Equal("5/25/00", initiator.ReceiveResult().Sense);
        }
    }

    [Fact]
    public void I26_lists_that_lie_and_commands_that_are_not_offered_are_refused()
    {
        using var initiator = target.LogIn();
        var list = new byte[24];
        BinaryPrimitives.WriteUInt16BigEndian(list.AsSpan(2), 0xFFF0);
        initiator.SendCommand([0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0], 24, writes: true, immediate: list);
        Assert.Equal("5/1A/00", initiator.ReceiveResult().Sense);
        initiator.SendCommand(Initiator.Cdb(0x41, 0, 0), 512, writes: true, immediate: new byte[512]);
        Assert.Equal("5/24/00", initiator.ReceiveResult().Sense);
        initiator.SendCommand([0x48, 0, 0, 0, 0, 0, 0, 0, 64, 0], 64, writes: true, immediate: new byte[64]); // SANITIZE
        Assert.Equal("5/20/00", initiator.ReceiveResult().Sense);
        var copy = new byte[64];
        BinaryPrimitives.WriteUInt32BigEndian(copy.AsSpan(8), uint.MaxValue);
        initiator.SendCommand([0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0], 64, writes: true, immediate: copy);
        Assert.Equal("5/1A/00", initiator.ReceiveResult().Sense);
    }

    [Fact]
    public void I27_digests_are_not_agreed_on()
    {
        using var initiator = target.Connect();
        Assert.Contains(
            "HeaderDigest=None\0DataDigest=None\0",
            initiator.LogIn("iqn.a", 1, keys: "HeaderDigest=CRC32C,None\0DataDigest=CRC32C,None\0").Text,
            StringComparison.Ordinal);
        using var insistent = target.Connect();
        Assert.Contains("HeaderDigest=Reject\0", insistent.LogIn("iqn.b", 1, keys: "HeaderDigest=CRC32C\0").Text, StringComparison.Ordinal);
    }

    [Fact]
    public void I28_aborts_and_resets_that_race_with_data_leave_the_session_whole()
    {
        using var initiator = target.LogIn(keys: "InitialR2T=Yes\0ImmediateData=No\0MaxRecvDataSegmentLength=262144\0");
        for (var i = 0; i < 30; i++)
        {
            var tag = initiator.SendCommand(Initiator.Cdb(0x2A, 0, 64), 32768, writes: true);
            var r2t = ReadyToTransferPdu.Read(initiator.Receive(Opcode.ReadyToTransfer).Header);
            initiator.SendDataOut(tag, r2t.TargetTransferTag, 0, 0, new byte[16384], final: false);
            var function = i % 2 == 0 ? TaskManagementFunction.AbortTask : TaskManagementFunction.LogicalUnitReset;
            initiator.SendTaskManagement(function, i % 2 == 0 ? tag : Bhs.NoTag, initiator.CmdSN - 1);
            initiator.SendDataOut(tag, r2t.TargetTransferTag, 1, 16384, new byte[16384], final: true);
            var answer = TaskManagementResponsePdu.Read(initiator.Receive(Opcode.TaskManagementResponse).Header);
            Assert.Equal(TaskManagementResult.Complete, answer.Result);
            if (i % 2 == 1) initiator.ClearAttention();
        }
        Assert.Empty(target.Device.Writes);
        initiator.Read(0, 1);
    }

    [Fact]
    public void I29_connections_that_are_dropped_in_any_state_leave_nothing_behind()
    {
        using (target.Connect())
        {
        }
        using (var half = target.Connect()) half.SendRaw(new byte[20]);
        using (var login = target.Connect()) login.Login(Initiator.Names(), LoginStage.Security, LoginStage.Operational);
        using (target.LogIn())
        {
        }
        using (var waiting = target.LogIn())
        {
            waiting.SendCommand(Initiator.Cdb(0x2A, 0, 1024), 524288, writes: true);
            waiting.Receive(Opcode.ReadyToTransfer);
        }
        using (var partial = target.LogIn()) partial.SendRaw(Header(0x01, dataBytes: 512).AsSpan(0, 30));
        SpinWait.SpinUntil(() => target.Server.ConnectionCount == 0, TimeSpan.FromSeconds(20));
        Assert.Equal((0, 0), (target.Server.ConnectionCount, target.Leases));
    }

    [Fact]
    public void I30_persistent_reservations_with_lists_that_are_none_change_nothing()
    {
        using var initiator = target.LogIn();
        initiator.SendCommand([0x5F, 0, 0, 0, 0, 0, 0, 0, 24, 0], 8, writes: true, immediate: new byte[8]);
        Assert.Equal("5/1A/00", initiator.ReceiveResult().Sense);
        initiator.SendCommand([0x5F, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0], 24, writes: true, immediate: new byte[24]);
        Assert.Equal("5/1A/00", initiator.ReceiveResult().Sense);
        initiator.SendCommand([0x5F, 0x1F, 0, 0, 0, 0, 0, 0, 24, 0], 24, writes: true, immediate: new byte[24]);
        Assert.Equal("5/24/00", initiator.ReceiveResult().Sense);
        Assert.Equal(0u, target.Front.Access.Persistent.State.Generation);
    }

    [Fact]
    public void Too_many_immediate_commands_are_rejected()
    {
        using var initiator = target.LogIn(keys: "InitialR2T=Yes\0ImmediateData=No\0");
        for (var i = 0; ; i++)
        {
            initiator.SendCommand(Initiator.Cdb(0x2A, 0, 1), 512, writes: true, isImmediate: true);
            var pdu = initiator.Receive();
            if (pdu.Opcode == Opcode.ReadyToTransfer) continue;
            Assert.Equal(RejectReason.TooManyImmediateCommands, RejectPdu.Read(pdu.Header).Reason);
            Assert.InRange(i, 128, 256);
            return;
        }
    }
}
