using System.Net;
using Ashlar.Blocks;

namespace Ashlar.Iscsi;

/// <summary>What an iSCSI server serves. Asked anew for each discovery and login, so volumes may come and go.</summary>
public interface IIscsiTargets
{
    /// <summary>Target names (IQNs), for SendTargets.</summary>
    IReadOnlyList<string> List();

    /// <summary>
    /// Opens a target for one session, once its initiator has passed the security stage of the login; null when there is none
    /// of that name.
    /// </summary>
    /// <param name="target">The target's name as the initiator wrote it; the case of letters does not tell names apart.</param>
    /// <param name="initiator">The initiator's name.</param>
    /// <param name="address">Where it connects from.</param>
    IscsiTarget? Open(string target, string initiator, IPEndPoint address);
}

/// <summary>A target that a session uses. Disposed when the session ends; the devices stay open.</summary>
/// <param name="Name">The IQN.</param>
/// <param name="Luns">Logical units by number, 0 first.</param>
/// <param name="Lease">Released with the session, so that the owner knows who uses the devices.</param>
public sealed record IscsiTarget(string Name, IReadOnlyList<IscsiLun> Luns, IDisposable Lease) : IDisposable
{
    /// <inheritdoc />
    public void Dispose() => Lease.Dispose();
}

/// <summary>A logical unit of a target.</summary>
/// <param name="Number">LUN, 0 to 16383.</param>
/// <param name="Id">Identity that never changes; the NAA identifier and the serial number are made of it.</param>
/// <param name="Driver">Where commands go.</param>
public sealed record IscsiLun(int Number, Guid Id, BlockDriver Driver);
