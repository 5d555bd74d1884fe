namespace Ashlar.Blocks;

/// <summary>
/// Who registers for reservations: it outlives sessions, so that a client that comes again is who it was. Of SCSI an I_T nexus,
/// of NVMe a host.
/// </summary>
/// <param name="Protocol">How it came.</param>
/// <param name="Name">What the protocol knows it by for ever: the initiator port, the host.</param>
/// <param name="Port">The port of ours through which it came, where that makes it another; 0 where it does not.</param>
public sealed record Registrant(ClientProtocol Protocol, string Name, int Port)
{
    /// <summary>Longest name that is kept, in characters.</summary>
    public const int MaxNameLength = 512;

    /// <summary>As which a client registers.</summary>
    public static Registrant Of(ClientIdentity client)
    {
        ArgumentNullException.ThrowIfNull(client);
        return new(client.Protocol, client.RegistrantName ?? client.Name, client.Port);
    }
}
