using System.Net;
using System.Net.Sockets;

namespace Ashlar.Transport;

/// <summary>
/// Whose connections count together: those of one address; of IPv6, of the 64 bits that whoever has any address has all of.
/// </summary>
static class ClientNetwork
{
    const int NetworkBytes = 8;

    /// <summary>The address that stands for all that count with one.</summary>
    public static IPAddress Of(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || IPAddress.IsLoopback(address)) return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(NetworkBytes).Clear();
        return new(bytes);
    }

    /// <summary>As a message names it.</summary>
    public static string Describe(IPAddress network) =>
        network.AddressFamily == AddressFamily.InterNetworkV6 && !IPAddress.IsLoopback(network) ? $"{network}/64" : $"{network}";
}
