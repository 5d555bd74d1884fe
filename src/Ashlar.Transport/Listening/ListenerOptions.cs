using System.Net;

namespace Ashlar.Transport;

/// <summary>Where a listener listens and what it lets clients have.</summary>
public sealed record ListenerOptions
{
    /// <summary>The least that either time limit can be; the most, <see cref="TimeSpan.MaxValue"/>, is no limit.</summary>
    public static TimeSpan ShortestTimeout { get; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Address and port, where port 0 takes a free one; or the path of a Unix socket.</summary>
    public required EndPoint EndPoint { get; init; }

    /// <summary>Who may connect, where it is a Unix socket.</summary>
    public LocalSocketAccess LocalAccess { get; init; } = new();

    /// <summary>Name for messages and threads: "nbd", "iscsi".</summary>
    public required string Name { get; init; }

    /// <summary>Most connections at a time, of all listeners of a group together, at least 1; further ones are closed at once.</summary>
    public int MaxConnections { get; init; } = 1024;

    /// <summary>Most of them from one address other than those of this machine; as many as there may be where nothing is set.</summary>
    public int MaxConnectionsPerAddress { get; init; } = int.MaxValue;

    /// <summary>How long a client may take for its handshake before it is cut off.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a client may stay silent in the middle of a unit of data, and take nothing of a reply. One that drips is cut
    /// off after twice this time at the latest.
    /// </summary>
    public TimeSpan TransferTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The clock that the time limits go by; only its timestamps, which nobody sets.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
