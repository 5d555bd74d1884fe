using System.Net;

namespace Ashlar.Transport;

/// <summary>What discovery tells clients of where the node is.</summary>
/// <param name="portals">Where it listens.</param>
/// <param name="advertise">Name or address that others are told instead, or null.</param>
public sealed class PortalAddresses(IReadOnlyList<PortalAddress> portals, string? advertise)
{
    /// <summary>
    /// The portals for a client, each of which it can reach: by the address that it has dialled, and by portals that are for more than
    /// this machine. A client of this machine, who came by the loopback, can reach them all.
    /// </summary>
    /// <remarks>
    /// A client connects to each address that it is told of. So one portal has one address: where one is advertised others are told that
    /// alone, and a portal that listens everywhere is called by the address that was dialled, which the client can use again, where it is
    /// one of its own.
    /// </remarks>
    /// <param name="dialled">Address and port of ours that the client has dialled.</param>
    public IReadOnlyList<ToldPortal> For(IPEndPoint dialled)
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
                .Where(portal => portal.IsEverywhere
                    ? portal.IsIncluded(dialled.Address)
                    : isLocal || !IPAddress.IsLoopback(portal.EndPoint.Address))
                .Select(portal => portal.At(portal.IsEverywhere ? dialled.Address : portal.EndPoint.Address)),
        ];
    }
}
