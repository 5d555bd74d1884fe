using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.S3.Tests;

/// <summary>A connection that sends what it is given, byte by byte, as no HTTP library would.</summary>
sealed class RawConnection : IDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    readonly Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    readonly byte[] buffer = new byte[64 << 10];
    int start, end;

    public RawConnection(IPEndPoint server) => socket.Connect(server);

    /// <summary>Whether another request can be sent.</summary>
    public bool IsOpen { get; private set; } = true;

    public void Dispose() => socket.Dispose();

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes)..];
    }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>No more is sent; the answer can be read.</summary>
    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    /// <summary>An answer; null if the server ended the connection instead.</summary>
    public async Task<RawResponse?> ReceiveAsync(bool hasBody = true)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            if (await ReadLineAsync(limit.Token) is not { } line) return null;
            var status = int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
            var headers = new List<(string, string)>();
            while (await ReadLineAsync(limit.Token) is { Length: > 0 } header)
            {
                var colon = header.IndexOf(':', StringComparison.Ordinal);
                headers.Add((header[..colon], header[(colon + 1)..].Trim()));
            }

            var response = new RawResponse(status, headers, []);
            if (status == 100) return response;
            if (response.Header("Connection") == "close") IsOpen = false;
            if (!hasBody || status is 204 or 304) return response;
            if (response.Header("Transfer-Encoding") == "chunked") return response with { Body = await ReadChunksAsync(limit.Token) };
            if (response.Header("Content-Length") is { } length)
                return response with { Body = await ReadAsync(int.Parse(length, CultureInfo.InvariantCulture), limit.Token) };
            return response;
        }
    }

    async Task<byte[]> ReadChunksAsync(CancellationToken cancellationToken)
    {
        var body = new MemoryStream();
        while (true)
        {
            var line = await ReadLineAsync(cancellationToken) ?? throw new EndOfStreamException();
            var size = int.Parse(line, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            body.Write(await ReadAsync(size, cancellationToken));
            await ReadLineAsync(cancellationToken);
            if (size == 0) return body.ToArray();
        }
    }

    async Task<byte[]> ReadAsync(int length, CancellationToken cancellationToken)
    {
        var bytes = new byte[length];
        for (var filled = 0; filled < length;)
        {
            if (start == end && !await FillAsync(cancellationToken)) throw new EndOfStreamException($"{filled} of {length} bytes came");
            var taken = Math.Min(length - filled, end - start);
            buffer.AsSpan(start, taken).CopyTo(bytes.AsSpan(filled));
            start += taken;
            filled += taken;
        }

        return bytes;
    }

    async Task<string?> ReadLineAsync(CancellationToken cancellationToken)
    {
        var line = new MemoryStream();
        while (true)
        {
            if (start == end && !await FillAsync(cancellationToken)) return line.Length == 0 ? null : throw new EndOfStreamException();
            var one = buffer[start++];
            if (one == (byte)'\n') return Encoding.UTF8.GetString(line.GetBuffer().AsSpan(0, (int)line.Length)).TrimEnd('\r');
            line.WriteByte(one);
        }
    }

    async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        try
        {
            (start, end) = (0, await socket.ReceiveAsync(buffer, cancellationToken));
        }
        catch (SocketException)
        {
            end = 0;
        }

        if (end == 0) IsOpen = false;
        return end > 0;
    }
}
