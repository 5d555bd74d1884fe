using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.Files.Bench;

/// <summary>What came back: the status, and the body where it was kept.</summary>
readonly record struct HttpAnswer(int Status, long BodyBytes, ReadOnlyMemory<byte> Body)
{
    public string Text => Encoding.UTF8.GetString(Body.Span);
}

/// <summary>
/// One connection of HTTP/1.1 by blocking calls, which does as little as it can: the processors are for the server that is measured.
/// </summary>
sealed class HttpConnection : IDisposable
{
    const int HeadBytes = 64 << 10, PieceBytes = 256 << 10;

    readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    readonly byte[] received = new byte[PieceBytes];
    byte[] kept = new byte[HeadBytes];
    int from, to;

    public HttpConnection(int port)
    {
        Port = port;
        socket.Connect(IPAddress.Loopback, port);
    }

    public int Port { get; }

    /// <summary>Asks, and waits for the answer.</summary>
    /// <param name="method">The method.</param>
    /// <param name="target">Path and query.</param>
    /// <param name="headers">Lines of the head, each with its end, without host and length.</param>
    /// <param name="body">The body; null for none.</param>
    /// <param name="keeps">Whether the answer's body is wanted, and not only how long it is.</param>
    public HttpAnswer Ask(string method, string target, string headers = "", Stream? body = null, bool keeps = true)
    {
        var length = body is null ? "" : string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n");
        var head = $"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{Port}\r\n{length}{headers}\r\n";
        var count = Encoding.ASCII.GetBytes(head, received);
        // A short body goes with its head.
        while (body is not null && body.Read(received.AsSpan(count)) is var read and > 0)
        {
            count += read;
            if (count < received.Length) continue;
            SendAll(count);
            count = 0;
        }

        SendAll(count);
        return Receive(keeps && method != "HEAD");
    }

    public void Dispose() => socket.Dispose();

    void SendAll(int count)
    {
        for (var sent = 0; sent < count;) sent += socket.Send(received.AsSpan(sent, count - sent));
    }

    HttpAnswer Receive(bool keeps)
    {
        (from, to) = (0, 0);
        int end;
        while ((end = received.AsSpan(0, to).IndexOf("\r\n\r\n"u8)) < 0) Fill();
        var head = Encoding.ASCII.GetString(received, 0, end + 2);
        from = end + 4;
        var status = int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture);
        var bytes = head.Contains("\r\nTransfer-Encoding: chunked\r\n", StringComparison.OrdinalIgnoreCase)
            ? TakeChunks(keeps)
            : Take(LengthOf(head), keeps, 0);
        return new(status, bytes, keeps ? kept.AsMemory(0, (int)bytes) : default);
    }

    static long LengthOf(string head)
    {
        const string name = "\r\nContent-Length: ";
        var at = head.IndexOf(name, StringComparison.OrdinalIgnoreCase);
        if (at < 0) return 0;
        var value = head.AsSpan(at + name.Length);
        return long.Parse(value[..value.IndexOf('\r')], CultureInfo.InvariantCulture);
    }

    long TakeChunks(bool keeps)
    {
        var all = 0L;
        while (true)
        {
            int end;
            while ((end = received.AsSpan(from, to - from).IndexOf("\r\n"u8)) < 0) Fill();
            var length = long.Parse(
                Encoding.ASCII.GetString(received, from, end), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            from += end + 2;
            all += Take(length, keeps, (int)all);
            while (to - from < 2) Fill();
            from += 2;
            if (length == 0) return all;
        }
    }

    long Take(long length, bool keeps, int place)
    {
        if (keeps && place + length > kept.Length) Array.Resize(ref kept, (int)Math.Max(place + length, 2L * kept.Length));
        for (var done = 0L; done < length;)
        {
            if (from == to) Fill();
            var count = (int)Math.Min(to - from, length - done);
            if (keeps) received.AsSpan(from, count).CopyTo(kept.AsSpan(place + (int)done));
            from += count;
            done += count;
        }

        return length;
    }

    void Fill()
    {
        if (from == to) (from, to) = (0, 0);
        else if (from > 0)
        {
            received.AsSpan(from, to - from).CopyTo(received);
            (from, to) = (0, to - from);
        }

        if (to == received.Length) throw new InvalidOperationException("a head of an answer, or a line in it, is too long");
        var count = socket.Receive(received.AsSpan(to));
        if (count == 0) throw new IOException("the server has closed the connection");
        to += count;
    }
}
