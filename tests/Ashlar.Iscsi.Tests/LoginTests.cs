using System.Text;
using Ashlar.Blocks;
using Ashlar.Scsi.Tests;
using Ashlar.Transport;

namespace Ashlar.Iscsi.Tests;

public sealed class LoginTests : IAsyncLifetime
{
    readonly TestTarget target = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => target.DisposeAsync().AsTask();

    [Fact]
    public void A_login_may_take_one_request_or_pass_both_stages()
    {
        using var quick = target.Connect();
        var response = LoginResponsePdu.Read(quick.Login(Initiator.Names()).Header);
        Assert.Equal(
            (true, LoginStage.Operational, LoginStage.FullFeature, LoginStatus.Success),
            (response.Transit, response.CurrentStage, response.NextStage, response.Status));
        Assert.NotEqual(0, response.Tsih);

        using var slow = target.Connect();
        var first = slow.Login(Initiator.Names("iqn.2026-11.test:two"), LoginStage.Security, LoginStage.Operational);
        Assert.Equal(0, LoginResponsePdu.Read(first.Header).Tsih);
        Assert.Contains("TargetPortalGroupTag=1", first.Text, StringComparison.Ordinal);
        Assert.Equal(LoginStage.FullFeature, LoginResponsePdu.Read(slow.Login("").Header).NextStage);
        slow.ClearAttention();
    }

    [Fact]
    public void Discovery_lists_the_targets_by_the_address_that_was_reached()
    {
        target.Add("iqn.2026-11.io.ashlar:main.other", new TestLun(0, Guid.Empty, target.Front));
        using var initiator = target.Connect();
        initiator.Login("InitiatorName=iqn.2026-11.test:one\0SessionType=Discovery\0", LoginStage.Security);
        var pdu = initiator.SendText("SendTargets=All\0");
        var expected = $"TargetName=iqn.2026-11.io.ashlar:main.other\0TargetAddress={target.EndPoint},1\0"
            + $"TargetName={TestTarget.Name}\0TargetAddress={target.EndPoint},1\0";
        Assert.Equal(expected, pdu.Text);
        var answer = TextResponsePdu.Read(pdu.Header);
        Assert.Equal(new TextResponsePdu(true, false, answer.InitiatorTaskTag, 0xFFFFFFFF), answer);
        Assert.Equal("", initiator.SendText("SendTargets=iqn.unknown\0").Text);
        Assert.StartsWith(
            $"TargetName={TestTarget.Name}\0", initiator.SendText($"SendTargets={TestTarget.Name}\0").Text, StringComparison.Ordinal);
        Assert.Equal(LogoutResult.Closed, LogoutResponsePdu.Read(initiator.LogOut().Header).Result);
        Assert.True(initiator.IsClosed());
    }

    [Fact]
    public void A_long_list_comes_in_parts()
    {
        for (var i = 0; i < 300; i++) target.Add($"iqn.2026-11.io.ashlar:main.volume{i:D4}", new TestLun(0, Guid.Empty, target.Front));
        using var initiator = target.Connect();
        initiator.Login("InitiatorName=iqn.2026-11.test:one\0SessionType=Discovery\0MaxRecvDataSegmentLength=1024\0");
        var text = new StringBuilder();
        var pdu = initiator.SendText("SendTargets=All\0");
        while (true)
        {
            Assert.True(pdu.Data.Length <= 1024);
            text.Append(pdu.Text);
            var response = TextResponsePdu.Read(pdu.Header);
            Assert.Equal(response.Final, !response.Continue);
            if (response.Final) break;
            pdu = initiator.SendText("", transferTag: response.TargetTransferTag);
        }
        Assert.Equal(301, text.ToString().Split("TargetName=").Length - 1);
    }

    [Fact]
    public void A_normal_session_may_ask_for_its_own_target_only_by_name_or_by_nothing()
    {
        using var initiator = target.LogIn();
        Assert.Equal("SendTargets=Reject\0", initiator.SendText("SendTargets=All\0").Text);
        Assert.StartsWith($"TargetName={TestTarget.Name}\0", initiator.SendText("SendTargets=\0").Text, StringComparison.Ordinal);
        Assert.Equal("HeaderDigest=Reject\0X-foo=NotUnderstood\0", initiator.SendText("HeaderDigest=CRC32C\0X-foo=1\0").Text);
    }

