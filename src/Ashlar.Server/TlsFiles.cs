using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Ashlar.Nbd;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>Where the parts of TLS are, PEM each.</summary>
/// <param name="CertificatePath">The certificate, and those between it and its authority behind it.</param>
/// <param name="KeyPath">Its private key.</param>
/// <param name="ClientAuthorityPath">Who vouches for clients, which have to show certificates then; null for no such demand.</param>
/// <param name="IsRequired">Whether clients that do not speak TLS are told nothing.</param>
public sealed record TlsFiles(string CertificatePath, string KeyPath, string? ClientAuthorityPath, bool IsRequired)
{
    /// <summary>Reads them.</summary>
    /// <exception cref="ServerStartException">One of them is not there, or not what it should be.</exception>
    internal NbdTls Load(IFileSystem files)
    {
        var reading = CertificatePath;
        try
        {
            var chain = new X509Certificate2Collection();
            var pem = Read(files, CertificatePath);
            chain.ImportFromPem(pem);
            reading = KeyPath;
            var certificate = X509Certificate2.CreateFromPem(pem, Read(files, KeyPath));
            var options = new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(certificate, chain, offline: true),
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            };
            if (ClientAuthorityPath is not { } authority) return new(options, IsRequired);
            reading = authority;
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.ImportFromPem(Read(files, authority));
            if (policy.CustomTrustStore.Count == 0) throw new CryptographicException("it holds no certificate");
            options.ClientCertificateRequired = true;
            options.CertificateChainPolicy = policy;
            return new(options, IsRequired);
        }
        catch (Exception e) when (e is CryptographicException or AshlarException or ArgumentException)
        {
            throw new ServerStartException(StartProblem.Certificate, $"{reading} cannot be used for TLS: {e.Message}", e);
        }
    }

    static string Read(IFileSystem files, string path)
    {
        using var file = files.Open(path, FileOpenMode.ReadOnly);
        return Encoding.UTF8.GetString(file.ReadWhole());
    }
}
