using Ashlar.Blocks;

namespace Ashlar.Iscsi;

/// <summary>What an iSCSI server serves. Asked anew for each discovery and login, so volumes may come and go.</summary>
public interface IIscsiTargets
{
    /// <summary>Names (IQNs) of the targets that an initiator may reach, for SendTargets.</summary>
    IReadOnlyList<string> List(ClientIdentity initiator);

    /// <summary>
    /// What an initiator has to prove before anything of a target is opened, or told apart from targets that there are not; null where
    /// it need not.
    /// </summary>
    /// <param name="target">The target's name as the initiator wrote it; null for discovery.</param>
    /// <param name="initiator">Who it says it is.</param>
    ChapDemand? Demand(string? target, ClientIdentity initiator) => null;

    /// <summary>
    /// Opens a target for one session, once its initiator has passed the security stage of the login; null when there is none
    /// of that name.
    /// </summary>
    /// <param name="target">The target's name as the initiator wrote it; the case of letters does not tell names apart.</param>
    /// <param name="initiator">Who it is for.</param>
    IscsiTarget? Open(string target, ClientIdentity initiator);
}

/// <summary>A target that a session uses. Disposed when the session ends.</summary>
/// <param name="Name">The IQN.</param>
/// <param name="Luns">Logical units by number, 0 first.</param>
public sealed record IscsiTarget(string Name, IReadOnlyList<IscsiLun> Luns) : IDisposable
{
    /// <summary>Cuts the sessions off from their units; what is under way ends before they are disposed of.</summary>
    internal void Fence()
    {
        foreach (var lun in Luns) _ = lun.Session.FenceAsync(FenceReason.ClientDetached);
    }

    /// <summary>Gives up what waits for the limits of volumes: the initiator has left.</summary>
    internal void GiveUpWaiting()
    {
        foreach (var lun in Luns) lun.Session.GiveUpWaiting();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var lun in Luns) lun.Session.Dispose();
    }
}

/// <summary>A logical unit of a target.</summary>
/// <param name="Number">LUN, 0 to 16383.</param>
/// <param name="Id">Identity that never changes; the NAA identifier and the serial number are made of it.</param>
/// <param name="Session">Where the initiator's commands go.</param>
public sealed record IscsiLun(int Number, Guid Id, ClientSession Session);