    [Fact]
    public void A_text_request_may_come_in_parts()
    {
        using var initiator = target.LogIn();
        var pdu = initiator.SendText("SendTar", final: false, continues: true);
        var response = TextResponsePdu.Read(pdu.Header);
        Assert.Empty(pdu.Data);
        var rest = initiator.SendText("gets=\0", transferTag: response.TargetTransferTag);
        Assert.StartsWith("TargetName=", rest.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Commands_have_no_place_in_a_discovery_session()
    {
        using var initiator = target.Connect();
        initiator.Login("InitiatorName=iqn.2026-11.test:one\0SessionType=Discovery\0");
        initiator.SendCommand(new byte[16]);
        Assert.Equal(RejectReason.ProtocolError, RejectPdu.Read(initiator.Receive(Opcode.Reject).Header).Reason);
    }

    [Fact]
    public async Task A_discovery_session_that_stays_silent_ends()
    {
        var clock = new SteppedClock();
        await using var listening = new TestTarget(
            configure: options => options with { TimeProvider = clock, TransferTimeout = TimeSpan.FromMilliseconds(50) });
        using var initiator = listening.Connect();
        initiator.Login("InitiatorName=iqn.2026-11.test:one\0SessionType=Discovery\0");
        clock.Step(TimeSpan.FromSeconds(61));
        Assert.True(initiator.IsClosed());
    }

    [Fact]
    public void The_same_initiator_port_ends_its_old_session_by_a_new_one()
    {
        using var old = target.LogIn();
        using var fresh = target.LogIn();
        Assert.True(old.IsClosed());
        fresh.Write(0, new byte[512]);
        Assert.Equal(1, target.Leases);
    }

    // Each login ends the session before it, wherever that has come to: in its login, just after it, or at work.
    [Fact]
    public async Task Logins_of_one_initiator_port_that_overtake_each_other_are_told_by_their_messages()
    {
        var logins = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (var i = 0; i < 50; i++)
            {
                using var initiator = target.Connect();
                initiator.SendLogin(Initiator.Names(), LoginStage.Operational, LoginStage.FullFeature);
                if (i % 3 != 0) continue;
                try
                {
                    initiator.Receive();
                }
                catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or Xunit.Sdk.XunitException)
                {
                    // Overtaken.
                }
            }
        })).ToList();
        logins.ForEach(login => login.Start());
        logins.ForEach(login => login.Join());
        await target.DisposeAsync();
        Assert.All(target.Reports, line =>
        {
            Assert.DoesNotContain("Exception", line, StringComparison.Ordinal);
            Assert.DoesNotContain("disposed", line, StringComparison.Ordinal);
            Assert.DoesNotContain(line, char.IsControl);
        });
    }

    [Fact]
    public void Other_ports_of_the_same_initiator_are_sessions_of_their_own()
    {
        using var one = target.LogIn(isid: 1);
        using var two = target.LogIn(isid: 2);
        one.Write(0, new byte[512]);
        two.Write(0, new byte[512]);
        Assert.Equal(2, target.Leases);
    }

    [Fact]
    public void Reinstatement_waits_until_the_old_session_cannot_write_any_more()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        target.Device.BeforeWrite = _ => new ValueTask(gate.Task);
        using var old = target.LogIn();
        old.SendCommand(Initiator.Cdb(0x2A, 0, 1), 512, writes: true, immediate: Filled(512, 1));
        old.Ping();
        old.Receive(Opcode.NopIn); // The write waits in the device now.
        using var fresh = target.Connect();
        fresh.SendLogin(Initiator.Names(), LoginStage.Operational, LoginStage.FullFeature);
        Assert.True(old.IsClosed());
        Assert.Empty(target.Device.Writes);
        target.Device.BeforeWrite = null;
        gate.SetResult();
        Assert.Equal(LoginStatus.Success, LoginResponsePdu.Read(fresh.Receive(Opcode.LoginResponse).Header).Status);
        fresh.ClearAttention();
        fresh.Write(0, Filled(512, 2));
        Assert.Equal(2, fresh.Read(0, 1)[0]);
        Assert.Equal(2, target.Device.Writes.Count);
    }

    [Fact]
    public void A_session_that_is_named_must_exist()
    {
        using var initiator = target.Connect();
        Assert.Equal(LoginStatus.SessionDoesNotExist, LoginResponsePdu.Read(initiator.Login(Initiator.Names(), tsih: 77).Header).Status);
        Assert.True(initiator.IsClosed());
        Assert.Equal(0, target.Leases);
    }

    [Fact]
    public void Logout_of_a_connection_that_is_not_there_and_for_recovery_is_refused()
    {
        using var initiator = target.LogIn();
        var other = initiator.LogOut(LogoutRequestPdu.CloseConnection, cid: 9);
        Assert.Equal(LogoutResult.NoSuchConnection, LogoutResponsePdu.Read(other.Header).Result);
        var recovery = initiator.LogOut(LogoutRequestPdu.RemoveForRecovery);
        Assert.Equal(LogoutResult.RecoveryNotSupported, LogoutResponsePdu.Read(recovery.Header).Result);
        Assert.Equal(LogoutResult.Closed, LogoutResponsePdu.Read(initiator.LogOut(LogoutRequestPdu.CloseConnection).Header).Result);
        Assert.True(initiator.IsClosed());
    }

    [Fact]
    public async Task A_server_that_stops_says_goodbye()
    {
        using var initiator = target.LogIn();
        await target.Server.DisposeAsync();
        Assert.Equal(AsyncMessagePdu.AllConnectionsAreDropped, AsyncMessagePdu.Read(initiator.Receive(Opcode.AsyncMessage).Header).Event);
        Assert.True(initiator.IsClosed());
        Assert.Equal(0, target.Leases);
    }

    [Fact]
    public void StatSN_counts_every_status()
    {
        using var initiator = target.LogIn();
        var first = initiator.Command(new byte[16]).Numbers;
        var second = initiator.Command(Initiator.Cdb(0x28, 0, 1), 512).Numbers;
        Assert.Equal(first.StatSN + 1, second.StatSN);
        Assert.Equal(first.ExpCmdSN + 1, second.ExpCmdSN);
        Assert.Equal(127u, second.MaxCmdSN - second.ExpCmdSN);
    }

    static byte[] Filled(int bytes, byte value)
    {
        var data = new byte[bytes];
        data.AsSpan().Fill(value);
        return data;
    }

    [Fact]
    public void A_second_connection_is_refused_and_the_session_stays()
    {
        using var first = target.Connect();
        var tsih = LoginResponsePdu.Read(first.LogIn("iqn.2026-11.test:one", 7).Header).Tsih;
        first.ClearAttention();
        using var second = target.Connect();
        var refusal = second.Login(Initiator.Names(), isid: 7, tsih: tsih, cid: 2);
        Assert.Equal(LoginStatus.TooManyConnections, LoginResponsePdu.Read(refusal.Header).Status);
        Assert.Equal(512, first.Read(0, 1).Length);
    }

    [Fact]
    public void A_connection_that_broke_is_taken_up_again_under_its_own_number()
    {
        using var first = target.Connect();
        var tsih = LoginResponsePdu.Read(first.LogIn("iqn.2026-11.test:one", 7).Header).Tsih;
        using var second = target.Connect();
        Assert.Equal(LoginStatus.Success, LoginResponsePdu.Read(second.Login(Initiator.Names(), isid: 7, tsih: tsih).Header).Status);
        Assert.True(first.IsClosed());
    }

    [Fact]
    public void Names_are_found_whatever_the_case_of_their_letters_and_may_be_said_again()
    {
        using var initiator = target.Connect();
        var names = $"InitiatorName=iqn.2026-11.test:one\0TargetName={TestTarget.Name.ToUpperInvariant()}\0SessionType=Normal\0";
        var response = initiator.Login(names, LoginStage.Security, LoginStage.Operational);
        Assert.Equal(LoginStatus.Success, LoginResponsePdu.Read(response.Header).Status);
        Assert.Equal(LoginStatus.Success, LoginResponsePdu.Read(initiator.Login(names).Header).Status);
        initiator.ClearAttention();

        // Written otherwise it is the same session again.
        using var again = target.Connect();
        again.LogIn("iqn.2026-11.test:one", 0x8000_0000_0001);
        Assert.True(initiator.IsClosed());
    }

    [Fact]
    public void Names_that_change_within_a_login_end_it()
    {
        using var initiator = target.Connect();
        initiator.Login(Initiator.Names(), LoginStage.Security, LoginStage.Operational);
        var response = initiator.Login("InitiatorName=iqn.2026-11.test:two\0");
        Assert.Equal(LoginStatus.InitiatorError, LoginResponsePdu.Read(response.Header).Status);
    }

    [Theory]
    [InlineData("FirstBurstLength=262144\0MaxBurstLength=4096\0", "FirstBurstLength=4096\0MaxBurstLength=4096\0")]
    [InlineData("MaxBurstLength=4096\0FirstBurstLength=262144\0", "MaxBurstLength=4096\0FirstBurstLength=4096\0")]
    [InlineData("FirstBurstLength=262144\0", "FirstBurstLength=262144\0")]
    public void A_first_burst_is_never_answered_longer_than_a_burst(string offer, string answer)
    {
        using var initiator = target.Connect();
        Assert.Contains(answer, initiator.LogIn("iqn.2026-11.test:one", 1, keys: offer).Text, StringComparison.Ordinal);
    }

    sealed class SteppedClock : TimeProvider
    {
        long stepped;

        public override long GetTimestamp() => base.GetTimestamp() + Volatile.Read(ref stepped);

        public void Step(TimeSpan by) => Interlocked.Add(ref stepped, (long)(by.TotalSeconds * TimestampFrequency));
    }
}
