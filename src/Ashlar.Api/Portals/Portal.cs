namespace Ashlar.Api;

/// <summary>
/// An address that volumes are reached through, and how well: a target port group to initiators of iSCSI, and a port with an ANA state to
/// hosts of NVMe.
/// </summary>
public sealed record Portal
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"Portal".</summary>
    public string Kind { get; init; } = nameof(Portal);

    /// <summary>Its number, from 1, in the order in which addresses are listened on: the tag of its portal group.</summary>
    public required int Number { get; init; }

    /// <summary>The address that is listened on; it may stand for all of the machine.</summary>
    public required string Address { get; init; }

    /// <summary>TCP port of iSCSI.</summary>
    public required int IscsiPort { get; init; }

    /// <summary>TCP port of NVMe; absent where that is not served.</summary>
    public int? NvmePort { get; init; }

    /// <summary>How volumes are reached: "optimized", "non-optimized", "standby", "unavailable".</summary>
    public required string Access { get; init; }
}

/// <summary>Portals, by their numbers.</summary>
public sealed record PortalList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"PortalList".</summary>
    public string Kind { get; init; } = nameof(PortalList);

    /// <summary>The portals.</summary>
    public required IReadOnlyList<Portal> Items { get; init; }
}
