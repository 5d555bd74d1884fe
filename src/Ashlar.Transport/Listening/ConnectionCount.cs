using System.Net;
using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>Connections open now, over all listeners that share one limit, those of each network, those that have not logged in.</summary>
/// <remarks>
/// Where there is no place left, one that has not logged in gives way to the new one: the oldest of the network that has the most of
/// them. So whoever connects and says nothing keeps nobody out: he would have to connect anew faster than others log in, and from as many
/// networks as others have connections that log in. A share of places that is kept for logins would be full of such connections until
/// their time is over, and keep everybody out for as long. Those that have logged in keep theirs.
/// </remarks>
sealed class ConnectionCount
{
    readonly Lock gate = new();
    readonly Dictionary<IPAddress, int> byNetwork = [];
    readonly Dictionary<IPAddress, LinkedList<ConnectionPlace>> loggingIn = []; // By network; the first one began first. None is empty.
    long begun;
    int open;
    int leaving;

    /// <summary>Connections that have given their place to another, and are not gone yet.</summary>
    public int Leaving
    {
        get
        {
            lock (gate) return leaving;
        }
    }

    /// <summary>Gives a connection a place, if there is one, or one that another has to give up for it.</summary>
    /// <param name="address">Where it comes from.</param>
    /// <param name="options">How many there are.</param>
    /// <param name="shortage">Why there is no place even if not all are taken; null where none is short of anything.</param>
    /// <param name="former">
    /// Whoever had it, which has to give way: each once, and whoever gets it sees to that. Null where it was free.
    /// </param>
    /// <param name="refusal">Why it gets none.</param>
    public ConnectionPlace? TryTake(
        IPAddress address, ListenerOptions options, string? shortage, out ConnectionPlace? former, out string? refusal)
    {
        var network = ClientNetwork.Of(address);
        lock (gate)
        {
            former = null;
            refusal = FindRefusal(network, options, shortage, out var isOfNetwork);
            if (refusal is not null)
            {
                former = FindFirst(isOfNetwork ? network : FindCrowd());
                if (former is null) return null;
                // Under one lock: nobody else gets what was given up, and it is given up for nobody but who gets it.
                StopLoggingIn(former);
                former.IsHandedOver = true;
                leaving++;
                Uncount(former.Network);
                refusal = null;
            }

            byNetwork[network] = byNetwork.GetValueOrDefault(network) + 1;
            open++;
            return new(network);
        }
    }

    /// <summary>A connection may be asked to give way from now on.</summary>
    public void BeginLogin(ConnectionPlace place)
    {
        lock (gate)
        {
            if (!loggingIn.TryGetValue(place.Network, out var ofNetwork)) loggingIn[place.Network] = ofNetwork = [];
            place.Number = begun++;
            place.LoggingIn = ofNetwork.AddLast(place);
        }
    }

    /// <summary>A connection has logged in, and keeps its place.</summary>
    /// <returns>False where another has got it already.</returns>
    public bool EndLogin(ConnectionPlace place)
    {
        lock (gate)
        {
            if (place.IsHandedOver) return false;
            StopLoggingIn(place);
            return true;
        }
    }

    /// <summary>A connection has ended.</summary>
    public void Free(ConnectionPlace place)
    {
        lock (gate)
        {
            if (place.IsHandedOver)
            {
                Invariant.Require(leaving > 0);
                leaving--;
            }
            else
            {
                StopLoggingIn(place);
                Uncount(place.Network);
            }
        }

        place.Dispose();
    }

    string? FindRefusal(IPAddress network, ListenerOptions options, string? shortage, out bool isOfNetwork)
    {
        var ofNetwork = byNetwork.GetValueOrDefault(network);
        // This machine's own may have all: who is on it has other ways to be in the way.
        isOfNetwork = ofNetwork >= options.MaxConnectionsPerAddress && !IPAddress.IsLoopback(network);
        if (isOfNetwork) return $"{ofNetwork} of {ClientNetwork.Describe(network)} are open, the most allowed to one address";
        return open >= options.MaxConnections ? $"{options.MaxConnections} are open, the most allowed" : shortage;
    }

    // Of several that have as many, the one whose first is the oldest of all.
    IPAddress? FindCrowd()
    {
        LinkedList<ConnectionPlace>? found = null;
        foreach (var each in loggingIn.Values)
        {
            if (found is null || each.Count > found.Count || (each.Count == found.Count && NumberOf(each) < NumberOf(found))) found = each;
        }

        return found?.First!.Value.Network;

        static long NumberOf(LinkedList<ConnectionPlace> ofNetwork) => ofNetwork.First!.Value.Number;
    }

    ConnectionPlace? FindFirst(IPAddress? network) =>
        network is not null && loggingIn.TryGetValue(network, out var ofNetwork) ? ofNetwork.First!.Value : null;

    void StopLoggingIn(ConnectionPlace place)
    {
        if (place.LoggingIn is not { } node) return;
        place.LoggingIn = null;
        var ofNetwork = loggingIn[place.Network];
        ofNetwork.Remove(node);
        if (ofNetwork.Count == 0) loggingIn.Remove(place.Network);
    }

    void Uncount(IPAddress network)
    {
        var ofNetwork = byNetwork.GetValueOrDefault(network);
        Invariant.Require(ofNetwork > 0 && open >= ofNetwork);
        open--;
        if (ofNetwork == 1) byNetwork.Remove(network);
        else byNetwork[network] = ofNetwork - 1;
    }
}
