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
public sealed record ClientIdentity(ClientProtocol Protocol, string Name, string Address)
{
    /// <summary>Name of the machine that it comes from, an IQN or NQN; null where the protocol knows none.</summary>
    public string? Host { get; init; }

    /// <summary>As whom it has proved to come; null where it has not.</summary>
    public string? User { get; init; }

    /// <summary>Identity of the account by which it has proved that, where names of accounts are given anew; else null.</summary>
    public string? Account { get; init; }

    /// <summary>As whom it registers for reservations, where that is not its name.</summary>
    public string? RegistrantName { get; init; }

    /// <summary>The port of ours through which it came, where registrations through another are others; 0 where they are not.</summary>
    public int Port { get; init; }
}
