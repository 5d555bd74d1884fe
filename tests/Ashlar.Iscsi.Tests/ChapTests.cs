using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Iscsi.Tests;

/// <summary>Who has to prove who it is does, in both directions, and gets nothing before (RFC 7143, 12.1.3).</summary>
public sealed class ChapTests : IAsyncLifetime
{
    const string User = "vm-host", Secret = "twelve-bytes-at-least", TargetUser = "ashlar", TargetSecret = "another-secret-of-ours";

    static readonly ChapAccount Account = new(User, Encoding.ASCII.GetBytes(Secret))
    {
        TargetUser = TargetUser,
        TargetSecret = Encoding.ASCII.GetBytes(TargetSecret),
    };

    readonly TestTarget target = new() { Demands = static (_, _) => new([Account], IsRequired: true) };
    int opened;

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => target.DisposeAsync().AsTask();

    [Theory]
    [InlineData("5", 5)]
    [InlineData("6", 6)]
    [InlineData("7", 7)]
    [InlineData("7,5", 7)]
    [InlineData("99,x,6,5", 6)]
    public void An_initiator_proves_who_it_is_by_each_hash(string list, int algorithm)
    {
        var login = Begin();
        var challenge = Say(login, $"CHAP_A={list}\0");
        Assert.Equal($"{algorithm}", challenge["CHAP_A"]);
        Assert.Equal(0, opened);
        var reply = Step(login, Response(challenge, Secret), transit: true);
        Assert.Equal((LoginStage.Operational, 1, User), (reply.NextStage, opened, login.Parameters.User));
    }

    [Fact]
    public void Sha3_is_spoken_where_the_machine_has_it()
    {
        var login = Begin();
        var challenge = Say(login, "CHAP_A=8,7\0");
        Assert.Equal(SHA3_256.IsSupported ? "8" : "7", challenge["CHAP_A"]);
        Step(login, Response(challenge, Secret), transit: true);
        Assert.Equal(1, opened);
    }

    [Fact]
    public void The_target_proves_who_it_is_when_it_is_asked()
    {
        var login = Begin();
        var challenge = Say(login, "CHAP_A=7\0");
        var theirs = new byte[] { 1, 2, 3, 4 };
        var answer = Pairs(Step(login, Response(challenge, Secret) + "CHAP_I=200\0CHAP_C=0x01020304\0", transit: true));
        Assert.Equal(TargetUser, answer["CHAP_N"]);
        Assert.Equal(Hash(7, 200, TargetSecret, theirs), Convert.FromHexString(answer["CHAP_R"][2..]));
    }

    [Fact]
    public void A_challenge_of_ours_that_is_sent_back_is_refused()
    {
        var login = Begin();
        var challenge = Say(login, "CHAP_A=5\0");
        MustRefuse(login, Response(challenge, Secret) + $"CHAP_I={challenge["CHAP_I"]}\0CHAP_C={challenge["CHAP_C"]}\0");
    }

    [Fact]
    public void Nothing_is_answered_with_our_secret_to_who_has_not_proved_anything()
    {
        var login = Begin();
        var challenge = Say(login, "CHAP_A=5\0");
        MustRefuse(login, Response(challenge, "a secret that is not it") + "CHAP_I=1\0CHAP_C=0x01020304\0");
    }

    [Theory]
    [InlineData("CHAP_N=vm-host\0CHAP_R=0x00112233445566778899aabbccddeeff\0")]
    [InlineData("CHAP_N=vm-host\0CHAP_R=0x\0")]
    [InlineData("CHAP_N=vm-host\0CHAP_R=0x00\0")]
    [InlineData("CHAP_N=vm-host\0CHAP_R=zz\0")]
    [InlineData("CHAP_N=vm-host\0CHAP_R=0xzz112233445566778899aabbccddeeff\0")]
    [InlineData("CHAP_N=vm-host\0CHAP_R=0b!!!!\0")]
    [InlineData("CHAP_N=vm-host\0")]
    [InlineData("CHAP_R=0x00112233445566778899aabbccddeeff\0")]
    [InlineData("CHAP_A=5\0")]
    [InlineData("")]
    public void What_is_no_response_proves_nothing(string text)
    {
        var login = Begin();
        Say(login, "CHAP_A=5\0");
        MustRefuse(login, text);
    }

