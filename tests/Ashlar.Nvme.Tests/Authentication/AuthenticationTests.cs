namespace Ashlar.Nvme.Tests;

/// <summary>DH-HMAC-CHAP on connections: what a host must prove, and what it is not told before.</summary>
public sealed class AuthenticationTests
{
    const ulong MustAuthenticate = 1 << 17;

    static readonly DhChapSecret Secret = DhChapVectorTests.Secret(1), Wrong = DhChapVectorTests.Secret(2);

    static readonly DhChapSecret ControllerSecret = DhChapVectorTests.Secret(3);

    static TestTarget NewTarget(DhChapSecret? controller = null) =>
        new() { Demands = _ => [new("one", Secret) { ControllerSecret = controller }] };

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    public async Task A_host_that_proves_itself_is_let_in_by_each_queue(byte hash, byte group)
    {
        await using var target = NewTarget(ControllerSecret);
        using var admin = target.Dial();
        Assert.Equal(MustAuthenticate, admin.Connect(0, TestTarget.Name).MustSucceed().Result & MustAuthenticate);
        Assert.Equal(0, target.Associations); // Nothing was opened.
        var host = new AuthenticatingHost(admin, TestTarget.Name) { Hashes = [hash], Groups = [group] };
        Assert.Equal(AuthenticationFailure.None, host.Authenticate(Secret, ControllerSecret));
        Assert.Equal((hash, group), (host.Challenge.HashId, host.Challenge.GroupId));
        Assert.Equal("one", Assert.Single(target.Front.Sessions).Client.User);
        admin.Enable();

        using var queue = target.Dial();
        Assert.Equal(MustAuthenticate, queue.Connect(1, TestTarget.Name, admin.ControllerId).MustSucceed().Result & MustAuthenticate);
        queue.Read(0, 1).MustFail(NvmeStatus.AuthenticationRequired);
        Assert.Equal(AuthenticationFailure.None, new AuthenticatingHost(queue, TestTarget.Name) { Groups = [group] }.Authenticate(Secret));
        queue.Read(0, 1).MustSucceed();
    }

    [Fact]
    public async Task Before_the_proof_a_queue_tells_and_does_nothing()
    {
        await using var target = NewTarget();
        using var admin = target.Dial();
        admin.Connect(0, TestTarget.Name).MustSucceed();
        admin.GetProperty(0x1C).MustFail(NvmeStatus.AuthenticationRequired);
        admin.SetProperty(0x14, 0x0046_0001).MustFail(NvmeStatus.AuthenticationRequired);
        admin.Identify(1).MustFail(NvmeStatus.AuthenticationRequired);
        using var queue = target.Dial();
        queue.Connect(1, TestTarget.Name, admin.ControllerId).MustFail(NvmeStatus.CommandSequenceError);

        // What there is not looks alike.
        using var stranger = target.Dial();
        stranger.Connect(0, "nqn.2026-11.io.ashlar:main.none").MustSucceed();
        stranger.Identify(1).MustFail(NvmeStatus.AuthenticationRequired);
        var host = new AuthenticatingHost(stranger, "nqn.2026-11.io.ashlar:main.none");
        Assert.Equal(AuthenticationFailure.Failed, host.Authenticate(Secret)); // There is nothing to be opened.
        Assert.Equal(0, target.Associations);
    }

    [Fact]
    public async Task An_unproved_queue_takes_no_number_and_keeps_no_association_alive()
    {
        await using var target = NewTarget();
        using var admin = target.Dial();
        admin.Connect(0, TestTarget.Name, keepAlive: 100).MustSucceed();
        Assert.Equal(AuthenticationFailure.None, new AuthenticatingHost(admin, TestTarget.Name).Authenticate(Secret));
        admin.Enable();
        using var stranger = target.Dial();
        stranger.Connect(1, TestTarget.Name, admin.ControllerId).MustSucceed();
        using var queue = target.Dial();
        queue.Connect(1, TestTarget.Name, admin.ControllerId).MustSucceed();
        Assert.Equal(AuthenticationFailure.None, new AuthenticatingHost(queue, TestTarget.Name).Authenticate(Secret));
        queue.Read(0, 1).MustSucceed();
        using var late = target.Dial();
        late.Connect(1, TestTarget.Name, admin.ControllerId).MustFail(NvmeStatus.CommandSequenceError);
        await TestKit.Waiting.UntilAsync(
            () =>
            {
                stranger.Read(0, 1).MustFail(NvmeStatus.AuthenticationRequired);
                return target.Associations == 0;
            },
            "the association has ended for its silence");
        Assert.Equal(AuthenticationFailure.Failed, new AuthenticatingHost(stranger, TestTarget.Name).Authenticate(Secret));
    }

