using System.Net;
using System.Net.Sockets;
using Ashlar.Api;

namespace Ashlar.Server;

/// <summary>What is said of where the server is: to people, to clients, and to commands on this machine.</summary>
/// <param name="addresses">Those listened on.</param>
/// <param name="advertise">What others are told instead, or null.</param>
/// <param name="machine">Addresses of this machine that others may use.</param>
sealed class ServedAddresses(IReadOnlyList<IPAddress> addresses, string? advertise, Func<IReadOnlyList<IPAddress>> machine)
{
    /// <summary>Whether other machines can connect.</summary>
    public bool AreOpen => ListenAddresses.AreOpen(addresses);

    /// <summary>Names and addresses by which clients reach the server, the best first.</summary>
    public IReadOnlyList<string> Hosts { get; } = FindHosts(addresses, advertise, machine);

    /// <summary>Where clients find each protocol.</summary>
    public Endpoints Endpoints(int apiPort, int nbdPort, int iscsiPort, int? s3Port = null, int? nvmePort = null)
    {
        var host = ForUri(Hosts[0]);
        return new($"http://{host}:{apiPort}", $"nbd://{host}:{nbdPort}", $"{host}:{iscsiPort}")
        {
            Nvme = nvmePort is { } nvme ? $"{host}:{nvme}" : null,
            S3 = s3Port is { } port ? $"http://{host}:{port}" : null,
            Hosts = Hosts,
            IsOpen = AreOpen,
        };
    }

    /// <summary>The API for commands on this machine, which reach it whatever is advertised to others.</summary>
    public string LocalApi(int port)
    {
        var local = addresses.FirstOrDefault(IPAddress.IsLoopback)
            // What is all of IPv6 is all of IPv4 as well.
            ?? (addresses.Any(ListenAddresses.IsAll) ? IPAddress.Loopback : addresses[0]);
        return $"http://{new IPEndPoint(local, port)}";
    }

    static IReadOnlyList<string> FindHosts(
        IReadOnlyList<IPAddress> addresses, string? advertise, Func<IReadOnlyList<IPAddress>> machine)
    {
        if (advertise is not null) return [advertise];
        var found = addresses.SelectMany(address => ListenAddresses.IsAll(address)
            ? machine().Where(each => IsIncluded(each, address)).Append(IPAddress.Loopback)
            : [address]);
        // What only this machine can use is of no use to others, and comes last.
        return [.. found.Distinct().OrderBy(IPAddress.IsLoopback).Select(address => address.ToString())];
    }

    static bool IsIncluded(IPAddress address, IPAddress all) =>
        all.Equals(IPAddress.IPv6Any) || address.AddressFamily == AddressFamily.InterNetwork;

    static string ForUri(string host) => host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
}