    [Fact]
    public void A_long_response_or_challenge_is_refused_before_it_is_decoded()
    {
        var login = Begin();
        Say(login, "CHAP_A=5\0");
        MustRefuse(login, $"CHAP_N={User}\0CHAP_R=0x{new string('a', 2050)}\0");
        login = Begin();
        MustRefuse(login, Response(Say(login, "CHAP_A=5\0"), Secret) + $"CHAP_I=1\0CHAP_C=0x{new string('a', 2050)}\0");
    }

    [Theory]
    [InlineData("other", Secret)]
    [InlineData(User, "wrong-secret-altogether")]
    [InlineData(TargetUser, TargetSecret)]
    public void A_wrong_user_or_secret_is_refused(string user, string secret)
    {
        var login = Begin();
        MustRefuse(login, Response(Say(login, "CHAP_A=7\0"), secret, user));
    }

    [Fact]
    public void A_response_of_another_login_is_worth_nothing()
    {
        var first = Begin();
        var response = Response(Say(first, "CHAP_A=5\0"), Secret);
        var second = Begin();
        Say(second, "CHAP_A=5\0");
        MustRefuse(second, response);
    }

    [Theory]
    [InlineData("None")]
    [InlineData("KRB5,None")]
    public void Who_does_not_offer_chap_is_refused(string methods) =>
        MustRefuse(New(), $"InitiatorName=iqn.a\0TargetName=iqn.t\0AuthMethod={methods}\0");

    [Fact]
    public void The_stage_of_security_cannot_be_left_out()
    {
        MustRefuse(New(), "InitiatorName=iqn.a\0TargetName=iqn.t\0");
        var login = New();
        var request = Request(LoginStage.Operational, LoginStage.FullFeature, transit: true);
        var failure = Assert.Throws<NegotiationException>(() => login.Step(request, "InitiatorName=iqn.a\0TargetName=iqn.t\0"u8));
        Assert.Equal(LoginStatus.AuthenticationFailure, failure.Status);
        Assert.Equal(0, opened);
    }

    [Fact]
    public void An_initiator_that_wants_to_go_on_too_early_stays_where_it_is()
    {
        var login = New();
        var reply = Step(login, "InitiatorName=iqn.a\0TargetName=iqn.t\0AuthMethod=CHAP,None\0", transit: true);
        Assert.Equal((false, LoginStage.Security), (reply.Transit, reply.NextStage));
        reply = Step(login, "CHAP_A=5\0", transit: true);
        Assert.Equal((false, LoginStage.Security, 0), (reply.Transit, reply.NextStage, opened));
    }

    [Fact]
    public void Over_the_wire_nothing_is_opened_and_unknown_targets_are_like_known_ones()
    {
        var known = Refusal(TestTarget.Name);
        Assert.Equal(known, Refusal("iqn.2026-11.io.ashlar:main.nothing"));
        Assert.Empty(target.Opened);
        Assert.DoesNotContain(target.Reports, line => line.Contains(Secret, StringComparison.Ordinal));
    }

    [FactIfTool("iscsi-inq", "iscsi-ls")]
    public void Libiscsi_logs_in_with_the_secret_and_not_without()
    {
        var withUser = Url($"{User}%{Secret}@");
        Assert.Contains("Vendor:ASHLAR", ExternalTool.Run("iscsi-inq", withUser).MustSucceed(), StringComparison.Ordinal);
        Assert.NotEqual(0, ExternalTool.Run("iscsi-inq", Url("")).ExitCode);
        Assert.NotEqual(0, ExternalTool.Run("iscsi-inq", Url($"{User}%wrong-secret-of-it@")).ExitCode);
        Assert.Contains(
            "Vendor:ASHLAR",
            ExternalTool.Run("iscsi-inq", $"{withUser}?target_user={TargetUser}&target_password={TargetSecret}").MustSucceed(),
            StringComparison.Ordinal);
        Assert.NotEqual(
            0, ExternalTool.Run("iscsi-inq", $"{withUser}?target_user={TargetUser}&target_password=not-the-secret-it-is").ExitCode);
        target.Demands = static (name, _) => new([Account], IsRequired: name is not null);
        Assert.Contains(
            TestTarget.Name,
            ExternalTool.Run("iscsi-ls", $"iscsi://{User}%{Secret}@{target.EndPoint}").MustSucceed(),
            StringComparison.Ordinal);
        Assert.DoesNotContain(
            TestTarget.Name,
            ExternalTool.Run("iscsi-ls", $"iscsi://{target.EndPoint}").Output,
            StringComparison.Ordinal);
    }

