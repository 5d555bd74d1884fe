using System.Net;
using Ashlar.Transport;

namespace Ashlar.Server;

/// <summary>Where protocols listen: each on one port on every address, also where any port will do.</summary>
/// <param name="addresses">One at least.</param>
/// <param name="findFreePort">Finds one that is free on all of them, for a protocol.</param>
sealed class Portals(IReadOnlyList<IPAddress> addresses, Func<string, IReadOnlyList<IPAddress>, int> findFreePort)
{
    const int MaxTries = 16;

    /// <summary>Starts a protocol.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="port">Its port; 0 takes a free one.</param>
    /// <param name="start">Listens on all that it is given, or on none.</param>
    /// <exception cref="ListenException">A port is taken, or an address is not one of this machine.</exception>
    public async Task<T> ListenAsync<T>(string name, int port, Func<IReadOnlyList<IPEndPoint>, Task<T>> start)
    {
        var isFound = port == 0 && addresses.Count > 1; // On one address the system chooses as it binds.
        for (var left = isFound ? MaxTries : 1; ; left--)
        {
            var chosen = isFound ? findFreePort(name, addresses) : port;
            try
            {
                return await start([.. addresses.Select(address => new IPEndPoint(address, chosen))]);
            }
            catch (ListenException e) when (e.IsTaken && left > 1)
            {
                // By another program, since it was found.
            }
        }
    }
}
