using System.Collections.Immutable;
using System.Net;
using Ashlar.Blocks;
using Ashlar.Iscsi;
using Ashlar.Nvme;
using Ashlar.Transport;

namespace Ashlar.Server;

/// <summary>An export as clients meet it: read once, asked at each login.</summary>
sealed class ServedExport(RememberedExport record, ChapAccount? account, DhChapAccount? hostAccount)
{
    readonly ImmutableArray<IPNetwork> networks = [.. record.Addresses.Select(static address => IPNetwork.Parse(address))];

    public RememberedExport Record => record;

    public string Name => record.Name;

    /// <summary>What initiators have to prove; null for nothing.</summary>
    public ChapAccount? Account => account;

    /// <summary>What hosts of NVMe have to prove; null for nothing.</summary>
    public DhChapAccount? HostAccount => hostAccount;

    /// <summary>Whether it is for a volume, or a snapshot of it.</summary>
    public bool IsFor(Guid volume, string? snapshot) => record.VolumeId == volume && record.Snapshot == snapshot;

    /// <summary>Whether it lets a client in, once that has proved what it has to.</summary>
    public bool Admits(ClientIdentity client) =>
        record.Protocols.Contains(ExportProtocols.Of(client.Protocol), StringComparer.Ordinal)
        && (record.Initiators.Count == 0
            || (client.Host is { } host && record.Initiators.Contains(host, StringComparer.OrdinalIgnoreCase)))
        && (networks.IsEmpty || (AddressOf(client) is { } address && networks.Any(network => network.Contains(address))));

    /// <summary>Whether a client has proved what it has to.</summary>
    public bool IsProved(ClientIdentity client) =>
        (account is null || account.User == client.User) && (hostAccount is null || hostAccount.Id == client.Account);

    // Who comes by a Unix socket is on this machine, and counts as what such clients have over TCP.
    static IPAddress? AddressOf(ClientIdentity client)
    {
        if (client.Address.StartsWith(LocalPeer.Prefix, StringComparison.Ordinal)) return IPAddress.Loopback;
        if (!IPEndPoint.TryParse(client.Address, out var endPoint)) return null;
        return endPoint.Address.IsIPv4MappedToIPv6 ? endPoint.Address.MapToIPv4() : endPoint.Address;
    }
}
