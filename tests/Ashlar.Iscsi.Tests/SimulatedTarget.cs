using Ashlar.Blocks;
using Ashlar.Scsi.Tests;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.Transport;
using Ashlar.Transport.Tests.Simulated;

namespace Ashlar.Iscsi.Tests;

/// <summary>The target's code without sockets, for simulated initiators: one target of one unit.</summary>
sealed class SimulatedTarget : IIscsiTargets, IDisposable
{
    readonly Guid unit = new("00112233-4455-6677-8899-aabbccddeeff");
    readonly VolumeFront front;

    public SimulatedTarget(BufferPool? buffers = null)
    {
        Buffers = buffers ?? new();
        front = new(Device);
        var node = new IscsiNode(this, Buffers, Reports.Add, SystemEntropy.Instance, new PathStates(1));
        Sessions = new(Clock, new IscsiPortal(node, 1), Buffers);
    }

    public SimulatedClock Clock { get; } = new();

    public ScriptedDevice Device { get; } = new(32768) { IsForgetful = true };

    public BufferPool Buffers { get; }

    /// <summary>What the target had to say of initiators that it cut off.</summary>
    public List<string> Reports { get; } = [];

    public SimulatedSession Sessions { get; }

    /// <summary>Sessions that hold the target open.</summary>
    public int Leases => front.Sessions.Count;

    /// <summary>Plays a session to its end.</summary>
    /// <returns>Why the target cut it off; null when it did not.</returns>
    public string? Play(SimulatedClient client)
    {
        Reports.Clear();
        return Sessions.Play(client) ?? Reports.FirstOrDefault(report => report.Contains("cut off", StringComparison.Ordinal));
    }

    public IReadOnlyList<string> List(ClientIdentity initiator) => [TestTarget.Name];

    public IscsiTarget? Open(string target, ClientIdentity initiator) =>
        target == TestTarget.Name ? new(target, [new IscsiLun(0, unit, front.Attach(initiator))]) : null;

    public void Dispose() => front.DisposeAsync().AsTask().GetAwaiter().GetResult();
}
