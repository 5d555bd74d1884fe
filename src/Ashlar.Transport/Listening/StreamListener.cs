using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>Accepts connections and gives each a thread and a handler.</summary>
public sealed class StreamListener : IAsyncDisposable
{
    /// <summary>Descriptors that clients never take: the last ones that the process may have open.</summary>
    public const int KeptDescriptors = 64;

    // How long who accepts waits for one that was cut to be gone, where that is needed.
    static readonly TimeSpan GivingWay = TimeSpan.FromSeconds(1);

    // Connections that were cut for others and are not gone yet: where more are, who accepts waits, so that they do not pile up.
    const int MostLeaving = 16;

    readonly ListenerOptions options;
    readonly IConnectionHandler handler;
    readonly Action<string> report;
    readonly Socket socket;
    readonly IDisposable? pathLock; // Of a Unix socket; it goes after the socket.
    readonly ConnectionCount all;
    readonly Thread acceptor;
    readonly CancellationTokenSource draining = new();
    readonly ConcurrentDictionary<long, (Connection Connection, Thread Thread)> connections = new();
    readonly Lock stopLock = new();
    long connectionsAccepted;
    int connectionCount;
    bool isRefusing; // By the accepting thread alone, as the next.
    bool isCrowded; // The last connection got the place of another.
    volatile bool stopped;
    Task? stopping;

    StreamListener(
        ListenerOptions options, IConnectionHandler handler, Action<string> report, Socket socket, IDisposable? pathLock,
        ConnectionCount all)
    {
        this.pathLock = pathLock;
        this.all = all;
        this.options = options;
        this.handler = handler;
        this.report = report;
        this.socket = socket;
        LocalEndPoint = socket.LocalEndPoint!;
        acceptor = new Thread(AcceptLoop) { IsBackground = true, Name = $"{options.Name}-accept" };
    }

    /// <summary>What is listened on: an address and port, or a Unix socket.</summary>
    public EndPoint LocalEndPoint { get; }

    /// <summary>The address and port listened on, where it is no Unix socket; the port is a real one even where 0 was asked for.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)LocalEndPoint;

    /// <summary>Connections open now.</summary>
    public int ConnectionCount => Volatile.Read(ref connectionCount);

    /// <summary>Starts to listen.</summary>
    /// <param name="options">Where, and the limits.</param>
    /// <param name="handler">Speaks the protocol.</param>
    /// <param name="report">
    /// Gets a line for each connection that ended in an error, and one for refused ones that follow one another. Called from any thread.
    /// </param>
    /// <exception cref="ListenException">The port or path is taken, or the address is not one of this machine.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The limits would let nobody in.</exception>
    public static StreamListener Start(ListenerOptions options, IConnectionHandler handler, Action<string> report) =>
        Start(options, handler, report, new ConnectionCount());

