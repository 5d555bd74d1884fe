using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.Server.Tests.Snapshots;

/// <summary>An NBD client of one export, in the bytes that it sends.</summary>
sealed class NbdConnection : IDisposable
{
    const ushort ReadCommand = 0, WriteCommand = 1, ForceUnitAccess = 1;

    readonly TcpClient client;
    readonly NetworkStream stream;

    NbdConnection(TcpClient client, ushort flags)
    {
        this.client = client;
        stream = client.GetStream();
        IsReadOnly = (flags & 2) != 0;
    }

    public bool IsReadOnly { get; }

    /// <summary>
    /// Attaches; fails with <see cref="EndOfStreamException"/> or <see cref="IOException"/> where there is no such export.
    /// </summary>
    public static async Task<NbdConnection> OpenAsync(RunningProgram server, string export)
    {
        var client = new TcpClient(AddressFamily.InterNetwork) { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, new Uri(server.Status.Endpoints.Nbd).Port);
        var stream = client.GetStream();
        await stream.ReadExactlyAsync(new byte[18]);
        var name = Encoding.UTF8.GetBytes(export);
        var option = new byte[4 + 16 + name.Length];
        BinaryPrimitives.WriteUInt32BigEndian(option, 3); // Fixed newstyle, no zeroes.
        Encoding.ASCII.GetBytes("IHAVEOPT", option.AsSpan(4));
        BinaryPrimitives.WriteUInt32BigEndian(option.AsSpan(12), 1); // NBD_OPT_EXPORT_NAME
        BinaryPrimitives.WriteUInt32BigEndian(option.AsSpan(16), (uint)name.Length);
        name.CopyTo(option, 20);
        await stream.WriteAsync(option);
        var reply = new byte[10];
        await stream.ReadExactlyAsync(reply);
        return new NbdConnection(client, BinaryPrimitives.ReadUInt16BigEndian(reply.AsSpan(8)));
    }

    /// <summary>Reads; the error of the reply where it is one.</summary>
    public async Task<(uint Error, byte[] Data)> ReadAsync(long offset, int length)
    {
        var error = await CallAsync(ReadCommand, offset, length, []);
        var data = new byte[error == 0 ? length : 0];
        await stream.ReadExactlyAsync(data);
        return (error, data);
    }

    /// <summary>Writes, durably: what snapshots take is measured by what is committed.</summary>
    public Task<uint> WriteAsync(long offset, byte[] data) => CallAsync(WriteCommand, offset, data.Length, data);

    public void Dispose() => client.Dispose();

    async Task<uint> CallAsync(ushort command, long offset, int length, byte[] data)
    {
        var request = new byte[28 + data.Length];
        BinaryPrimitives.WriteUInt32BigEndian(request, 0x25609513);
        if (command == WriteCommand) BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(4), ForceUnitAccess);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(6), command);
        BinaryPrimitives.WriteInt64BigEndian(request.AsSpan(16), offset);
        BinaryPrimitives.WriteInt32BigEndian(request.AsSpan(24), length);
        data.CopyTo(request, 28);
        await stream.WriteAsync(request);
        var reply = new byte[16];
        await stream.ReadExactlyAsync(reply);
        return BinaryPrimitives.ReadUInt32BigEndian(reply.AsSpan(4));
    }
}
