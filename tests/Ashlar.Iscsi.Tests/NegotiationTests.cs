using System.Text;
using Ashlar.Storage;

namespace Ashlar.Iscsi.Tests;

public sealed class NegotiationTests
{
    [Theory]
    [InlineData("HeaderDigest", "CRC32C,None", "None")]
    [InlineData("HeaderDigest", "CRC32C", "Reject")]
    [InlineData("AuthMethod", "CHAP,None", "None")]
    [InlineData("MaxConnections", "8", "1")]
    [InlineData("MaxConnections", "0", "Reject")]
    [InlineData("InitialR2T", "Yes", "Yes")]
    [InlineData("InitialR2T", "No", "No")]
    [InlineData("InitialR2T", "yes", "Reject")]
    [InlineData("ImmediateData", "Yes", "Yes")]
    [InlineData("ImmediateData", "No", "No")]
    [InlineData("MaxBurstLength", "16776192", "1048576")]
    [InlineData("MaxBurstLength", "65536", "65536")]
    [InlineData("MaxBurstLength", "0x10000", "65536")]
    [InlineData("MaxBurstLength", "511", "Reject")]
    [InlineData("MaxBurstLength", "-1", "Reject")]
    [InlineData("MaxBurstLength", "99999999999999999999", "Reject")]
    [InlineData("MaxBurstLength", "16777216", "Reject")]
    [InlineData("MaxBurstLength", "", "Reject")]
    [InlineData("FirstBurstLength", "262144", "262144")]
    [InlineData("MaxOutstandingR2T", "1", "1")]
    [InlineData("MaxOutstandingR2T", "64", "8")]
    [InlineData("DefaultTime2Wait", "2", "2")]
    [InlineData("DefaultTime2Retain", "20", "0")]
    [InlineData("DataPDUInOrder", "No", "Yes")]
    [InlineData("DataSequenceInOrder", "No", "Yes")]
    [InlineData("ErrorRecoveryLevel", "2", "0")]
    [InlineData("TaskReporting", "FastAbort,RFC3720", "RFC3720")]
    [InlineData("iSCSIProtocolLevel", "2", "1")]
    [InlineData("MaxRecvDataSegmentLength", "65536", null)]
    [InlineData("MaxRecvDataSegmentLength", "16", "Reject")]
    [InlineData("InitiatorAlias", "host", null)]
    [InlineData("IFMarker", "Yes", "No")]
    [InlineData("OFMarkInt", "2048", "Reject")]
    [InlineData("X-com.example.key", "1", "NotUnderstood")]
    public void An_offer_gives_an_answer(string key, string offer, string? answer) =>
        Assert.Equal(answer, KeyRules.Answer(key, offer, new SessionParameters()));

    [Theory]
    [InlineData("MaxBurstLength", "65536", "Irrelevant")]
    [InlineData("MaxConnections", "1", "Irrelevant")]
    [InlineData("HeaderDigest", "CRC32C,None", "None")]
    [InlineData("ErrorRecoveryLevel", "0", "0")]
    public void Keys_about_data_are_irrelevant_to_discovery(string key, string offer, string answer) =>
        Assert.Equal(answer, KeyRules.Answer(key, offer, new SessionParameters { IsDiscovery = true }));

    [Theory]
    [InlineData("InitiatorName", "iqn.2026-11.example:a\u001b]52;c;ZXZpbA==\u0007")]
    [InlineData("InitiatorName", "iqn.2026-11.example:a\nerror: forged")]
    [InlineData("InitiatorName", "iqn.2026-11.example:a\u009b2J")]
    [InlineData("InitiatorName", "iqn.2026-11.example:a b")]
    [InlineData("InitiatorName", "iqn.2026-11.example:a\u202eb")]
    [InlineData("TargetName", "iqn.2026-11.example:a\tb")]
    [InlineData("TargetName", "")]
    public void A_name_has_nothing_that_is_not_shown(string key, string name) =>
        Assert.Throws<NegotiationException>(() => KeyRules.Answer(key, name, new SessionParameters()));

    [Fact]
    public void Names_in_any_script_are_names() =>
        Assert.Null(KeyRules.Answer("InitiatorName", "iqn.2026-11.example:m\u00fcller-\u5317", new SessionParameters()));

    [Fact]
    public void What_is_settled_holds_for_the_session()
    {
        var negotiation = new LoginNegotiation(_ => true, _ => null, SystemEntropy.Instance, 1);
        Step(
            negotiation,
            Initiator.Names() + "InitialR2T=No\0MaxBurstLength=65536\0FirstBurstLength=131072\0MaxRecvDataSegmentLength=4096\0");
        Assert.True(negotiation.IsComplete);
        Assert.False(negotiation.Parameters.InitialR2T);
        Assert.Equal(65536, negotiation.Parameters.FirstBurstLength); // A first burst is part of a burst.
        Assert.Equal(4096, negotiation.Parameters.InitiatorMaxRecvDataSegmentLength);
    }

