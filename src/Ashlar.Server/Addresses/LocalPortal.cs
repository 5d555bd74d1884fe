using Ashlar.Transport;

namespace Ashlar.Server;

/// <summary>A Unix socket that a protocol is served on.</summary>
/// <param name="Path">Where; an absolute path.</param>
/// <param name="Access">Who may connect.</param>
public sealed record LocalPortal(string Path, LocalSocketAccess Access)
{
    /// <summary>Bytes that a path can have (unix(7)).</summary>
    public const int MaxPathBytes = 107;
}
