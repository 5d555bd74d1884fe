using System.Net;
using Ashlar.Transport;

namespace Ashlar.Iscsi;

/// <summary>An iSCSI portal on one address and port (RFC 7143).</summary>
public sealed class IscsiServer : IAsyncDisposable
{
    readonly StreamListener listener;

    IscsiServer(StreamListener listener, IscsiNode node)
    {
        this.listener = listener;
        Node = node;
    }

    /// <summary>The address and port listened on.</summary>
    public IPEndPoint EndPoint => listener.EndPoint;

    /// <summary>Connections open now.</summary>
    public int ConnectionCount => listener.ConnectionCount;

    internal IscsiNode Node { get; }

    /// <summary>Starts to listen.</summary>
    /// <param name="options">Where, and the limits.</param>
    /// <param name="targets">What is served.</param>
    /// <param name="report">Gets a line for each connection that ended in an error. Called from any thread.</param>
    /// <exception cref="ListenException">The port is taken.</exception>
    public static IscsiServer Start(ListenerOptions options, IIscsiTargets targets, Action<string> report)
    {
        var node = new IscsiNode(targets, report);
        return new(StreamListener.Start(options, node, report), node);
    }

    /// <summary>Refuses new initiators, finishes what is in flight, tells the initiators, closes.</summary>
    public ValueTask DisposeAsync() => listener.DisposeAsync();
}
