using System.Net;
using System.Net.Sockets;
using Ashlar.Storage;
using Microsoft.AspNetCore.Connections;

namespace Ashlar.S3;

/// <summary>Keeps one address from taking all connections; of IPv6, the 64 bits that a network has.</summary>
sealed class ConnectionLimit(int most)
{
    const int NetworkBytes = 8;

    readonly Lock gate = new();
    readonly Dictionary<IPAddress, int> open = [];

    public async Task RunAsync(ConnectionContext connection, Func<Task> next)
    {
        if (connection.RemoteEndPoint is not IPEndPoint { Address: var address })
        {
            await next();
            return;
        }

        var network = NetworkOf(address);
        if (!TryEnter(network))
        {
            connection.Abort();
            return;
        }

        try
        {
            await next();
        }
        finally
        {
            Leave(network);
        }
    }

    bool TryEnter(IPAddress network)
    {
        lock (gate)
        {
            var count = open.GetValueOrDefault(network);
            if (count >= most) return false;
            open[network] = count + 1;
            return true;
        }
    }

    void Leave(IPAddress network)
    {
        lock (gate)
        {
            var left = --open[network];
            Invariant.Require(left >= 0);
            if (left == 0) open.Remove(network);
        }
    }

    static IPAddress NetworkOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(NetworkBytes).Clear();
        return new(bytes);
    }
}
