using System.Net;

namespace Ashlar.Transport;

/// <summary>Where a portal listens.</summary>
/// <param name="EndPoint">Address and port; the address may be that of every interface.</param>
/// <param name="Group">Number of its portal group, which it makes up alone.</param>
public readonly record struct PortalAddress(IPEndPoint EndPoint, int Group)
{
    /// <summary>Whether it stands for every address of the machine.</summary>
    public bool IsEverywhere => EndPoint.Address.Equals(IPAddress.Any) || EndPoint.Address.Equals(IPAddress.IPv6Any);

    /// <summary>Whether a connection to an address and port of ours came through it.</summary>
    public bool Took(IPEndPoint dialled) =>
        EndPoint.Port == dialled.Port && (EndPoint.Address.Equals(dialled.Address) || (IsEverywhere && IsIncluded(dialled.Address)));

    /// <summary>The portal under a name or address.</summary>
    internal ToldPortal At(string host) => new(host, EndPoint.Port, Group);

    /// <summary>The portal under an address. The number of a link of ours means nothing to others.</summary>
    internal ToldPortal At(IPAddress address) => At(new IPAddress(address.GetAddressBytes()).ToString());

    /// <summary>Whether a portal that stands for every address stands for this one, too: all of IPv6 is all of IPv4 as well.</summary>
    internal bool IsIncluded(IPAddress address) =>
        EndPoint.Address.Equals(IPAddress.IPv6Any) || address.AddressFamily == EndPoint.AddressFamily;
}

/// <summary>A portal as discovery tells of it.</summary>
/// <param name="Host">Name or address.</param>
/// <param name="Port">Port.</param>
/// <param name="Group">Number of its portal group.</param>
public readonly record struct ToldPortal(string Host, int Port, int Group)
{
    /// <summary>Address and port as both stand in one text: "192.0.2.7:3260", "[2001:db8::7]:3260".</summary>
    public string HostAndPort => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
