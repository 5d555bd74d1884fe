using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Ashlar.Server;

/// <summary>Addresses by which other machines may reach this one.</summary>
static class MachineAddresses
{
    // Set aside for documentation (RFC 5737, RFC 3849): nobody has them, so they are reached by the default route.
    static readonly IPAddress Elsewhere = IPAddress.Parse("192.0.2.1"), ElsewhereIPv6 = IPAddress.Parse("2001:db8::1");

    /// <summary>
    /// All of them but those of one link, which mean nothing without its number; first those that the default routes go by. Empty where
    /// there is no network.
    /// </summary>
    public static IReadOnlyList<IPAddress> All() => All(NetworkInterface.GetAllNetworkInterfaces);

    /// <summary>The same, of interfaces that somebody else finds.</summary>
    public static IReadOnlyList<IPAddress> All(Func<IEnumerable<NetworkInterface>> interfaces)
    {
        IPAddress?[] routed = [OfRouteTo(Elsewhere), OfRouteTo(ElsewhereIPv6)];
        return [.. routed.OfType<IPAddress>().Concat(Of(interfaces)).Where(IsUseful).Distinct()];
    }

    static IPAddress[] Of(Func<IEnumerable<NetworkInterface>> interfaces)
    {
        try
        {
            return
            [
                .. interfaces()
                    .Where(each => each.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
                    .SelectMany(each => each.GetIPProperties().UnicastAddresses)
                    .Select(each => each.Address),
            ];
        }
        catch (NetworkInformationException)
        {
            return []; // The system does not tell; the routes have told the most important.
        }
    }

    static bool IsUseful(IPAddress address) =>
        !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal && address.GetAddressBytes() is not [169, 254, _, _];

    // Connecting a datagram socket sends nothing: the system only chooses the address that it would send from.
    static IPAddress? OfRouteTo(IPAddress destination)
    {
        try
        {
            using var socket = new Socket(destination.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(destination, 9);
            return ((IPEndPoint)socket.LocalEndPoint!).Address;
        }
        catch (SocketException)
        {
            return null; // No such route.
        }
    }
}
