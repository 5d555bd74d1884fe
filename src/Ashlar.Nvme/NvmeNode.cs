using Ashlar.Blocks;
using Ashlar.Transport;

namespace Ashlar.Nvme;

/// <summary>What all connections through all portals share: subsystems, memory, and the controllers of associations.</summary>
sealed class NvmeNode(INvmeSubsystems subsystems, BufferPool buffers, TimeProvider time, Action<string> report)
{
    public ControllerTable Controllers { get; } = new();

    public TimeProvider Time => time;

    public void Report(string line) => report(line);

    /// <summary>The memory of a new connection.</summary>
    public BufferShare OpenShare() => buffers.OpenShare();

    public IReadOnlyList<string> List(ClientIdentity host) => subsystems.List(host);

    public NvmeSubsystem? Open(string name, ClientIdentity host) => subsystems.Open(name, host);
}
