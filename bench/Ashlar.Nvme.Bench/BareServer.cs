using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Nvme.Bench;

/// <summary>
/// The floor of a server in .NET: a thread for each connection, which receives, does what is asked by one call of the file, and answers
/// when nothing further is here. No checksums, no limits, no checks.
/// </summary>
static class BareServer
{
    public static int Run(BenchOptions options)
    {
        using var file = File.OpenHandle(options.Name, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        using var listener = new Socket(options.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, optionValue: true);
        listener.Bind(options.EndPoint);
        listener.Listen(512);
        while (true)
        {
            var socket = listener.Accept();
            socket.NoDelay = true;
            new Thread(() => Serve(options, socket, file)) { IsBackground = true }.Start();
        }
    }

    static void Serve(BenchOptions options, Socket socket, SafeFileHandle file)
    {
        using var wire = new Wire(socket);
        try
        {
            if (options.IsNvme) BareNvme.Serve(wire, file);
            else BareNbd.Serve(wire, file);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The client has left.
        }
    }
}
