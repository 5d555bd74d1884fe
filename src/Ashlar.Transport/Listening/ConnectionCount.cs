using System.Net;
using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>Connections open now, over all listeners that share one limit, and those of each address.</summary>
sealed class ConnectionCount
{
    readonly Lock gate = new();
    readonly Dictionary<IPAddress, int> byAddress = [];
    int open;

    /// <summary>Counts one more, unless there are as many as may be.</summary>
    /// <returns>Why it is not counted; null where it is.</returns>
    public string? TryAdd(IPAddress address, ListenerOptions options)
    {
        lock (gate)
        {
            if (open >= options.MaxConnections) return $"{options.MaxConnections} are open, the most allowed";
            var ofAddress = byAddress.GetValueOrDefault(address);
            // This machine's own may have all: who is on it has other ways to be in the way.
            if (ofAddress >= options.MaxConnectionsPerAddress && !IPAddress.IsLoopback(address))
                return $"{ofAddress} of {address} are open, the most allowed to one address";
            byAddress[address] = ofAddress + 1;
            open++;
            return null;
        }
    }

    /// <summary>Counts one less.</summary>
    public void Remove(IPAddress address)
    {
        lock (gate)
        {
            var ofAddress = byAddress.GetValueOrDefault(address);
            Invariant.Require(ofAddress > 0 && open >= ofAddress);
            open--;
            if (ofAddress == 1) byAddress.Remove(address);
            else byAddress[address] = ofAddress - 1;
        }
    }
}