    [FactIfTool("qemu-img", "qemu-block-iscsi")]
    public void Qemu_logs_in_with_the_secret() => Assert.Contains(
        "virtual size", ExternalTool.Run("qemu-img", "info", Url($"{User}%{Secret}@")).MustSucceed(), StringComparison.Ordinal);

    string Url(string user) => target.Url.Replace("iscsi://", $"iscsi://{user}", StringComparison.Ordinal);

    (LoginStatus Status, string Text) Refusal(string name)
    {
        using var initiator = target.Connect();
        initiator.Login($"InitiatorName=iqn.a\0TargetName={name}\0AuthMethod=CHAP\0", LoginStage.Security, transit: false);
        initiator.Login("CHAP_A=5\0", LoginStage.Security, transit: false);
        var text = $"CHAP_N={User}\0CHAP_R=0x{new string('0', 32)}\0";
        var refused = initiator.Login(text, LoginStage.Security, LoginStage.Operational);
        return (LoginResponsePdu.Read(refused.Header).Status, refused.Text);
    }

    LoginNegotiation New() => new(
        _ =>
        {
            opened++;
            return true;
        },
        static _ => new([Account], IsRequired: true), SystemEntropy.Instance, 1);

    LoginNegotiation Begin()
    {
        var login = New();
        var reply = Pairs(Step(login, "InitiatorName=iqn.a\0TargetName=iqn.t\0AuthMethod=CHAP,None\0", transit: false));
        Assert.Equal("CHAP", reply["AuthMethod"]);
        return login;
    }

    void MustRefuse(LoginNegotiation login, string text)
    {
        var failure = Assert.Throws<NegotiationException>(() => Step(login, text, transit: true));
        Assert.Equal(LoginStatus.AuthenticationFailure, failure.Status);
        Assert.Equal(0, opened);
        Assert.DoesNotContain(Secret, failure.Message, StringComparison.Ordinal);
    }

    static Dictionary<string, string> Say(LoginNegotiation login, string text) => Pairs(Step(login, text, transit: false));

    static LoginReply Step(LoginNegotiation login, string text, bool transit) =>
        login.Step(Request(LoginStage.Security, LoginStage.Operational, transit), Encoding.ASCII.GetBytes(text));

    static LoginRequestPdu Request(LoginStage current, LoginStage next, bool transit) =>
        new(transit, false, current, next, 0, 0, 1, 0, 1, 0, 1, 1);

    static Dictionary<string, string> Pairs(LoginReply reply) => new(TextPairs.Parse(reply.Text.Span), StringComparer.Ordinal);

    static string Response(Dictionary<string, string> challenge, string secret, string user = User)
    {
        var hash = Hash(
            int.Parse(challenge["CHAP_A"], CultureInfo.InvariantCulture), byte.Parse(challenge["CHAP_I"], CultureInfo.InvariantCulture),
            secret, Convert.FromHexString(challenge["CHAP_C"][2..]));
        return $"CHAP_N={user}\0CHAP_R=0b{Convert.ToBase64String(hash)}\0";
    }

#pragma warning disable CA5350, CA5351 // What the protocol says.
    static byte[] Hash(int algorithm, byte identifier, string secret, byte[] challenge)
    {
        byte[] all = [identifier, .. Encoding.ASCII.GetBytes(secret), .. challenge];
        return algorithm switch
        {
            5 => MD5.HashData(all),
            6 => SHA1.HashData(all),
            7 => SHA256.HashData(all),
            _ => SHA3_256.HashData(all),
        };
    }
#pragma warning restore CA5350, CA5351
}
