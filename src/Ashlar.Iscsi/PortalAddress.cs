using System.Net;
using Ashlar.Transport;

namespace Ashlar.Iscsi;

/// <summary>Where a portal listens.</summary>
/// <param name="EndPoint">Address and port; the address may be that of every interface.</param>
/// <param name="GroupTag">Its portal group, which it makes up alone.</param>
readonly record struct PortalAddress(IPEndPoint EndPoint, int GroupTag)
{
    /// <summary>
    /// How to tell an initiator about the portal. One that listens everywhere is named by the address by which the initiator
    /// reached us: that one it can use again.
    /// </summary>
    public string ReachableFrom(Connection connection)
    {
        var address = EndPoint.Address;
        if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)) address = connection.LocalEndPoint.Address;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return $"{new IPEndPoint(address, EndPoint.Port)},{GroupTag}";
    }
}