    [Fact]
    public async Task Who_does_not_prove_it_is_told_so_and_gets_no_second_try()
    {
        await using var target = NewTarget();
        foreach (var name in (string[])[TestTarget.Name, "nqn.2026-11.io.ashlar:main.none"])
        {
            using var admin = target.Dial();
            admin.Connect(0, name).MustSucceed();
            Assert.Equal(AuthenticationFailure.Failed, new AuthenticatingHost(admin, name).Authenticate(Wrong));
            admin.MustBeClosed();
        }
        Assert.Equal(0, target.Associations);
        await TestKit.Waiting.UntilAsync(() => target.Reports.Count == 2, "both were reported");
        Assert.All(target.Reports, static line => Assert.Contains("has not authenticated", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_controller_that_has_no_secret_does_not_pass_for_one_that_has()
    {
        await using var target = NewTarget();
        using var admin = target.Dial();
        admin.Connect(0, TestTarget.Name).MustSucceed();
        Assert.Equal(AuthenticationFailure.Failed, new AuthenticatingHost(admin, TestTarget.Name).Authenticate(Secret, ControllerSecret));
        admin.MustBeClosed();
        Assert.Equal(0, target.Associations);
    }

    [Fact]
    public async Task A_host_that_asks_who_the_controller_is_has_to_believe_it_first()
    {
        await using var target = NewTarget(ControllerSecret);
        using var admin = target.Dial();
        admin.Connect(0, TestTarget.Name).MustSucceed();
        var host = new AuthenticatingHost(admin, TestTarget.Name);
        host.Send(host.Answer(Secret, asks: true, out _)).MustSucceed();
        host.Receive();
        admin.Identify(1).MustFail(NvmeStatus.AuthenticationRequired);
        host.Send(AuthenticationMessage.WriteFailure(
            AuthenticationMessageKind.Failure2, host.Transaction, AuthenticationFailure.Failed)).MustSucceed();
        admin.MustBeClosed();
        await TestKit.Waiting.UntilAsync(() => target.Associations == 0, "the association has ended");
    }

    [Fact]
    public async Task A_host_proves_itself_anew_and_one_that_cannot_any_more_is_cut_off()
    {
        var secret = Secret;
        await using var target = new TestTarget { Demands = _ => [new("other", ControllerSecret), new("one", secret)] };
        using var admin = target.Dial();
        admin.Connect(0, TestTarget.Name).MustSucceed();
        Assert.Equal(AuthenticationFailure.None, new AuthenticatingHost(admin, TestTarget.Name).Authenticate(Secret));
        admin.Enable();
        Assert.Equal(AuthenticationFailure.None, new AuthenticatingHost(admin, TestTarget.Name) { Transaction = 12 }.Authenticate(Secret));
        admin.Identify(1).MustSucceed();
        secret = Wrong; // It has another secret now.
        Assert.Equal(AuthenticationFailure.None, new AuthenticatingHost(admin, TestTarget.Name) { Transaction = 13 }.Authenticate(Wrong));
        Assert.Equal(1, target.Associations);

        // Another account's is none of this association's.
        var again = new AuthenticatingHost(admin, TestTarget.Name) { Transaction = 14 };
        Assert.Equal(AuthenticationFailure.Failed, again.Authenticate(ControllerSecret));
        admin.MustBeClosed();
        await TestKit.Waiting.UntilAsync(() => target.Associations == 0, "the association has ended");
    }

    [Fact]
    public async Task Where_nothing_is_to_be_proved_nothing_is_asked()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        Assert.Equal(0ul, admin.ControllerId & MustAuthenticate);
        new AuthenticatingHost(admin, TestTarget.Name).Send(new byte[16]).MustFail(NvmeStatus.CommandSequenceError);
        using var early = target.Dial();
        new AuthenticatingHost(early, TestTarget.Name).Send(new byte[16]).MustFail(NvmeStatus.CommandSequenceError);
        await using var asking = NewTarget();
        using var discovery = asking.Associate(subsystem: NvmeNames.Discovery);
    }

    [Fact]
    public async Task Commands_that_are_none_of_the_protocol_are_refused()
    {
        await using var target = NewTarget();
        using var admin = target.Dial();
        admin.Connect(0, TestTarget.Name).MustSucceed();
        var host = new AuthenticatingHost(admin, TestTarget.Name);
        host.TryReceive().MustFail(NvmeStatus.CommandSequenceError); // There is no message yet.
        host.Send(new byte[16], protocol: 0xE901_0000).MustFail(NvmeStatus.InvalidField);
        host.Send(new byte[4100]).MustFail(NvmeStatus.InvalidField);
        host.Send(new NegotiateMessage([1], [1], 0).Write(1)).MustSucceed();
        host.TryReceive(roomBytes: 16).MustFail(NvmeStatus.InvalidField);
        host.TryReceive(protocol: 0).MustFail(NvmeStatus.InvalidField);
        admin.Run(admin.Fabrics(FabricsType.AuthenticationReceive, 0xE901_0100, 4096, 0), readBytes: 2048)
            .MustFail(NvmeStatus.DataSglLengthInvalid);
        Assert.Equal(AuthenticationMessageKind.Challenge, AuthenticationMessage.KindOf(host.Receive()));
        host.TryReceive().MustFail(NvmeStatus.CommandSequenceError);
    }

    [Fact]
    public async Task Powers_are_reckoned_in_turns_that_do_not_outlast_the_handshake()
    {
        await using var target = new TestTarget(
            configure: static options => options with { HandshakeTimeout = TimeSpan.FromMilliseconds(1500) })
        {
            Demands = static _ => [new("one", Secret)],
        };
        var powers = target.Server.Node.Powers;
        while (powers.Wait(0))
        {
        }
        using var admin = target.Dial();
        admin.Connect(0, TestTarget.Name).MustSucceed();
        var negotiate = new NegotiateMessage([1], [1], 0).Write(1);
        admin.Submit(admin.Fabrics(FabricsType.AuthenticationSend, 0xE901_0100, (uint)negotiate.Length, 0), negotiate);
        using var other = target.Dial();
        other.Connect(0, TestTarget.Name).MustSucceed();
        var without = new AuthenticatingHost(other, TestTarget.Name) { Groups = [0] };
        Assert.Equal(AuthenticationFailure.None, without.Authenticate(Secret)); // There is nothing to be reckoned.
        admin.MustBeClosed();
        powers.Release();
        using var again = target.Dial();
        again.Connect(0, TestTarget.Name).MustSucceed();
        var host = new AuthenticatingHost(again, TestTarget.Name) { Groups = [1] };
        Assert.Equal(AuthenticationFailure.None, host.Authenticate(Secret));
    }

    [Fact]
    public async Task What_is_asked_for_later_is_what_the_account_asks_for_by_which_a_host_has_come()
    {
        var isOpen = false;
        DhChapAccount? account = new("one", Secret) { Id = "7" };
        await using var target = new TestTarget
        {
            Demands = _ => isOpen ? null : [account!],
            DemandsAgain = id => id != "7" ? [] : account is null ? null : [account],
        };
        using var admin = target.Dial();
        admin.Connect(0, TestTarget.Name).MustSucceed();
        Assert.Equal(AuthenticationFailure.None, new AuthenticatingHost(admin, TestTarget.Name).Authenticate(Secret));
        Assert.Equal(("one", "7"), (target.Front.Sessions[0].Client.User, target.Front.Sessions[0].Client.Account));
        admin.Enable();

        isOpen = true; // Others are let in without a proof; this one has come by the account.
        using var one = target.Dial();
        Assert.Equal(MustAuthenticate, one.Connect(1, TestTarget.Name, admin.ControllerId).MustSucceed().Result & MustAuthenticate);
        Assert.Equal(AuthenticationFailure.None, new AuthenticatingHost(one, TestTarget.Name).Authenticate(Secret));

        account = null; // The account itself asks for nothing any more.
        using var two = target.Dial();
        Assert.Equal(0ul, two.Connect(2, TestTarget.Name, admin.ControllerId).MustSucceed().Result & MustAuthenticate);
        two.Read(0, 1).MustSucceed();
        new AuthenticatingHost(admin, TestTarget.Name).Send(new byte[16]).MustFail(NvmeStatus.CommandSequenceError);
        admin.Identify(1).MustSucceed();
    }

    [Fact]
    public async Task A_host_that_does_not_go_on_is_cut_off()
    {
        await using var target = new TestTarget(
            configure: static options => options with { HandshakeTimeout = TimeSpan.FromMilliseconds(300) })
        {
            Demands = static _ => [new("one", Secret)],
        };
        using var admin = target.Dial();
        admin.Connect(0, TestTarget.Name).MustSucceed();
        admin.MustBeClosed();
    }
}
