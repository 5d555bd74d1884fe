using System.Collections.Concurrent;
using System.Net;

namespace Ashlar.Transport.Tests.Echo;

/// <summary>A listener on a free port of this machine; it echoes unless it is told how to serve.</summary>
sealed class ListenerFixture : IConnectionHandler, IAsyncDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    static readonly TimeSpan Patient = TimeSpan.FromMinutes(5);

    readonly BlockingCollection<string> reports = [];
    readonly Action<Connection, CancellationToken> serve;

    public ListenerFixture(
        Action<Connection, CancellationToken>? serve = null,
        TimeSpan? handshake = null,
        TimeSpan? transfer = null,
        int maxConnections = 128,
        Action<string>? report = null)
    {
        this.serve = serve ?? EchoProtocol.Serve;
        Listener = StreamListener.Start(
            Options with
            {
                HandshakeTimeout = handshake ?? Patient,
                TransferTimeout = transfer ?? Patient,
                MaxConnections = maxConnections,
            },
            this,
            report ?? reports.Add);
    }

    /// <summary>Any free port of this machine.</summary>
    public static ListenerOptions Options => new() { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), Name = "echo" };

    public StreamListener Listener { get; }

    /// <summary>What was reported and not taken by <see cref="NextReport"/>.</summary>
    public IReadOnlyList<string> Reports => [.. reports];

    /// <summary>How each connection ended: null where its handler returned.</summary>
    public BlockingCollection<Exception?> Ends { get; } = [];

    public Client Dial() => new(Listener.EndPoint);

    /// <summary>Waits for a report.</summary>
    public string NextReport()
    {
        Assert.True(reports.TryTake(out var line, Limit), "nothing was reported");
        return line;
    }

    /// <summary>Waits for the end of a handler.</summary>
    public Exception? NextEnd()
    {
        Assert.True(Ends.TryTake(out var end, Limit), "no handler ended");
        return end;
    }

    /// <summary>Whoever broke something broke it for himself alone.</summary>
    public void OthersAreWell()
    {
        using var other = Dial();
        other.MustEcho([1, 2, 3]);
    }

    void IConnectionHandler.Serve(Connection connection, CancellationToken draining)
    {
        Exception? end = null;
        try
        {
            serve(connection, draining);
        }
        catch (Exception e)
        {
            end = e;
            throw;
        }
        finally
        {
            Ends.Add(end, CancellationToken.None);
        }
    }

    public ValueTask DisposeAsync() => Listener.DisposeAsync();
}
