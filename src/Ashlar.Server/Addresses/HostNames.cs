using System.Net;

namespace Ashlar.Server;

/// <summary>The names by which the API may be asked for: what stands in the Host header of a request.</summary>
/// <param name="addresses">Those listened on.</param>
/// <param name="allowed">Names that the operator has allowed; the case of letters does not matter.</param>
sealed class HostNames(IReadOnlyList<IPAddress> addresses, IReadOnlyList<string> allowed)
{
    readonly HashSet<string> names = new([.. allowed, "localhost"], StringComparer.OrdinalIgnoreCase);
    readonly bool isAll = addresses.Any(ListenAddresses.IsAll);

    // A name may be made to resolve to this machine by whoever owns it (DNS rebinding); an address cannot, but only ours is expected.
    // Listening everywhere, any may be ours.
    public bool Includes(string host)
    {
        if (names.Contains(host)) return true;
        if (!IPAddress.TryParse(host, out var address)) return false;
        return isAll || IPAddress.IsLoopback(address) || addresses.Contains(address) || names.Contains(address.ToString());
    }
}