    internal static StreamListener Start(
        ListenerOptions options, IConnectionHandler handler, Action<string> report, ConnectionCount all)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxConnections, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxConnectionsPerAddress, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.HandshakeTimeout, ListenerOptions.ShortestTimeout, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.TransferTimeout, ListenerOptions.ShortestTimeout, nameof(options));
        IDisposable? pathLock = null;
        var socket = options.EndPoint is UnixDomainSocketEndPoint local
            ? LocalSocket.Bind(options.Name, local, options.LocalAccess, out pathLock)
            : Bind(options.Name, (IPEndPoint)options.EndPoint);
        try
        {
            // Clients that come all at once, say after a switch was replaced: what does not fit waits a second to be heard again.
            socket.Listen(1024);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            pathLock?.Dispose();
            throw new ListenException(options.Name, options.EndPoint.ToString()!, e, options.EndPoint is UnixDomainSocketEndPoint);
        }
        var listener = new StreamListener(options, handler, report, socket, pathLock, all);
        listener.acceptor.Start();
        return listener;
    }

    static Socket Bind(string name, IPEndPoint endPoint)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            // All addresses are those of IPv4 as well, as every other server means it.
            if (endPoint.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(endPoint);
            return socket;
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            throw new ListenException(name, endPoint.ToString(), e);
        }
    }

    /// <summary>
    /// Accepts no more, lets handlers finish for a while, then cuts what is left. Handlers have been told when the call
    /// returns; its task ends when each of them has returned. A further call waits for the first.
    /// </summary>
    /// <param name="grace"><see cref="Timeout.InfiniteTimeSpan"/> cuts nothing.</param>
    public Task StopAsync(TimeSpan grace)
    {
        lock (stopLock)
        {
            if (stopping is not null) return stopping;
            BeginStop();
            // A thread of its own: it waits for all handlers.
            return stopping = Task.Factory.StartNew(
                () => AwaitHandlers(grace), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.FromSeconds(2));
        draining.Dispose();
    }

    void BeginStop()
    {
        stopped = true;
        socket.Dispose();
        pathLock?.Dispose();
        acceptor.Join(); // From here on no connection is added.
        try
        {
            draining.Cancel();
        }
        catch (AggregateException e)
        {
            Report($"{options.Name}: a handler failed when told to finish: {FailureLine.Of(e)}");
        }
        foreach (var (connection, _) in connections.Values) connection.Drain();
    }

    void AwaitHandlers(TimeSpan grace)
    {
        var deadline = Deadline.In(grace, options.TimeProvider);
        foreach (var (connection, thread) in connections.Values)
        {
            if (!thread.Join(deadline.MillisecondsLeft)) Cut(connection);
        }
        foreach (var (_, thread) in connections.Values) thread.Join();
    }

    void AcceptLoop()
    {
        while (true)
        {
            Socket accepted;
            try
            {
                accepted = socket.Accept();
            }
            catch (Exception e) when (stopped && e is SocketException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of descriptors or memory: existing connections go on, and a pause keeps this from spinning.
                Report($"{options.Name}: cannot accept: {e.Message}");
                draining.Token.WaitHandle.WaitOne(100);
                continue;
            }
            Admit(accepted);
        }
    }

    void Admit(Socket accepted)
    {
        var shortage = IsLastDescriptors(accepted) ? "the process has hardly any descriptors left (see ulimit -n)" : null;
        if (all.TryTake(AddressOf(accepted), options, shortage, out var former, out var refusal) is not { } place)
        {
            Refuse(accepted, refusal!);
            return;
        }
        if (former is not null && !MakeWay(former, mustBeGone: shortage is not null))
        {
            all.Free(place);
            Refuse(accepted, shortage!);
            return;
        }
        isCrowded = former is not null;
        Interlocked.Increment(ref connectionCount);
        isRefusing = false;
        var id = ++connectionsAccepted;
        try
        {
            var connection = new Connection(accepted, id, options) { KeepPlace = () => all.EndLogin(place) };
            var thread = new Thread(() => Serve(connection, place)) { IsBackground = true, Name = $"{options.Name}-{id}" };
            connections[id] = (connection, thread);
            place.Begin(() => Cut(connection));
            all.BeginLogin(place);
            thread.Start();
        }
        catch (Exception e)
        {
            // The client left between connect and accept, or no thread could be had: only this connection suffers.
            connections.TryRemove(id, out _);
            Uncount(place);
            accepted.Dispose();
            if (e is not SocketException) Report($"{options.Name}: cannot serve connection {id}: {e.Message}");
        }
    }

    // The kernel gives out the lowest number that is free, so a number near the limit says that nearly all are in use. The rest
    // is for files and threads: a runtime that cannot open what it needs ends the process.
    static bool IsLastDescriptors(Socket accepted)
    {
        var limit = DescriptorLimit.Current;
        return accepted.Handle >= limit - Math.Min(KeptDescriptors, limit / 4);
    }

    // Cuts one whose place another has got.
    bool MakeWay(ConnectionPlace former, bool mustBeGone)
    {
        former.GiveWay(isOneOfMany: isCrowded);
        if (!mustBeGone && all.Leaving <= MostLeaving) return true;
        return former.WaitForEnd(GivingWay) || !mustBeGone;
    }

    void Uncount(ConnectionPlace place)
    {
        Invariant.Require(Interlocked.Decrement(ref connectionCount) >= 0);
        all.Free(place);
    }

    // Who comes by a Unix socket is on this machine.
    static IPAddress AddressOf(Socket accepted)
    {
        if (accepted.AddressFamily == AddressFamily.Unix) return IPAddress.Loopback;
        try
        {
            var address = ((IPEndPoint)accepted.RemoteEndPoint!).Address;
            return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        }
        catch (SocketException)
        {
            return IPAddress.None; // It has left already, which whoever serves it finds out.
        }
    }

    void Refuse(Socket accepted, string reason)
    {
        // Once for many in a row: who is refused must not be able to fill the log.
        if (!isRefusing) Report($"{options.Name}: refused a connection: {reason}");
        isRefusing = true;
        accepted.Dispose();
    }

    void Serve(Connection connection, ConnectionPlace place)
    {
        try
        {
            handler.Serve(connection, draining.Token);
            connection.Linger();
        }
        catch (ConnectionException e)
        {
            // Once for many in a row, as for refusals.
            if (!stopped && !place.IsOneOfMany)
                Report($"{options.Name}: {(place.HasGivenWay ? DescribeGivingWay(connection) : e.Message)}");
        }
        catch (Exception e)
        {
            Report($"{options.Name}: connection {connection.Id} from {connection.RemoteEndPoint} failed: {FailureLine.Of(e)}");
        }
        finally
        {
            Cut(connection);
            Uncount(place);
            connections.TryRemove(connection.Id, out _); // Last: AwaitHandlers waits for those that are in there.
        }
    }

    static string DescribeGivingWay(Connection connection) =>
        $"connection {connection.Id} from {connection.RemoteEndPoint}: it had not logged in, and gave its place to another";

    void Cut(Connection connection)
    {
        try
        {
            connection.Dispose();
        }
        catch (AggregateException e)
        {
            Report($"{options.Name}: connection {connection.Id} from {connection.RemoteEndPoint}: giving up its work failed: "
                + FailureLine.Of(e));
        }
    }

    void Report(string line)
    {
        try
        {
            report(line);
        }
        catch (Exception e)
        {
            // Thrown on a thread of ours it would end the whole process.
            Trace.TraceError($"{line}\nThis could not be reported: {e}");
        }
    }
}
