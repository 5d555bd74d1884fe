using Ashlar.Simulation;
using Ashlar.Transport;
using Ashlar.Transport.Tests.Simulated;

namespace Ashlar.Nbd.Tests.Client;

/// <summary>The server's code without sockets, for simulated clients, with one export named "disk".</summary>
sealed class SimulatedServer : IDisposable
{
    readonly OneExport exports;

    public SimulatedServer(BufferPool? buffers = null)
    {
        Buffers = buffers ?? new();
        exports = new(Device);
        Sessions = new(Clock, new NbdConnectionHandler(exports, Buffers, Reports.Add), Buffers);
    }

    public SimulatedClock Clock { get; } = new();

    public TestDevice Device { get; } = new();

    public BufferPool Buffers { get; }

    public List<string> Reports { get; } = [];

    public SimulatedSession Sessions { get; }

    /// <summary>Clients that have the export open.</summary>
    public int Leases => exports.Sessions;

    public void Dispose() => exports.Dispose();
}
