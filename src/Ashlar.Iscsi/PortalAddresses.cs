using System.Net;

namespace Ashlar.Iscsi;

/// <summary>What discovery tells initiators of where the node is.</summary>
/// <param name="portals">Where it listens.</param>
/// <param name="advertise">Name or address that others are told instead, or null.</param>
sealed class PortalAddresses(IReadOnlyList<PortalAddress> portals, string? advertise)
{
    /// <summary>
    /// The addresses for an initiator, each of which it can reach: by the one that it has dialled, and by portals that are for more than
    /// this machine. An initiator of this machine, who came by the loopback, can reach them all.
    /// </summary>
    /// <remarks>
    /// An initiator logs in to each address that it is told of. So one portal has one address: where one is advertised others are told that
    /// alone, and a portal that listens everywhere is called by the address that was dialled, which the initiator can use again.
    /// </remarks>
    /// <param name="dialled">Address and port of ours that the initiator has dialled.</param>
    public IEnumerable<string> For(IPEndPoint dialled)
    {
        var isLocal = IPAddress.IsLoopback(dialled.Address);
        if (advertise is not null && !isLocal)
        {
            var taken = portals.FirstOrDefault(portal => portal.Took(dialled));
            return taken.EndPoint is null ? [] : [taken.At(advertise)];
        }
        return
        [
            .. portals
                .Where(portal => isLocal || !IPAddress.IsLoopback(portal.EndPoint.Address))
                .Select(portal => portal.At(portal.IsEverywhere ? dialled.Address : portal.EndPoint.Address)),
        ];
    }
}
