namespace Ashlar.Blocks;

/// <summary>By which protocol a client came.</summary>
public enum ClientProtocol
{
    /// <summary>Network block device.</summary>
    Nbd = 0,

    /// <summary>iSCSI.</summary>
    Iscsi,

    /// <summary>NVMe over TCP.</summary>
    Nvme,
}

/// <summary>Who uses a volume.</summary>
/// <param name="Protocol">How it came.</param>
/// <param name="Name">
/// What the protocol knows it by: for iSCSI the name of the initiator port (RFC 7143, 4.2.7.1), for NVMe that of the host, for NBD, whose
/// clients have no names, the address.
/// </param>
/// <param name="Address">Address and port.</param>
public sealed record ClientIdentity(ClientProtocol Protocol, string Name, string Address);
