using System.Net;
using System.Net.Sockets;

namespace Ashlar.Server;

/// <summary>The addresses listened on, each once: what an address that stands for all of them includes is left out.</summary>
static class ListenAddresses
{
    public static IReadOnlyList<IPAddress> Of(IReadOnlyList<IPAddress> asked)
    {
        ArgumentOutOfRangeException.ThrowIfZero(asked.Count, nameof(asked));
        if (asked.Contains(IPAddress.IPv6Any)) return [IPAddress.IPv6Any]; // Those of IPv4 as well.
        var isAllIPv4 = asked.Contains(IPAddress.Any);
        return
        [
            .. asked.Distinct().Where(address =>
                !isAllIPv4 || address.Equals(IPAddress.Any) || address.AddressFamily != AddressFamily.InterNetwork),
        ];
    }

    /// <summary>Whether it stands for all addresses of the machine.</summary>
    public static bool IsAll(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    /// <summary>Whether other machines can connect.</summary>
    public static bool AreOpen(IReadOnlyList<IPAddress> addresses) => !addresses.All(IPAddress.IsLoopback);
}
