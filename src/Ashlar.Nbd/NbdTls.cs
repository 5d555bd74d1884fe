using System.Net.Security;

namespace Ashlar.Nbd;

/// <summary>How TLS is spoken.</summary>
/// <param name="Options">The certificate, and what is asked of those of clients.</param>
/// <param name="IsRequired">Whether nothing is told to clients in clear.</param>
public sealed record NbdTls(SslServerAuthenticationOptions Options, bool IsRequired);
