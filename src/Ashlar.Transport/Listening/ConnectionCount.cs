using System.Net;
using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>Connections open now, over all listeners that share one limit, those of each address, those that have not logged in.</summary>
/// <remarks>
/// Where there is no place left, the oldest connection that has not logged in gives way to the new one. So whoever connects and says
/// nothing keeps nobody out: he would have to connect anew faster than others log in. A share of places that is kept for logins would
/// be full of such connections until their time is over, and keep everybody out for as long. Those that have logged in keep theirs.
/// </remarks>
sealed class ConnectionCount
{
    readonly Lock gate = new();
    readonly Dictionary<IPAddress, int> byAddress = [];
    readonly LinkedList<ConnectionPlace> loggingIn = []; // The oldest first.
    int open;

    /// <summary>Gives a connection a place, if there is one.</summary>
    /// <param name="address">Where it comes from.</param>
    /// <param name="options">How many there are.</param>
    /// <param name="refusal">Why it gets none.</param>
    /// <param name="whose">Whose places those are that it could have.</param>
    public ConnectionPlace? TryTake(IPAddress address, ListenerOptions options, out string? refusal, out IPAddress? whose)
    {
        lock (gate)
        {
            (refusal, whose) = (null, null);
            var ofAddress = byAddress.GetValueOrDefault(address);
            // This machine's own may have all: who is on it has other ways to be in the way.
            if (ofAddress >= options.MaxConnectionsPerAddress && !IPAddress.IsLoopback(address))
            {
                refusal = $"{ofAddress} of {address} are open, the most allowed to one address";
                whose = address;
                return null;
            }

            if (open >= options.MaxConnections)
            {
                refusal = $"{options.MaxConnections} are open, the most allowed";
                return null;
            }

            byAddress[address] = ofAddress + 1;
            open++;
            return new(address);
        }
    }

    /// <summary>A connection may be asked to give way from now on.</summary>
    public void BeginLogin(ConnectionPlace place)
    {
        lock (gate) loggingIn.AddLast(place);
    }

    /// <summary>A connection has logged in, and keeps its place.</summary>
    public void EndLogin(ConnectionPlace place)
    {
        lock (gate) loggingIn.Remove(place);
    }

    /// <summary>A connection has ended.</summary>
    public void Free(ConnectionPlace place)
    {
        lock (gate)
        {
            loggingIn.Remove(place);
            var ofAddress = byAddress.GetValueOrDefault(place.Address);
            Invariant.Require(ofAddress > 0 && open >= ofAddress);
            open--;
            if (ofAddress == 1) byAddress.Remove(place.Address);
            else byAddress[place.Address] = ofAddress - 1;
        }

        place.Dispose();
    }

    /// <summary>The oldest that has not logged in, which has to give way: each once, and whoever gets it sees to that.</summary>
    /// <param name="address">Where it comes from; null for anywhere.</param>
    public ConnectionPlace? TakeOldest(IPAddress? address)
    {
        lock (gate)
        {
            for (var node = loggingIn.First; node is not null; node = node.Next)
            {
                if (address is not null && !node.Value.Address.Equals(address)) continue;
                loggingIn.Remove(node);
                return node.Value;
            }

            return null;
        }
    }
}
