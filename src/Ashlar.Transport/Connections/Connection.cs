using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>
/// One connection over TCP or a Unix socket, received from by blocking calls: a block target has few connections, and at depth 1
/// every hand-over between threads costs more than the request. One thread, the connection's own, receives, and waits for a client
/// that does not read; any other may send, and never waits.
/// </summary>
public sealed partial class Connection : IDisposable
{
    static readonly TimeSpan LingerTimeout = TimeSpan.FromSeconds(1);

    IWire wire;
    readonly TimeProvider time;
    readonly TimeSpan handshakeTimeout;
    readonly TimeSpan transferTimeout;
    readonly int transferTimeoutMilliseconds;
    readonly EndPoint localEndPoint;
    readonly CancellationTokenSource closing = new();
    readonly CancellationTokenSource cutting = new();
    Deadline handshakeDeadline;
    bool isLoggedIn; // The connection's own thread.
    ConnectionException? firstFailure;

    internal Connection(Socket socket, long id, ListenerOptions options)
        : this(
            new SocketWire(socket, options.TransferTimeout),
            AsDialled(LocalPeer.Of(socket) ?? socket.RemoteEndPoint!),
            AsDialled(socket.LocalEndPoint!),
            id,
            options)
    {
    }

    internal Connection(IWire wire, EndPoint remoteEndPoint, EndPoint localEndPoint, long id, ListenerOptions options)
    {
        this.wire = wire;
        transferTimeout = options.TransferTimeout;
        time = options.TimeProvider;
        transferTimeoutMilliseconds = Deadline.In(transferTimeout, time).MillisecondsLeft;
        handshakeTimeout = options.HandshakeTimeout;
        Id = id;
        RemoteEndPoint = remoteEndPoint;
        this.localEndPoint = localEndPoint;
        Closed = closing.Token;
        WasCut = cutting.Token;
        outgoing = new(wire, SendDeadline, $"{options.Name}-{id}-send", SendFailed, Close);
        handshakeDeadline = Deadline.In(handshakeTimeout, time);
    }

    /// <summary>Number of the connection since the listener started, for messages.</summary>
    public long Id { get; }

    /// <summary>The client's address; of one on a Unix socket, who it is: <see cref="LocalPeer"/>.</summary>
    public EndPoint RemoteEndPoint { get; }

    /// <summary>The address by which the client reached us; only of those that came by one, and not by a Unix socket.</summary>
    public IPEndPoint LocalEndPoint => (IPEndPoint)localEndPoint;

    /// <summary>How long data that was asked for may take to come.</summary>
    public TimeSpan TransferTimeout => transferTimeout;

    /// <summary>By the clock that deadlines go by, which is never set.</summary>
    public long NowMilliseconds => Deadline.Now(time);

    /// <summary>Fires when the connection breaks or is cut, so that work begun for its client can be given up.</summary>
    public CancellationToken Closed { get; }

    /// <summary>Fires when the connection is cut by the server, also if it broke before.</summary>
    public CancellationToken WasCut { get; }

    bool InHandshake => !handshakeDeadline.IsNever;

    /// <summary>Gives the handshake its whole time again, because the client got on with it.</summary>
    public void HandshakeContinues() => handshakeDeadline = Deadline.In(handshakeTimeout, time);

    /// <summary>
    /// Ends the time limit of the handshake; from now on only units of data in transfer are limited. The client has logged in, and the
    /// connection keeps its place: call it before he is told so.
    /// </summary>
    /// <exception cref="ConnectionException">Another has got its place already.</exception>
    public void HandshakeCompleted()
    {
        if (KeepPlace?.Invoke() == false) throw Failure("gave its place to another");
        isLoggedIn = true;
        handshakeDeadline = Deadline.Never;
    }

    /// <summary>
    /// Ends the time limit of the handshake of a client that may only ask what there is: he gives way to others as before.
    /// </summary>
    public void HandshakeCompletedAsGuest() => handshakeDeadline = Deadline.Never;

    /// <summary>Called when the client has logged in, on the connection's own thread; false where another has got its place.</summary>
    internal Func<bool>? KeepPlace { get; set; }

    /// <summary>
    /// Waits for a turn that many connections share: within the handshake, or else for as long as a unit of data may take. The
    /// connection's own thread only.
    /// </summary>
    /// <exception cref="ConnectionException">It did not come in time, or the connection was cut.</exception>
    public void WaitFor(SemaphoreSlim turns)
    {
        ArgumentNullException.ThrowIfNull(turns);
        var deadline = InHandshake ? handshakeDeadline : Deadline.In(transferTimeout, time);
        try
        {
            if (turns.Wait(deadline.MillisecondsLeft, Closed)) return;
        }
        catch (OperationCanceledException e)
        {
            throw Broken(e);
        }
        throw InHandshake ? HandshakeTooSlow() : Failure("its turn did not come in time");
    }

    /// <summary>
    /// Goes on under TLS, as the server: within the handshake, when nothing waits to be sent. The connection's own thread only.
    /// </summary>
    /// <exception cref="ConnectionException">
    /// The client does not speak TLS, is refused or too slow; or sent something before, which nobody has vouched for.
    /// </exception>
    public void StartTls(SslServerAuthenticationOptions options)
    {
        Invariant.Require(InHandshake);
        if (BufferedBytes > 0) throw Failure("bytes came in clear behind the beginning of TLS");
        try
        {
            var secured = TlsWire.Accept(wire, options, () => handshakeDeadline.MillisecondsLeft);
            outgoing.Change(secured);
            wire = secured;
        }
        catch (WireException e)
        {
            throw e.InnerException is TimeoutException ? HandshakeTooSlow() : Broken(e);
        }
    }

    /// <summary>Cuts the connection from any thread: blocked calls on it end.</summary>
    public void Dispose()
    {
        try
        {
            Close();
        }
        finally
        {
            cutting.Cancel();
        }
    }

    /// <summary>
    /// Says goodbye before the socket is closed: closing with unread input would reset the connection, and the reset may
    /// overtake the last replies. So output ends first, and what still comes in is read off for a moment.
    /// </summary>
    internal void Linger()
    {
        try
        {
            outgoing.Flush();
            wire.EndOutput();
            var deadline = Deadline.In(LingerTimeout, time);
            while (!deadline.IsOver && wire.Receive(buffer, deadline.MillisecondsLeft) > 0)
            {
            }
        }
        catch (Exception e) when (e is WireException or ConnectionException)
        {
            // The client has gone first.
        }
    }

    void Close()
    {
        wire.Dispose();
        outgoing.Fail(firstFailure ?? Failure("was cut"));
        closing.Cancel();
    }

    // A socket for both families writes IPv4 addresses as IPv6 ones.
    static EndPoint AsDialled(EndPoint endPoint) => endPoint is IPEndPoint { Address.IsIPv4MappedToIPv6: true } mapped
        ? new IPEndPoint(mapped.Address.MapToIPv4(), mapped.Port)
        : endPoint;

    ConnectionException HandshakeTooSlow() => Failure("the handshake took too long");

    ConnectionException EndedEarly() => Failure("ended in the middle of a unit of data");

    ConnectionException TooSlow() => Failure("the client is too slow in the middle of a unit of data");

    ConnectionException Failure(string what, Exception? cause = null) => new($"connection {Id} from {RemoteEndPoint}: {what}", cause);

    // The first cause counts: what follows it is only the closed socket.
    ConnectionException Broken(Exception cause) => firstFailure is { } failure
        ? new(failure.Message, failure)
        : Failure($"broken: {cause.Message}", cause);
}
