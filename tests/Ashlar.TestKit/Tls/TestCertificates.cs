using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ashlar.TestKit;

/// <summary>An authority, a server named localhost and a client, as PEM files in a directory, named as libnbd looks for them.</summary>
public sealed class TestCertificates
{
    static readonly DateTimeOffset Begin = DateTimeOffset.UtcNow.AddDays(-1), End = DateTimeOffset.UtcNow.AddDays(30);

    /// <summary>Makes them.</summary>
    public TestCertificates(string directory)
    {
        Directory = directory;
        System.IO.Directory.CreateDirectory(directory);
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=tests", authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        using var authority = request.CreateSelfSigned(Begin, End);
        File.WriteAllText(AuthorityPath, authority.ExportCertificatePem());
        Write(authority, "server", "localhost", serial: 1);
        Write(authority, "client", "client", serial: 2);
    }

    /// <summary>Where they are.</summary>
    public string Directory { get; }

    /// <summary>The certificate of the authority.</summary>
    public string AuthorityPath => $"{Directory}/ca-cert.pem";

    /// <summary>The certificate of the server.</summary>
    public string ServerPath => $"{Directory}/server-cert.pem";

    /// <summary>The private key of the server.</summary>
    public string ServerKeyPath => $"{Directory}/server-key.pem";

    /// <summary>What a client asks of the server: that it is localhost, and the authority vouches for it.</summary>
    public SslClientAuthenticationOptions ClientOptions(SslProtocols protocols = SslProtocols.None)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(AuthorityPath);
        return new() { TargetHost = "localhost", EnabledSslProtocols = protocols, CertificateChainPolicy = policy };
    }

    /// <summary>The server's certificate with its key.</summary>
    public X509Certificate2 Server => X509Certificate2.CreateFromPemFile(ServerPath, ServerKeyPath);

    void Write(X509Certificate2 authority, string file, string name, byte serial)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        using var certificate = request.Create(authority, Begin, End, [serial]);
        File.WriteAllText($"{Directory}/{file}-cert.pem", certificate.ExportCertificatePem());
        File.WriteAllText($"{Directory}/{file}-key.pem", key.ExportPkcs8PrivateKeyPem());
    }
}
