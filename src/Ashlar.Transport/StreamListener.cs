using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Ashlar.Transport;

/// <summary>Accepts connections and gives each a thread and a handler.</summary>
public sealed class StreamListener : IAsyncDisposable
{
    readonly ListenerOptions options;
    readonly IConnectionHandler handler;
    readonly Action<string> report;
    readonly Socket socket;
    readonly Thread acceptor;
    readonly CancellationTokenSource draining = new();
    readonly ConcurrentDictionary<long, (Connection Connection, Thread Thread)> connections = new();
    long connectionsAccepted;
    int connectionCount;
    volatile bool stopped;

    StreamListener(ListenerOptions options, IConnectionHandler handler, Action<string> report, Socket socket)
    {
        this.options = options;
        this.handler = handler;
        this.report = report;
        this.socket = socket;
        EndPoint = (IPEndPoint)socket.LocalEndPoint!;
        acceptor = new Thread(AcceptLoop) { IsBackground = true, Name = $"{options.Name}-accept" };
    }

    /// <summary>The address and port listened on; the port is a real one even where 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Connections open now.</summary>
    public int ConnectionCount => Volatile.Read(ref connectionCount);

    /// <summary>Starts to listen.</summary>
    /// <param name="options">Where, and the limits.</param>
    /// <param name="handler">Speaks the protocol.</param>
    /// <param name="report">Gets a line for each connection that ended in an error.</param>
    /// <exception cref="ListenException">The port is taken, or the address is not one of this machine.</exception>
    public static StreamListener Start(ListenerOptions options, IConnectionHandler handler, Action<string> report)
    {
        var socket = new Socket(options.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(options.EndPoint);
            socket.Listen(128);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            var reason = e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => "the port is taken by another program",
                SocketError.AccessDenied => "permission denied",
                SocketError.AddressNotAvailable => "the address is not one of this machine",
                _ => e.Message,
            };
            throw new ListenException(options.Name, options.EndPoint.ToString(), reason, e);
        }
        var listener = new StreamListener(options, handler, report, socket);
        listener.acceptor.Start();
        return listener;
    }

    /// <summary>Accepts no more, lets handlers finish for a while, then cuts what is left.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        if (stopped) return;
        stopped = true;
        socket.Dispose();
        acceptor.Join();
        await draining.CancelAsync().ConfigureAwait(false);
        foreach (var (connection, _) in connections.Values) connection.Drain();
        var deadline = Environment.TickCount64 + (long)grace.TotalMilliseconds;
        await Task.Run(() =>
        {
            foreach (var (connection, thread) in connections.Values)
            {
                var left = (int)Math.Max(0, deadline - Environment.TickCount64);
                if (!thread.Join(left)) connection.Dispose();
            }
            foreach (var (_, thread) in connections.Values) thread.Join();
        }).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.FromSeconds(2)).ConfigureAwait(false);
        draining.Dispose();
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
                report($"{options.Name}: cannot accept: {e.Message}");
                draining.Token.WaitHandle.WaitOne(100);
                continue;
            }
            Admit(accepted);
        }
    }

    void Admit(Socket accepted)
    {
        if (Interlocked.Increment(ref connectionCount) > options.MaxConnections)
        {
            Interlocked.Decrement(ref connectionCount);
            report($"{options.Name}: refused a connection: {options.MaxConnections} are open, the most allowed");
            accepted.Dispose();
            return;
        }
        var id = ++connectionsAccepted;
        try
        {
            var connection = new Connection(accepted, id, options);
            var thread = new Thread(() => Serve(connection)) { IsBackground = true, Name = $"{options.Name}-{id}" };
            connections[id] = (connection, thread);
            thread.Start();
        }
        catch (Exception e)
        {
            // The client left between connect and accept, or no thread could be had: only this connection suffers.
            connections.TryRemove(id, out _);
            Interlocked.Decrement(ref connectionCount);
            accepted.Dispose();
            if (e is not SocketException) report($"{options.Name}: cannot serve connection {id}: {e.Message}");
        }
    }

    void Serve(Connection connection)
    {
        try
        {
            handler.Serve(connection, draining.Token);
            connection.Linger();
        }
        catch (ConnectionException e)
        {
            if (!stopped) report($"{options.Name}: {e.Message}");
        }
        catch (Exception e)
        {
            report($"{options.Name}: connection {connection.Id} from {connection.RemoteEndPoint} failed: {e}");
        }
        finally
        {
            connection.Dispose();
            connections.TryRemove(connection.Id, out _);
            Interlocked.Decrement(ref connectionCount);
        }
    }
}
