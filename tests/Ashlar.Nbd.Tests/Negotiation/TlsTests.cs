using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;
using Ashlar.TestKit;

namespace Ashlar.Nbd.Tests.Negotiation;

/// <summary>STARTTLS, of a server that offers or requires it.</summary>
public sealed class TlsTests : IAsyncLifetime
{
    readonly TemporaryDirectory directory = new();
    readonly TestCertificates certificates;
    NbdFixture? fixture;

    public TlsTests() => certificates = new(directory["pki"]);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (fixture is not null) await fixture.DisposeAsync();
        directory.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Requests_are_served_under_tls(bool isRequired)
    {
        using var client = Start(isRequired).Dial();
        client.Greet();
        client.StartTls(certificates.ClientOptions());
        client.RequestStructuredReplies();
        client.SelectBaseAllocation("disk");
        client.Go("disk");
        var data = new byte[1 << 20];
        new Random(1).NextBytes(data);
        Assert.Equal(NbdError.None, client.Call(CommandCode.Write, 4096, (uint)data.Length, payload: data)[^1].Error);
        Assert.Equal(data, client.Read(4096, (uint)data.Length));
        client.MustStillWork();
    }

    [Fact]
    public void Nothing_is_told_in_clear_where_tls_is_required()
    {
        using var client = Start(isRequired: true).Dial();
        client.Greet();
        OptionCode[] all = [OptionCode.List, OptionCode.StructuredReply, OptionCode.Go, OptionCode.Info, OptionCode.SetMetaContext];
        foreach (var option in all)
            Assert.Equal(OptionReplyCode.TlsRequired, client.Ask(option, NbdClient.InfoRequest("disk")).Single().Code);
        client.SendOption(OptionCode.ExportName, [.. "disk"u8]);
        client.MustBeCutOff();
        Assert.Equal(0, fixture!.Leases);
    }

    [Fact]
    public void Clients_in_clear_are_served_where_tls_is_offered()
    {
        using var client = Start(isRequired: false).Open();
        client.MustStillWork();
    }

    [Fact]
    public void What_was_agreed_in_clear_is_forgotten()
    {
        using var client = Start(isRequired: false).Dial();
        client.Greet();
        client.RequestStructuredReplies();
        client.SelectBaseAllocation("disk");
        client.StartTls(certificates.ClientOptions());
        var answer = client.Ask(OptionCode.SetMetaContext, NbdClient.ContextQuery("disk", "base:allocation")).Single();
        Assert.Equal(OptionReplyCode.Invalid, answer.Code); // Structured replies are not agreed any more.
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.StartTls).Single().Code);
        client.Go("disk");
        client.MustStillWork();
    }

    [Fact]
    public void Bytes_in_clear_behind_the_option_end_the_connection()
    {
        using var client = Start(isRequired: false).Dial();
        client.Greet();
        var option = new byte[OptionHeader.SizeBytes];
        new OptionHeader(OptionCode.StartTls, 0).Write(option);
        var list = new byte[OptionHeader.SizeBytes];
        new OptionHeader(OptionCode.List, 0).Write(list);
        client.Socket.Send([.. option, .. list]);
        client.MustBeCutOff();
        SpinWait.SpinUntil(() => fixture!.Reports.Count > 0, TimeSpan.FromSeconds(10));
        Assert.Contains("in clear", Assert.Single(fixture!.Reports), StringComparison.Ordinal);
    }

    [Fact]
    public void Data_with_the_option_are_refused()
    {
        using var client = Start(isRequired: true).Dial();
        client.Greet();
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.StartTls, 1).Single().Code);
        client.StartTls(certificates.ClientOptions());
        client.Go("disk");
        client.MustStillWork();
    }

    [Fact]
    public void A_client_without_a_certificate_is_refused_where_one_is_asked_for()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(certificates.AuthorityPath);
        using var client = Start(isRequired: true, options =>
        {
            options.ClientCertificateRequired = true;
            options.CertificateChainPolicy = policy;
        }).Dial();
        client.Greet();
        Assert.ThrowsAny<Exception>(() =>
        {
            client.StartTls(certificates.ClientOptions());
            client.Go("disk");
        });
        Assert.Equal(0, fixture!.Leases);
    }

    [FactIfTool("nbdinfo", "nbdcopy")]
    public void Libnbd_speaks_tls_with_certificates()
    {
        var server = Start(isRequired: true);
        var uri = $"nbds://localhost:{server.Server.EndPoint.Port}/disk?tls-certificates={certificates.Directory}";
        Assert.Contains("export-size", ExternalTool.Run("nbdinfo", uri).MustSucceed(), StringComparison.Ordinal);
        Assert.NotEqual(0, ExternalTool.Run("nbdinfo", server.Uri("disk")).ExitCode);
        ExternalTool.Run("nbdcopy", uri, directory["copy"]).MustSucceed();
        Assert.Equal(server.Device.Geometry.SizeBytes, new FileInfo(directory["copy"]).Length);
    }

    NbdFixture Start(bool isRequired, Action<SslServerAuthenticationOptions>? configure = null)
    {
        var options = new SslServerAuthenticationOptions { ServerCertificate = certificates.Server };
        configure?.Invoke(options);
        return fixture = new NbdFixture(tls: new(options, isRequired));
    }
}
