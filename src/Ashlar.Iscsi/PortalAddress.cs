using System.Net;

namespace Ashlar.Iscsi;

/// <summary>Where a portal listens.</summary>
/// <param name="EndPoint">Address and port; the address may be that of every interface.</param>
/// <param name="GroupTag">Its portal group, which it makes up alone.</param>
readonly record struct PortalAddress(IPEndPoint EndPoint, int GroupTag)
{
    /// <summary>Whether it stands for every address of the machine.</summary>
    public bool IsEverywhere => EndPoint.Address.Equals(IPAddress.Any) || EndPoint.Address.Equals(IPAddress.IPv6Any);

    /// <summary>Whether a connection to an address and port of ours came through it.</summary>
    public bool Took(IPEndPoint dialled) =>
        EndPoint.Port == dialled.Port && (EndPoint.Address.Equals(dialled.Address) || (IsEverywhere && IsIncluded(dialled.Address)));

    /// <summary>The portal under a name or address, as TargetAddress has it (RFC 7143, 13.8).</summary>
    public string At(string host) => host.Contains(':', StringComparison.Ordinal)
        ? $"[{host}]:{EndPoint.Port},{GroupTag}"
        : $"{host}:{EndPoint.Port},{GroupTag}";

    /// <summary>The portal under an address. The number of a link of ours means nothing to others.</summary>
    public string At(IPAddress address) => At(new IPAddress(address.GetAddressBytes()).ToString());

    // All of IPv6 is all of IPv4 as well.
    bool IsIncluded(IPAddress address) =>
        EndPoint.Address.Equals(IPAddress.IPv6Any) || address.AddressFamily == EndPoint.AddressFamily;
}