    [Fact]
    public void The_first_response_names_the_portal_group_and_the_operational_stage_our_length()
    {
        var negotiation = new LoginNegotiation(_ => true, _ => null, SystemEntropy.Instance, 1);
        var reply = Step(negotiation, Initiator.Names(), LoginStage.Security, LoginStage.Operational);
        Assert.Equal("TargetPortalGroupTag=1\0AuthMethod=None\0", Encoding.ASCII.GetString(reply.Text.Span));
        Assert.Equal(LoginStage.Operational, reply.NextStage);
        reply = Step(negotiation, "");
        Assert.Equal("MaxRecvDataSegmentLength=262144\0", Encoding.ASCII.GetString(reply.Text.Span));
        Assert.True(negotiation.IsComplete);
    }

    [Fact]
    public void Text_may_be_cut_anywhere()
    {
        var text = Initiator.Names() + "InitialR2T=No\0";
        for (var cut = 1; cut < text.Length; cut++)
        {
            var negotiation = new LoginNegotiation(_ => true, _ => null, SystemEntropy.Instance, 1);
            var request = Request(LoginStage.Operational, LoginStage.Operational, transit: false, continues: true);
            Assert.True(negotiation.Step(request, Encoding.ASCII.GetBytes(text[..cut])).Text.IsEmpty);
            Step(negotiation, text[cut..]);
            Assert.False(negotiation.Parameters.InitialR2T);
        }
    }

    [Theory]
    [InlineData("SessionType=Normal\0", LoginStatus.MissingParameter)]
    [InlineData("InitiatorName=iqn.a\0", LoginStatus.MissingParameter)]
    [InlineData("InitiatorName=iqn.a\0TargetName=iqn.unknown\0", LoginStatus.NotFound)]
    [InlineData("InitiatorName=iqn.a\0SessionType=Other\0", LoginStatus.SessionTypeNotSupported)]
    [InlineData("InitiatorName=iqn.a\0SessionType=Discovery\0AuthMethod=CHAP\0", LoginStatus.AuthenticationFailure)]
    [InlineData("InitiatorName=\0SessionType=Discovery\0", LoginStatus.InitiatorError)]
    [InlineData("InitiatorName=iqn.a\0InitiatorName=iqn.a\0", LoginStatus.InitiatorError)]
    [InlineData("InitiatorName\0", LoginStatus.InitiatorError)]
    [InlineData("=x\0", LoginStatus.InitiatorError)]
    [InlineData("InitiatorName=iqn.a", LoginStatus.InitiatorError)]
    [InlineData("Initiator Name=iqn.a\0", LoginStatus.InitiatorError)]
    public void Wrong_text_ends_the_login(string text, object status)
    {
        var negotiation = new LoginNegotiation(p => p.TargetName == TestTarget.Name, _ => null, SystemEntropy.Instance, 1);
        Assert.Equal((LoginStatus)status, Assert.Throws<NegotiationException>(() => Step(negotiation, text)).Status);
    }

    [Theory]
    [InlineData(LoginStage.Security, LoginStage.Security)]
    [InlineData(LoginStage.Operational, LoginStage.Security)]
    [InlineData(LoginStage.Operational, LoginStage.Operational)]
    [InlineData(LoginStage.Operational, LoginStage.Reserved)]
    [InlineData(LoginStage.FullFeature, LoginStage.FullFeature)]
    [InlineData(LoginStage.Reserved, LoginStage.FullFeature)]
    public void Stages_only_go_forward(object current, object next)
    {
        var negotiation = new LoginNegotiation(_ => true, _ => null, SystemEntropy.Instance, 1);
        Assert.Throws<NegotiationException>(() => Step(negotiation, Initiator.Names(), (LoginStage)current, (LoginStage)next));
    }

    [Fact]
    public void A_login_that_never_ends_is_ended()
    {
        var negotiation = new LoginNegotiation(_ => true, _ => null, SystemEntropy.Instance, 1);
        Step(negotiation, Initiator.Names(), LoginStage.Operational, LoginStage.Operational, transit: false);
        Assert.Throws<NegotiationException>(() =>
        {
            for (var i = 0; i < 1000; i++) Step(negotiation, "", LoginStage.Operational, LoginStage.Operational, transit: false);
        });
    }

    [Fact]
    public void Ten_thousand_keys_are_too_many()
    {
        var text = string.Concat(Enumerable.Range(0, 1000).Select(i => $"X-{i}=1\0"));
        Assert.Throws<NegotiationException>(
            () => Step(new LoginNegotiation(_ => true, _ => null, SystemEntropy.Instance, 1), Initiator.Names() + text));
    }

    static LoginReply Step(
        LoginNegotiation negotiation, string text, LoginStage current = LoginStage.Operational, LoginStage next = LoginStage.FullFeature,
        bool transit = true) =>
        negotiation.Step(Request(current, next, transit), Encoding.ASCII.GetBytes(text));

    static LoginRequestPdu Request(LoginStage current, LoginStage next, bool transit, bool continues = false) =>
        new(transit, continues, current, next, 0, 0, 1, 0, 1, 0, 1, 1);
}
