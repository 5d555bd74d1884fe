using Ashlar.Blocks;

namespace Ashlar.Nvme;

/// <summary>What an NVMe/TCP server serves. Asked anew for each discovery and association, so volumes may come and go.</summary>
public interface INvmeSubsystems
{
    /// <summary>Names of the subsystems (NQNs) that a host is told of.</summary>
    IReadOnlyList<string> List(ClientIdentity host);

    /// <summary>
    /// What a host has to prove, one of these, before anything of a subsystem is opened, or told apart from subsystems that there are not;
    /// null where it need not.
    /// </summary>
    /// <param name="name">The NQN as the host wrote it.</param>
    /// <param name="host">Who it says it is.</param>
    IReadOnlyList<DhChapAccount>? Demand(string name, ClientIdentity host) => null;

    /// <summary>
    /// What a host has to prove once more that has come by an account, for another queue or anew: the same account as it is now, nothing
    /// that could be proved where that is gone; null where the account asks for nothing any more.
    /// </summary>
    /// <param name="name">The NQN as the host wrote it.</param>
    /// <param name="host">Who it says it is.</param>
    /// <param name="account">Identity of the account.</param>
    IReadOnlyList<DhChapAccount>? DemandAgain(string name, ClientIdentity host, string account) =>
        [.. (Demand(name, host) ?? []).Where(each => each.Id == account)];

    /// <summary>Opens a subsystem for one association; null when there is none of that name.</summary>
    /// <param name="name">The NQN as the host wrote it.</param>
    /// <param name="host">Who it is for.</param>
    NvmeSubsystem? Open(string name, ClientIdentity host);
}

/// <summary>A subsystem with one namespace, number 1, that an association uses. Disposed when the association ends.</summary>
/// <param name="Name">The NQN.</param>
/// <param name="Id">Identity of the namespace that never changes; its NGUID, its UUID and the serial number are made of it.</param>
/// <param name="Session">Where commands of the host go.</param>
public sealed record NvmeSubsystem(string Name, Guid Id, ClientSession Session) : IDisposable
{
    /// <inheritdoc />
    public void Dispose() => Session.Dispose();
}
