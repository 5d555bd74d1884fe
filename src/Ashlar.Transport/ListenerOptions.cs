using System.Net;

namespace Ashlar.Transport;

/// <summary>Where a listener listens and what it lets clients have.</summary>
public sealed record ListenerOptions
{
    /// <summary>Address and port; port 0 takes a free one.</summary>
    public required IPEndPoint EndPoint { get; init; }

    /// <summary>Name for messages and threads: "nbd", "iscsi".</summary>
    public required string Name { get; init; }

    /// <summary>Most connections at a time; further ones are closed at once.</summary>
    public int MaxConnections { get; init; } = 1024;

    /// <summary>How long a client may take for its handshake before it is cut off.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one unit of data may take once its first byte has arrived, and one reply to be taken off.</summary>
    public TimeSpan TransferTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
