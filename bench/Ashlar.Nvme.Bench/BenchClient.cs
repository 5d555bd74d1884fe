using System.Net.Sockets;

namespace Ashlar.Nvme.Bench;

enum RequestKind
{
    Read = 0,
    Write,
    Flush,
}

/// <summary>
/// One connection, as the generator drives it: requests go into slots, each with a buffer, and what ends is told by its slot. Protocols
/// differ in nothing else.
/// </summary>
abstract class BenchClient(BenchOptions options) : IDisposable
{
    readonly byte[][] buffers = [.. Enumerable.Range(0, options.Depth).Select(_ => new byte[options.BlockBytes])];

    protected Wire Wire { get; } = Dial(options);

    protected BenchOptions Options => options;

    /// <summary>The data of a slot.</summary>
    public byte[] Buffer(int slot) => buffers[slot];

    /// <summary>Gathers a request.</summary>
    public abstract void Submit(int slot, RequestKind kind, long offset);

    /// <summary>Sends what is gathered, and receives until a request has ended.</summary>
    /// <returns>Its slot.</returns>
    public abstract int Complete();

    public virtual void Dispose() => Wire.Dispose();

    protected static Wire Dial(BenchOptions options)
    {
        var socket = new Socket(options.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(options.EndPoint);
        return new(socket);
    }
}
