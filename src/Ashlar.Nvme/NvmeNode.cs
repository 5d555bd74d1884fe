using Ashlar.Blocks;
using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Nvme;

/// <summary>What all connections through all portals share: subsystems, memory, and the controllers of associations.</summary>
sealed class NvmeNode(
    INvmeSubsystems subsystems, BufferPool buffers, TimeProvider time, Action<string> report, IEntropySource entropy, IPathStates paths)
{
    long challenges = (uint)entropy.NextUInt64();

    public ControllerTable Controllers { get; } = new();

    public TimeProvider Time => time;

    /// <summary>How namespaces are reached through each portal.</summary>
    public IPathStates Paths => paths;

    /// <summary>Where the node can be reached; nowhere until all portals listen.</summary>
    public PortalAddresses Portals { get; set; } = new([], null);

    public void Report(string line) => report(line);

    /// <summary>The memory of a new connection.</summary>
    public BufferShare OpenShare() => buffers.OpenShare();

    public IReadOnlyList<string> List(ClientIdentity host) => subsystems.List(host);

    public IReadOnlyList<DhChapAccount>? Demand(string name, ClientIdentity host) => subsystems.Demand(name, host);

    public IReadOnlyList<DhChapAccount>? DemandAgain(string name, ClientIdentity host, string account) =>
        subsystems.DemandAgain(name, host, account);

    public IEntropySource Entropy => entropy;

    /// <summary>
    /// Turns at powers of groups, which anybody who connects can ask for: a quarter of the processors at most, so that the others serve
    /// those who have proved who they are.
    /// </summary>
    public SemaphoreSlim Powers { get; } = new(Math.Max(1, Environment.ProcessorCount / 4));

    /// <summary>The number of the next challenge to a host, which is never 0.</summary>
    public uint NextChallengeNumber() => (uint)(Interlocked.Increment(ref challenges) % uint.MaxValue) + 1;

    public NvmeSubsystem? Open(string name, ClientIdentity host) => subsystems.Open(name, host);
}
