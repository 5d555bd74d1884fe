using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.Server.Tests;

/// <summary>Writes to a volume of a running server as an NBD client does, in the bytes that it sends.</summary>
static class NbdWriter
{
    public static async Task WriteAsync(RunningProgram server, string export, params (long Offset, byte[] Data)[] writes)
    {
        using var client = new TcpClient(AddressFamily.InterNetwork) { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, new Uri(server.Status.Endpoints.Nbd).Port);
        var stream = client.GetStream();
        await stream.ReadExactlyAsync(new byte[18]);
        var name = Encoding.ASCII.GetBytes(export);
        var option = new byte[4 + 16 + name.Length];
        option[3] = 3; // Fixed newstyle, no zeroes.
        "IHAVEOPT"u8.CopyTo(option.AsSpan(4));
        option[15] = 1; // NBD_OPT_EXPORT_NAME.
        BinaryPrimitives.WriteInt32BigEndian(option.AsSpan(16), name.Length);
        name.CopyTo(option, 20);
        await stream.WriteAsync(option);
        await stream.ReadExactlyAsync(new byte[10]);
        foreach (var (offset, data) in writes) await RequestAsync(stream, type: 1, offset, data.Length, data);
        await RequestAsync(stream, type: 3, 0, 0, []);
        // The volume is in use until the server has closed the connection.
        await SendAsync(stream, type: 2, 0, 0, []);
        Assert.Equal(0, await stream.ReadAsync(new byte[1]));
    }

    static async Task RequestAsync(NetworkStream stream, byte type, long offset, int length, byte[] data)
    {
        await SendAsync(stream, type, offset, length, data);
        var reply = new byte[16];
        await stream.ReadExactlyAsync(reply);
        Assert.Equal(0, BinaryPrimitives.ReadInt32BigEndian(reply.AsSpan(4)));
    }

    static async Task SendAsync(NetworkStream stream, byte type, long offset, int length, byte[] data)
    {
        var request = new byte[28];
        BinaryPrimitives.WriteUInt32BigEndian(request, 0x25609513);
        request[7] = type;
        BinaryPrimitives.WriteInt64BigEndian(request.AsSpan(16), offset);
        BinaryPrimitives.WriteInt32BigEndian(request.AsSpan(24), length);
        await stream.WriteAsync((byte[])[.. request, .. data]);
    }
}
